// I5: whoever holds two histories of one feed says so, and can prove it.
#include "replication/forks.h"

#include "tests/sim/invariants/invariants.h"

#include <string>

namespace chapterd::sim {

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
    const KnownFeed& branch = directory.feed(branches.back());
    const auto proof = fork_proof(node.process->store(), directory, branch);
    world.require(proof && verify_fork(world.federation, branch.intro_bytes, *proof), "I5",
                  "a second history is told and not proved" + where);
    ++world.figures.forks;
  }
}

}  // namespace chapterd::sim
