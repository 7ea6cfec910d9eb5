// Who joins in the middle of it all: a new chapter by an invite, a further machine of a chapter.
#include "tests/sim/world.h"

#include <memory>
#include <optional>
#include <utility>

namespace chapterd::sim {
namespace {

using testing::SeededRandom;

constexpr std::size_t most_machines = 13;

SimChapter& some_chapter(World& world, SeededRandom& random) {
  return world.chapters[random.below(world.chapters.size())];
}

// Somebody with an invite, and somebody else who found it too.
struct Joining {
  SimNode* door = nullptr;
  std::size_t invite_number = 0;  // in the ledger
  std::optional<Invite> invite;
  SimChapter chapter;
  std::unique_ptr<SigningKey> key;
};

using JoiningPtr = std::shared_ptr<Joining>;

void note_admitted(World& world, const Joining& joining) {
  HandedInvite& handed = world.ledger.invites[joining.invite_number];
  handed.admitted.insert(joining.chapter.authority->public_key());
  world.require(handed.admitted.size() == 1, "I21",
                "machine " + std::to_string(joining.door->machine) +
                    " answered two keys that asked with one invite");
}

// What was answered counts once it is on the door's disk; else nobody has joined. Whoever cannot
// tell how often its disk was copied cannot tell who has used an invite.
void ask(World& world, const JoiningPtr& joining, void (*joined)(World&, Joining&)) {
  SimNode& door = *joining->door;
  if (!door.counts() || !world.is_listening(door.machine) || world.may_have_forked(door)) return;
  const auto chain = std::make_shared<std::optional<std::vector<Bytes>>>();
  Job job;
  job.stage = [&world, &door, joining, chain](Replica& replica) {
    world.ledger.invites[joining->invite_number].asked.insert(
        joining->chapter.authority->public_key());
    auto answer = world.join(replica, door, *joining->invite, joining->chapter, *joining->key);
    if (answer) *chain = std::move(*answer);
    if (!answer) world.tell("an invite is refused: " + answer.error().code);
  };
  job.finish = [&world, joining, chain, joined](const std::optional<std::string>& error) {
    if (error || !*chain) return;
    joining->chapter.chain = std::move(**chain);
    note_admitted(world, *joining);
    joined(world, *joining);
  };
  door.process->post(std::move(job));
}

void begin_chapter(World& world, Joining& joining) {
  if (world.nodes.size() >= most_machines) return;
  world.chapters.push_back(std::move(joining.chapter));
  SimNode& made = world.make_machine(static_cast<int>(world.chapters.size()) - 1);
  made.key = std::move(joining.key);
  made.peers.push_back(joining.door->machine);
  world.begin_machine(made);
}

// The same invite with other keys.
JoiningPtr rival_of(const Joining& joining, SeededRandom& random) {
  const auto rival = std::make_shared<Joining>();
  rival->door = joining.door;
  rival->chapter = joining.chapter;
  rival->chapter.authority = std::make_shared<SigningKey>(SigningKey::generate(random));
  rival->key = std::make_unique<SigningKey>(SigningKey::generate(random));
  return rival;
}

void ask_later(World& world,
               const JoiningPtr& joining,
               const JoiningPtr& rival,
               std::uint64_t salt) {
  SeededRandom random(salt);
  rival->invite = joining->invite;
  joining->invite_number = rival->invite_number = world.ledger.invites.size();
  world.ledger.invites.push_back({joining->door->machine, joining->chapter.id, {}, {}});
  const auto after = [&](std::size_t most_ms) {
    return static_cast<std::int64_t>(random.below(2) * random.below(most_ms));
  };
  const std::int64_t first = after(60'000);
  world.agenda.after_ms(first, [&world, joining] { ask(world, joining, begin_chapter); });
  for (std::size_t times = random.below(4); times > 0; --times) {
    world.agenda.after_ms(first + after(240'000),
                          [&world, rival] { ask(world, rival, [](World&, Joining&) {}); });
  }
}

void join_chapter(World& world, const Event& event) {
  SeededRandom random(event.salt);
  const int above = static_cast<int>(random.below(world.chapters.size()));
  const SimChapter& parent = world.chapters[static_cast<std::size_t>(above)];
  SimNode& door = world.node(parent.machines.front());
  if (world.nodes.size() >= most_machines || !door.counts() || !world.is_listening(door.machine))
    return;
  const auto joining = std::make_shared<Joining>();
  joining->door = &door;
  joining->chapter = world.new_chapter(above, parent.code + "-L" + std::to_string(event.number));
  joining->key = std::make_unique<SigningKey>(SigningKey::generate(random));
  const JoiningPtr rival = rival_of(*joining, random);
  Job job;
  job.stage = [&world, &door, joining](Replica& replica) {
    joining->invite = world.hand_out(replica, door, joining->chapter);
  };
  job.finish = [&world, joining, rival,
                salt = random.next()](const std::optional<std::string>& error) {
    if (!error) ask_later(world, joining, rival, salt);
  };
  door.process->post(std::move(job));
}

void join_machine(World& world, const Event& event) {
  SeededRandom random(event.salt);
  const SimChapter& chapter = some_chapter(world, random);
  if (world.nodes.size() >= most_machines || !world.node(chapter.machines.front()).counts()) return;
  world.add_machine(world.places.index_of(chapter.id));
}

}  // namespace

const std::vector<EventKind>& newcomer_events() {
  static const std::vector<EventKind> all = {
      {"join_chapter", "newcomer", 1, join_chapter},
      {"join_machine", "newcomer", 1, join_machine},
  };
  return all;
}

}  // namespace chapterd::sim
