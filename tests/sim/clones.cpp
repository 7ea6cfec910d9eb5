// Copies of a machine's disk that run on another machine with the same key, for a while.
#include "tests/sim/world.h"

namespace chapterd::sim {
namespace {

using testing::SeededRandom;

constexpr std::size_t most_machines = 16;

// Who stands above nobody is called by others; a copy of it calls one of those.
std::vector<int> called_by_copy(World& world, const SimNode& node, SeededRandom& random) {
  if (!node.peers.empty()) return node.peers;
  std::vector<int> callers;
  for (const auto& each : world.nodes)
    for (const int peer : each->peers)
      if (peer == node.machine && each->counts()) callers.push_back(each->machine);
  if (callers.empty()) return {};
  return {callers[random.below(callers.size())]};
}

// Both go on with what they share; then somebody finds the copy and stops it for good.
void copy_machine(World& world, const Event& event) {
  SeededRandom random(event.salt);
  SimNode& node = *world.nodes[random.below(world.nodes.size())];
  const bool may = node.counts() && node.copy_of < 0 && world.nodes.size() < most_machines;
  if (!may || !world.is_listening(node.machine)) return;
  const Directory& directory = node.process->replica().directory();
  Ledger& ledger = world.ledger;
  ledger.may_fork.insert({node.id(), directory.incarnation()});
  ledger.doubtful.insert(directory.epoch());
  node.may_come_back = true;
  SimNode& copy = world.make_machine(node.chapter);
  copy.key = std::make_unique<SigningKey>(SigningKey::from_seed(node.key->seed()));
  copy.copy_of = node.machine;
  copy.may_come_back = true;
  copy.incarnation = node.incarnation;
  copy.token = node.token;
  copy.peers = called_by_copy(world, node, random);
  copy.disk->put_back(*node.disk, {});
  ledger.promised[static_cast<std::size_t>(copy.machine)] =
      ledger.promised[static_cast<std::size_t>(node.machine)];
  for (const int revoked : world.revoked_known(node.machine))
    ledger.knows_revoked.insert({copy.machine, revoked});
  std::set<std::pair<int, FeedId>> refused;  // what it lacks, the copy lacks
  for (const auto& [machine, feed] : ledger.refused)
    if (machine == node.machine) refused.insert({copy.machine, feed});
  ledger.refused.merge(refused);
  world.tell("machine " + std::to_string(copy.machine) + " is a copy of machine " +
             std::to_string(node.machine));
  ++world.figures.clones;
  copy.start();
  for (SimNode* each : {&node, &copy}) {
    world.agenda.after_ms(static_cast<std::int64_t>(random.below(20'000)),
                          [&world, each, salt = random.next()] { write_some(world, *each, salt); });
  }
  world.agenda.after_ms(static_cast<std::int64_t>(20'000 + random.below(200'000)), [&world, &copy] {
    if (copy.is_gone) return;
    copy.retire();
    world.strike_lost();
  });
}

}  // namespace

const std::vector<EventKind>& clone_events() {
  static const std::vector<EventKind> all = {{"copy_machine", "clone", 1, copy_machine}};
  return all;
}

}  // namespace chapterd::sim
