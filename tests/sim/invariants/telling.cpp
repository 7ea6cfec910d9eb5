// I25: whoever's disk was put back or copied, and found out, says so until what others hold of its
// work is back; and says that it waits until it has met somebody who may give it back.
#include "tests/sim/invariants/invariants.h"

#include <algorithm>
#include <optional>
#include <string>

namespace chapterd::sim {
namespace {

bool says(SimNode& node, const char* name) {
  return !node.process->store().values(name).empty();
}

bool has_copy(const World& world, int machine) {
  return std::ranges::any_of(world.nodes,
                             [&](const auto& each) { return each->copy_of == machine; });
}

// What a witness held when the disk was put back, and holds still, so that it gives it back before
// both agree. Nothing when the disk of that one is another since.
std::vector<Head> still_held(World& world, const PutBack& put, int machine) {
  const auto said = put.witnesses.find(machine);
  if (said == put.witnesses.end() || !world.node(machine).counts() || has_copy(world, machine) ||
      world.node(machine).life != said->second.first)
    return {};
  return said->second.second;
}

bool holds_now(World& world, int machine, const Head& head) {
  return holds(world.ledger.promised[static_cast<std::size_t>(machine)],
               world.ledger.feeds[head.feed], head.seq, head.hash, head.feed);
}

// An entry of its own that all whom it calls have for it: by agreeing with any of them it gets it.
std::optional<Head> owed_to(World& world, SimNode& node, const PutBack& put) {
  std::vector<int> called;
  for (const auto& each : world.nodes)
    if (node.process->calls(each->machine)) called.push_back(each->machine);
  // After a move it calls others than those with whom it agreed.
  if (called.empty() || world.chapter_of(node).parent < 0 || has_copy(world, node.machine) ||
      world.places.has_moves())
    return std::nullopt;
  for (const int machine : called)
    if (still_held(world, put, machine).empty()) return std::nullopt;
  for (const Head& head : still_held(world, put, called.front())) {
    const bool is_at_all =
        std::ranges::all_of(called, [&](int machine) { return holds_now(world, machine, head); });
    if (is_at_all && !holds_now(world, node.machine, head)) return head;
  }
  return std::nullopt;
}

}  // namespace

void check_told(World& world, SimNode& node) {
  if (!node.counts()) return;
  const std::string who = "machine " + std::to_string(node.machine);
  if (node.has_come_back && !node.has_met) {
    world.require(says(node, stored_name::restored), "I25",
                  who + " knows that its disk was put back and does not say so");
    // Of the global node a person may have said that it goes on.
    const bool waits = says(node, stored_name::waits) || world.chapter_of(node).parent < 0;
    world.require(waits, "I25",
                  who +
                      " has met nobody since its disk was put back, and does not "
                      "say that it waits");
  }
  const auto put = world.ledger.put_back.find(node.machine);
  if (put == world.ledger.put_back.end()) return;
  world.require(node.has_come_back || !put->second.is_noticed, "I25",
                who + " could know that its disk was put back, and goes on");
  if (!node.has_come_back) return;
  const auto owed = owed_to(world, node, put->second);
  world.require(!owed || says(node, stored_name::restored), "I25", [&] {
    return who + " does not say any more that its disk was put back, and lacks entry " +
           std::to_string(owed->seq.value) + " of its own feed " +
           to_hex(owed->feed.view()).substr(0, 8);
  });
}

}  // namespace chapterd::sim
