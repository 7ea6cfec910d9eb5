// I5: whoever holds two histories of one feed says so, and can prove it.
#include "replication/forks.h"

#include "tests/sim/invariants/invariants.h"

#include <string>

namespace chapterd::sim {

// Its author goes on in another feed, which lists both; nothing is listed of statements.
bool must_close(World& world, const FeedId& id) {
  const auto truth = world.ledger.feeds.find(id);
  if (truth == world.ledger.feeds.end() || truth->second.author < 0) return false;
  // Of a feed from before a move its author cannot say any more what counts.
  if (!world.places.is_current(truth->second.intro)) return false;
  const SimNode& author = world.node(truth->second.author);
  return author.counts() && truth->second.intro.audience != Audience::auth;
}

std::string find_open_fork(World& world) {
  for (const auto& each : world.nodes) {
    if (!each->counts()) continue;
    for (const ForkedFeed& forked : forked_feeds(each->process->replica().directory()))
      if (!forked.closed && must_close(world, forked.id))
        return "machine " + std::to_string(each->machine) + " knows no end of forked feed " +
               to_hex(forked.id.view()).substr(0, 8) + " for audience " +
               std::string(name_of(forked.audience)) + " of machine " +
               std::to_string(world.ledger.feeds[forked.id].author);
  }
  return {};
}

void check_forks(World& world, SimNode& node) {
  const Directory& directory = node.process->replica().directory();
  std::map<FeedId, std::vector<FeedRow>> rows;
  for (const KnownFeed& feed : directory.feeds()) rows[feed.head.feed].push_back(feed.row);
  std::map<FeedId, ForkedFeed> said;
  for (ForkedFeed& each : forked_feeds(directory)) said.emplace(each.id, std::move(each));
  const std::string where = " (machine " + std::to_string(node.machine) + ")";
  for (const auto& [id, branches] : rows) {
    if (branches.size() == 1) continue;
    const auto told = said.find(id);
    world.require(told != said.end() && told->second.tips.size() == branches.size(), "I5",
                  "a second history is held and not told" + where);
    // A revoked holder is not told any more.
    world.require(told->second.closed || !node.counts() || !must_close(world, id), "I5",
                  "the author of a second history has not ended it" + where);
    ++world.figures.forks;
    const KnownFeed& branch = directory.feed(branches.back());
    // What a node wrote itself is signed only when it goes out.
    if (branch.intro.node == node.id()) continue;
    const auto proof = fork_proof(node.process->store(), directory, branch);
    world.require(proof && verify_fork(world.federation, branch.intro_bytes, *proof), "I5",
                  "a second history is told and not proved" + where);
  }
}

}  // namespace chapterd::sim
