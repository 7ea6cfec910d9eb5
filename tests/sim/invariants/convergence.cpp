// I15: once the faults stop, all who may hold a feed hold the same of it. I2: and all that was
// saved is among it.
#include "tests/sim/invariants/invariants.h"

#include <algorithm>
#include <functional>
#include <set>
#include <string>

namespace chapterd::sim {
namespace {

std::string name_of_machine(World& world, const SimNode& node) {
  return "machine " + std::to_string(node.machine) + " of " + world.chapter_of(node).code;
}

Head head_at(SimNode& node, const FeedId& id) {
  const Directory& directory = node.process->replica().directory();
  Head newest{id, {}, {}};
  for (const FeedRow row : directory.branches(id))
    if (const Head& head = directory.feed(row).head; head.seq > newest.seq) newest = head;
  return newest;
}

// Of all branches, whichever came first: what stands. What a list of tips set aside is not passed
// on until somebody lists it.
std::set<EntryHash> tips_at(SimNode& node, const FeedId& id) {
  const Directory& directory = node.process->replica().directory();
  std::set<EntryHash> tips;
  for (const FeedRow row : directory.branches(id)) {
    const KnownFeed& branch = directory.feed(row);
    const Head head = Directory::standing_head(branch);
    // Cut where another branch leaves it, it is part of that one.
    const bool goes_on = std::ranges::any_of(directory.branches(id), [&](FeedRow other) {
      const KnownFeed& leaving = directory.feed(other);
      return leaving.trunk == row && leaving.fork.seq >= head.seq;
    });
    if (head.seq > branch.fork.seq && !goes_on) tips.insert(head.hash);
  }
  return tips;
}

// A revoked author is not listened to any more: the others agree among themselves, on what stands.
bool has_what_stands(World& world, SimNode& node, const FeedId& id, const FeedTruth& truth) {
  const std::uint64_t stands = world.standing(id, truth);
  return stands != UINT64_MAX && head_at(node, id).seq.value >= stands;
}

using Machines = std::vector<SimNode*>;

// Takes one machine out of `left`, and all that one call or several lead to from there.
Machines take_connected(Machines& left) {
  Machines group{left.back()};
  left.pop_back();
  for (std::size_t i = 0; i < group.size(); ++i) {
    const auto meets = [&](const SimNode* other) {
      return group[i]->process->calls(other->machine) || other->process->calls(group[i]->machine);
    };
    const auto found = std::stable_partition(left.begin(), left.end(), std::not_fn(meets));
    group.insert(group.end(), found, left.end());
    left.erase(found, left.end());
  }
  return group;
}

// Who may hold a feed and is heard. Of one from before a move only those agree who meet: nobody
// calls the way of before any more, and a person decides what becomes of the drafts.
std::vector<Machines> holders_of(World& world, const FeedTruth& truth) {
  Machines holders;
  for (const auto& each : world.nodes)
    if (each->counts() && world.places.may_hold(each->chapter, truth.intro))
      holders.push_back(each.get());
  if (world.places.is_current(truth.intro)) return {holders};
  std::vector<Machines> groups;
  while (!holders.empty()) groups.push_back(take_connected(holders));
  return groups;
}

// All of these hold the same histories of a feed.
std::string find_lack(World& world,
                      const FeedId& id,
                      const FeedTruth& truth,
                      const Machines& holders) {
  Head newest{id, {}, {}};
  std::set<EntryHash> all;
  for (SimNode* each : holders) {
    if (const Head head = head_at(*each, id); head.seq > newest.seq) newest = head;
    all.merge(tips_at(*each, id));
  }
  for (SimNode* each : holders) {
    if (tips_at(*each, id) == all || has_what_stands(world, *each, id, truth)) continue;
    return name_of_machine(world, *each) + " holds " + std::to_string(tips_at(*each, id).size()) +
           " of " + std::to_string(all.size()) + " tips, " +
           std::to_string(head_at(*each, id).seq.value) + " of " +
           std::to_string(std::min(newest.seq.value, world.standing(id, truth))) +
           " entries for audience " + std::string(name_of(truth.intro.audience)) + " of machine " +
           std::to_string(truth.author);
  }
  return {};
}

// What a rogue made one node hold reaches all, as it is, also what nobody understands (I24).
std::string find_lack_of_rogues(World& world) {
  for (const auto& holder : world.nodes) {
    if (!holder->counts()) continue;
    for (const KnownFeed& feed : holder->process->replica().directory().feeds()) {
      if (world.ledger.feeds.contains(feed.head.feed)) continue;
      const auto tips = tips_at(*holder, feed.head.feed);
      for (const auto& each : world.nodes)
        if (each->counts() && tips_at(*each, feed.head.feed) != tips)
          return name_of_machine(world, *each) + " holds another part of a rogue's feed than " +
                 name_of_machine(world, *holder);
    }
  }
  return {};
}

std::string find_doubt(World& world, SimNode& node) {
  for (const auto& link : node.process->links()) {
    if (link->session() == nullptr || !world.is_machine(link->options().peer_machine)) continue;
    if (!world.node(link->options().peer_machine).counts()) continue;
    if (link->session()->state() == SessionState::open && !link->session()->caught_up())
      return "a link of " + name_of_machine(world, node) + " to machine " +
             std::to_string(link->options().peer_machine) + " does not say that both agree";
  }
  return {};
}

}  // namespace

std::string find_difference(World& world) {
  for (const auto& each : world.nodes)
    if (!each->is_gone && !world.is_listening(each->machine))
      return name_of_machine(world, *each) + " does not run";
  for (const auto& [id, truth] : world.ledger.feeds) {
    if (truth.author < 0) continue;
    for (const Machines& holders : holders_of(world, truth))
      if (auto lack = find_lack(world, id, truth, holders); !lack.empty()) return lack;
  }
  if (auto lack = find_lack_of_rogues(world); !lack.empty()) return lack;
  if (auto open = find_open_fork(world); !open.empty()) return open;
  for (const auto& each : world.nodes) {
    if (!each->counts()) continue;
    if (auto doubt = find_doubt(world, *each); !doubt.empty()) return doubt;
  }
  return {};
}

// At its author, or where that one is lost, at whoever may hold it: they all hold the same by now.
void check_saved(World& world) {
  for (const Saved& saved : world.ledger.saved) {
    const auto truth = world.ledger.feeds.find(saved.feed);
    const std::string what = "a change that was saved is nowhere (machine " +
                             std::to_string(saved.machine) + ", entry " +
                             std::to_string(saved.seq.value) + ")";
    world.require(truth != world.ledger.feeds.end() && truth->second.wrote(saved.seq, saved.hash),
                  "I2", what);
    if (world.node(saved.machine).is_revoked) continue;
    world.require(world.is_held(saved), "I2", what);
  }
}

}  // namespace chapterd::sim
