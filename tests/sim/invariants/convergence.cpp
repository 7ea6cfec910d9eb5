// I15: once the faults stop, all who may hold a feed hold the same of it. I2: and all that was
// saved is among it.
#include "tests/sim/invariants/invariants.h"

#include <algorithm>
#include <string>

namespace chapterd::sim {
namespace {

std::string name_of_machine(World& world, const SimNode& node) {
  return "machine " + std::to_string(node.machine) + " of " + world.chapter_of(node).code;
}

Head head_at(SimNode& node, const FeedId& id) {
  const KnownFeed* feed = node.process->replica().directory().feed(id);
  return feed == nullptr ? Head{id, {}, {}} : feed->head;
}

}  // namespace

std::string find_difference(World& world) {
  for (const auto& each : world.nodes)
    if (each->process == nullptr) return name_of_machine(world, *each) + " does not run";
  for (const auto& [id, truth] : world.ledger.feeds) {
    if (truth.author < 0 || world.node(truth.author).is_revoked) continue;
    const Head newest = head_at(world.node(truth.author), id);
    for (const auto& each : world.nodes) {
      if (each->is_revoked || !world.may_hold(each->chapter, truth.intro)) continue;
      const Head held = head_at(*each, id);
      if (held == newest) continue;
      return name_of_machine(world, *each) + " holds " + std::to_string(held.seq.value) + " of " +
             std::to_string(newest.seq.value) + " entries for audience " +
             std::string(name_of(truth.intro.audience)) + " of machine " +
             std::to_string(truth.author);
    }
  }
  const bool any_revoked =
      std::any_of(world.nodes.begin(), world.nodes.end(), [](const auto& n) { return n->is_revoked; });
  if (any_revoked && world.works_round(Known::digests_pass_the_cut)) return {};
  for (const auto& each : world.nodes) {
    for (const auto& link : each->process->links()) {
      if (link->session() == nullptr) continue;
      if (link->session()->state() == SessionState::open && !link->session()->caught_up())
        return "a link of " + name_of_machine(world, *each) + " to machine " +
               std::to_string(link->options().peer_machine) + " does not say that both agree";
    }
  }
  return {};
}

void check_saved(World& world) {
  for (const Saved& saved : world.ledger.saved) {
    const auto truth = world.ledger.feeds.find(saved.feed);
    const bool there = truth != world.ledger.feeds.end() &&
                       saved.seq.value <= truth->second.hashes.size() &&
                       truth->second.hashes[saved.seq.value - 1] == saved.hash;
    world.require(there, "I2",
                  "a change that was saved is nowhere (machine " + std::to_string(saved.machine) +
                      ", entry " + std::to_string(saved.seq.value) + ")");
  }
}

}  // namespace chapterd::sim
