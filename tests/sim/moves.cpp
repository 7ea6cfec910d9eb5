// Chapters that go below another parent in the middle of it all, with whatever they had not sent
// yet. The new parent offers, a chapter above both approves.
#include "tests/sim/world.h"

#include <algorithm>
#include <memory>

namespace chapterd::sim {
namespace {

using testing::SeededRandom;

// People talk about it first: a move is agreed to where the ones before it and the key of the
// chapter are known.
bool is_up_to_date(World& world, const SimNode& node, std::size_t chapter, Replica& replica) {
  const bool knows_moves = std::ranges::all_of(world.places.moves(), [&](const Moving& each) {
    return !each.holds || each.known_by.contains(node.machine);
  });
  const SimChapter& goes = world.chapters[chapter];
  return knows_moves &&
         (goes.later.empty() || &world.authority_of(goes, replica) == goes.later.back().get());
}

SimNode* door_of(World& world, int chapter) {
  SimNode& node = world.node(world.chapters[static_cast<std::size_t>(chapter)].machines.front());
  return node.counts() && world.is_listening(node.machine) ? &node : nullptr;
}

struct Offer {
  SimNode* parent = nullptr;
  Bytes certificate;
};

// As 'move offer': by the new parent.
std::optional<Offer> offer(World& world, std::size_t chapter, int below) {
  SimNode* parent = door_of(world, below);
  if (parent == nullptr) return std::nullopt;
  Replica& replica = parent->process->replica();
  if (!is_up_to_date(world, *parent, chapter, replica)) return std::nullopt;
  const Authority& known = replica.directory().authority();
  const KnownChapter* goes = known.chapter(world.chapters[chapter].id);
  const KnownChapter* own = known.chapter(replica.directory().chapter());
  if (goes == nullptr || own == nullptr) return std::nullopt;
  ChapterCertificate certificate = goes->certificate;
  certificate.above = own->certificate.above;
  certificate.above.push_back(own->certificate.chapter);
  certificate.level = std::max<std::uint8_t>(certificate.level,
                                             static_cast<std::uint8_t>(own->certificate.level + 1));
  const Statement statement{own->certificate.chapter, known.next_number(certificate.chapter),
                            certificate};
  const SigningKey& authority =
      world.authority_of(world.chapters[static_cast<std::size_t>(below)], replica);
  return Offer{parent, sign_statement(world.federation, statement, authority)};
}

// As 'move approve', where what comes of it is tried first.
void approve(World& world, Replica& replica, SimNode& by, std::size_t chapter, const Offer& offer) {
  if (!is_up_to_date(world, by, chapter, replica)) return;
  const SimChapter& goes = world.chapters[chapter];
  const SimChapter& above = world.chapter_of(by);
  const Authority& authority = replica.directory().authority();
  const Move body{offer.certificate, authority.keys_of(goes.id), offer.parent->id(), {}};
  const Bytes bytes =
      sign_statement(world.federation, Statement{above.id, authority.next_number(goes.id), body},
                     world.authority_of(above, replica));
  Authority rehearsal = authority;
  const auto applied = rehearsal.apply(bytes);
  const KnownMove* now = applied ? rehearsal.move_of(goes.id) : nullptr;
  if (now == nullptr || now->body.certificate != offer.certificate) return;
  if (!replica.write_statement(bytes)) return;
  world.tell("chapter " + goes.code + " goes below " + world.chapter_of(*offer.parent).code +
             ", says " + above.code);
  world.places.begin(
      {static_cast<int>(chapter), offer.parent->chapter, above.id, statement_id(bytes), {}, false});
}

bool is_on(const std::vector<int>& line, int chapter) {
  return std::ranges::find(line, chapter) != line.end();
}

void move_chapter(World& world, const Event& event) {
  SeededRandom random(event.salt);
  const std::size_t chapter = random.below(world.chapters.size());
  const auto below = static_cast<int>(random.below(world.chapters.size()));
  const int before = world.chapters[chapter].parent;
  const std::vector<int> there = world.places.line(below);
  const bool is_far = before >= 0 && below != before && !is_on(there, static_cast<int>(chapter));
  if (!is_far || world.places.moves().size() >= Places::most_moves) return;
  std::vector<int> above;  // both, or the new parent itself
  for (const int each : world.places.line(before))
    if (is_on(there, each)) above.push_back(each);
  SimNode* by = door_of(world, above[random.below(above.size())]);
  const auto offered = offer(world, chapter, below);
  if (by == nullptr || !offered) return;
  Job job;
  job.stage = [&world, by, chapter, offered](Replica& replica) {
    if (world.places.moves().size() < Places::most_moves)
      approve(world, replica, *by, chapter, *offered);
  };
  job.finish = [](const std::optional<std::string>&) {};
  by->process->post(std::move(job));
}

}  // namespace

void World::follow_moves(Process& process) {
  const Authority& authority = process.replica().directory().authority();
  SimNode& each = process.node();
  each.home = authority.path_of(process.replica().directory().chapter());
  bool has_learned = false;
  for (Moving& move : places.moves()) {
    if (move.known_by.contains(each.machine)) continue;
    const std::vector<StatementId> known = authority.statements_of(move.issuer);
    if (std::ranges::find(known, move.statement) == known.end()) continue;
    if (move.known_by.empty()) ++figures.moves;
    move.known_by.insert(each.machine);
    has_learned = true;
  }
  if (has_learned) settle_moves();
}

// One that nobody knows any more has not happened.
void World::settle_moves() {
  for (Moving& move : places.moves())
    move.holds = std::ranges::any_of(move.known_by, [&](int each) { return node(each).counts(); });
  places.settle();
}

const std::vector<EventKind>& move_events() {
  static const std::vector<EventKind> all = {{"move_chapter", "move", 1, move_chapter}};
  return all;
}

}  // namespace chapterd::sim
