// I15: once the faults stop, all who may hold a feed hold the same of it. I2: and all that was
// saved is among it.
#include "tests/sim/invariants/invariants.h"

#include <algorithm>
#include <set>
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

// What a node lacks of what stands of a feed; empty when nothing.
std::string find_lack(World& world, SimNode& node, const FeedId& id, const FeedTruth& truth) {
  // A revoked author is not listened to any more: then the others must agree among themselves.
  const bool revoked = world.node(truth.author).is_revoked;
  Head newest = revoked ? Head{id, {}, {}} : head_at(world.node(truth.author), id);
  for (const auto& other : world.nodes) {
    if (!revoked || other->is_revoked) continue;
    const Head theirs = head_at(*other, id);
    if (theirs.seq > newest.seq) newest = theirs;
  }
  const Head held = head_at(node, id);
  const std::uint64_t stands = world.standing(id, truth);
  if (held == newest || (stands != UINT64_MAX && held.seq.value >= stands)) return {};
  return name_of_machine(world, node) + " holds " + std::to_string(held.seq.value) + " of " +
         std::to_string(std::min(newest.seq.value, stands)) + " entries for audience " +
         std::string(name_of(truth.intro.audience)) + " of machine " + std::to_string(truth.author);
}

// Of all branches, whichever came first.
std::set<EntryHash> tips_at(SimNode& node, const FeedId& id) {
  const Directory& directory = node.process->replica().directory();
  std::set<EntryHash> tips;
  for (const FeedRow row : directory.branches(id)) tips.insert(directory.feed(row).head.hash);
  return tips;
}

// What a rogue made one node hold reaches all, as it is, also what nobody understands (I24).
std::string find_lack_of_rogues(World& world) {
  for (const auto& holder : world.nodes) {
    if (holder->is_revoked) continue;
    for (const KnownFeed& feed : holder->process->replica().directory().feeds()) {
      if (world.ledger.feeds.contains(feed.head.feed)) continue;
      const auto tips = tips_at(*holder, feed.head.feed);
      for (const auto& each : world.nodes)
        if (!each->is_revoked && tips_at(*each, feed.head.feed) != tips)
          return name_of_machine(world, *each) + " holds another part of a rogue's feed than " +
                 name_of_machine(world, *holder);
    }
  }
  return {};
}

std::string find_doubt(World& world, SimNode& node) {
  for (const auto& link : node.process->links()) {
    if (link->session() == nullptr || !world.is_machine(link->options().peer_machine)) continue;
    if (world.node(link->options().peer_machine).is_revoked) continue;
    if (link->session()->state() == SessionState::open && !link->session()->caught_up())
      return "a link of " + name_of_machine(world, node) + " to machine " +
             std::to_string(link->options().peer_machine) + " does not say that both agree";
  }
  return {};
}

}  // namespace

std::string find_difference(World& world) {
  for (const auto& each : world.nodes)
    if (!world.is_listening(each->machine)) return name_of_machine(world, *each) + " does not run";
  for (const auto& [id, truth] : world.ledger.feeds) {
    if (truth.author < 0) continue;
    for (const auto& each : world.nodes) {
      if (each->is_revoked || !world.may_hold(each->chapter, truth.intro)) continue;
      if (auto lack = find_lack(world, *each, id, truth); !lack.empty()) return lack;
    }
  }
  if (auto lack = find_lack_of_rogues(world); !lack.empty()) return lack;
  for (const auto& each : world.nodes) {
    if (each->is_revoked) continue;
    if (auto doubt = find_doubt(world, *each); !doubt.empty()) return doubt;
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
