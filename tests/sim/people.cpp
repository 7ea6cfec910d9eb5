// What people do at their nodes: write, edit, clear, tag, do so at two nodes at once.
#include "replication/format/cbor.h"
#include "replication/merge.h"
#include "tests/sim/world.h"

#include <memory>
#include <optional>

namespace chapterd::sim {
namespace {

using testing::SeededRandom;

constexpr std::size_t records_a_chapter = 6;
constexpr const char* kinds[] = {"insight", "member"};

RecordId record_of(const SimChapter& chapter, std::size_t number) {
  RecordId id;
  const Digest digest = Hasher("sim/record").add(chapter.id).u64(number).finish();
  std::copy_n(digest.bytes.begin(), RecordId::size, id.bytes.begin());
  return id;
}

// The names of the values that a field shows in the layer that is written to.
std::vector<ValueName> seen(Replica& replica,
                            const Address& to,
                            const Change& change,
                            const std::string& field) {
  std::vector<ValueName> names;
  for (const HeldLayer& held : replica.layers_of(change.record)) {
    if (held.space.audience != to.audience || held.space.target != to.target) continue;
    const auto state = decode_layer(held.layer.state);
    if (!state) continue;
    for (const LayerField& each : state->fields) {
      if (each.field != field) continue;
      for (const FieldValue& value : each.values) names.push_back(value.name);
    }
  }
  return names;
}

struct Wish {
  Address to;
  Change change;
  bool blind = false;  // supersedes nothing, as somebody who has not seen the record yet
};

std::string text_for(const SimChapter& home, const Address& to, SeededRandom& random) {
  const std::string number = std::to_string(random.next());
  if (to.audience == Audience::chapter) return canary_prefix + home.code + ":" + number;
  if (random.below(20) == 0) return number + std::string(1 + random.below(6000), 'x');
  return "open " + number;
}

Wish draw_wish(World& world, SimNode& node, SeededRandom& random) {
  static constexpr Audience audiences[] = {Audience::chapter, Audience::up,  Audience::up,
                                           Audience::down,    Audience::all, Audience::to};
  Wish wish;
  wish.to.audience = audiences[random.below(std::size(audiences))];
  if (wish.to.audience == Audience::to)
    wish.to.target = world.chapters[random.below(world.chapters.size())].id;
  const std::size_t number = random.below(records_a_chapter);
  wish.change.record = record_of(world.chapter_of(node), number);
  wish.change.kind = kinds[number % 2];
  wish.blind = random.below(6) == 0;
  const std::size_t operations = 1 + random.below(3);
  for (std::size_t i = 0; i < operations; ++i) {
    Operation operation;
    const std::size_t what = random.below(8);
    operation.field = what < 5 ? "field" + std::to_string(random.below(3)) : "tags";
    operation.action = what < 4    ? Action::set
                       : what == 4 ? Action::clear
                       : what < 7  ? Action::add
                                   : Action::remove;
    const bool tag = operation.field == "tags";
    if (operation.action != Action::clear) {
      CborWriter value;
      operation.value = value
                            .text(tag ? "tag" + std::to_string(random.below(4))
                                      : text_for(world.chapter_of(node), wish.to, random))
                            .take();
    }
    wish.change.operations.push_back(std::move(operation));
  }
  return wish;
}

// Asks a node to save a change; what it answers goes into the ledger.
void ask(World& world, SimNode& node, Wish&& wish) {
  ++world.ledger.asked;
  if (node.process == nullptr || !node.process->has_started()) {
    ++world.ledger.answered_refused;
    return;
  }

  struct Outcome {
    std::optional<Written> written;
    FeedId feed;
    bool answered = false;
    Ledger* ledger = nullptr;

    ~Outcome() {
      if (!answered) ++ledger->unanswered;
    }
  };

  const auto outcome = std::make_shared<Outcome>();
  outcome->ledger = &world.ledger;
  const auto kept = std::make_shared<Wish>(std::move(wish));
  Job job;
  job.stage = [&world, outcome, kept](Replica& replica) {
    Change change = kept->change;
    for (Operation& operation : change.operations) {
      if (operation.action == Action::add || kept->blind) continue;
      operation.supersedes = seen(replica, kept->to, change, operation.field);
    }
    Address to = kept->to;
    if (world.control == Control::leaks_chapter && to.audience == Audience::chapter)
      to.audience = Audience::all;
    const auto written = replica.write(to, change);
    if (!written) return;
    outcome->written = *written;
    outcome->feed = replica.directory().feed(written->feed).head.feed;
  };
  job.finish = [&world, &node, outcome](const std::optional<std::string>& error) {
    outcome->answered = true;
    const bool refused = error.has_value() && world.control != Control::silent_refusal;
    if (refused || !outcome->written) {
      ++world.ledger.answered_refused;
      return;
    }
    ++world.ledger.answered_saved;
    world.ledger.saved.push_back({node.machine, node.life, outcome->feed, outcome->written->seq,
                                  outcome->written->hash, outcome->written->arrival});
  };
  node.process->post(std::move(job));
}

SimNode& some_node(World& world, SeededRandom& random) {
  return *world.nodes[random.below(world.nodes.size())];
}

void write(World& world, const Event& event) {
  SeededRandom random(event.salt);
  SimNode& node = some_node(world, random);
  ask(world, node, draw_wish(world, node, random));
}

// Many changes in one group, so that runs end and windows fill.
void write_many(World& world, const Event& event) {
  SeededRandom random(event.salt);
  SimNode& node = some_node(world, random);
  const std::size_t count = 5 + random.below(60);
  for (std::size_t i = 0; i < count; ++i) ask(world, node, draw_wish(world, node, random));
}

// The same field of one record at every machine of a chapter, none of which has seen the other.
void write_at_once(World& world, const Event& event) {
  SeededRandom random(event.salt);
  SimNode& node = some_node(world, random);
  const Wish wish = draw_wish(world, node, random);
  for (const int machine : world.chapter_of(node).machines) {
    Wish own = wish;
    CborWriter value;
    own.change.operations.front().field = "field0";
    own.change.operations.front().action = Action::set;
    own.change.operations.front().value =
        value.text("by " + std::to_string(machine) + " " + std::to_string(random.next())).take();
    ask(world, world.node(machine), std::move(own));
  }
}

}  // namespace

void write_some(World& world, SimNode& node, std::uint64_t salt) {
  SeededRandom random(salt);
  const std::size_t count = 1 + random.below(6);
  for (std::size_t i = 0; i < count; ++i) ask(world, node, draw_wish(world, node, random));
}

const std::vector<EventKind>& people_events() {
  static const std::vector<EventKind> all = {
      {"write", nullptr, 12, write},
      {"write_many", nullptr, 1, write_many},
      {"write_at_once", nullptr, 3, write_at_once},
  };
  return all;
}

}  // namespace chapterd::sim
