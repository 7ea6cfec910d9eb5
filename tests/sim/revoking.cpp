// Keys that are taken away.
#include "tests/sim/world.h"

namespace chapterd::sim {
namespace {

using testing::SeededRandom;

// The chapter above, or its own, revokes a machine at what it holds of it.
void revoke(World& world, const Event& event) {
  SeededRandom random(event.salt);
  SimNode& node = *world.nodes[random.below(world.nodes.size())];
  SimChapter& home = world.chapter_of(node);
  if (!node.counts() || home.machines.size() < 2 || node.machine != home.machines.back()) return;
  if (world.may_have_forked(node)) return;
  const int issuer = home.parent >= 0 && random.below(2) == 0 ? home.parent : node.chapter;
  SimChapter& above = world.chapters[static_cast<std::size_t>(issuer)];
  SimNode& by = world.node(above.machines.front());
  if (!world.is_listening(by.machine)) return;
  // An interrupted attempt may have come through all the same: nobody else begins one.
  if (node.revoker >= 0 && node.revoker != by.machine) return;
  Job job;
  const bool own = issuer == node.chapter;
  job.stage = [&world, &above, &home, &node, &by, own, key = node.id()](Replica& replica) {
    by.has_written_revocation = false;
    const Authority& authority = replica.directory().authority();
    // After a move the chapter above may not know yet that it stands there.
    const bool may = own || is_above(above.id, authority.path_of(home.id));
    if (!may || node.is_revoked || authority.is_revoked(key)) return;
    node.revoker = by.machine;
    world.ledger.cut_by_own_chapter.erase(node.machine);
    if (own) world.ledger.cut_by_own_chapter.insert(node.machine);
    // An earlier attempt may not have come through; a feed that is not listed is cut at 0.
    std::erase_if(world.ledger.cuts, [&](const auto& cut) {
      const auto truth = world.ledger.feeds.find(cut.first);
      return truth != world.ledger.feeds.end() && truth->second.author == node.machine;
    });
    Revoke body{key, {}, "stolen"};
    for (const KnownFeed& feed : replica.directory().feeds()) {
      if (feed.intro.node != key) continue;
      body.cuts.push_back(feed.head);
      world.ledger.cuts[feed.head.feed] = feed.head.seq;
    }
    const Statement statement{above.id, 1, body};
    by.has_written_revocation =
        replica
            .write_statement(
                sign_statement(world.federation, statement, world.authority_of(above, replica)))
            .has_value();
  };
  job.finish = [&world, &by, &node](const std::optional<std::string>& error) {
    if (error || !by.has_written_revocation) return;
    node.is_revoked = true;
    world.ledger.knows_revoked.insert({by.machine, node.machine});
  };
  by.process->post(std::move(job));
}

}  // namespace

const std::vector<EventKind>& revoking_events() {
  static const std::vector<EventKind> all = {{"revoke", "revoke", 2, revoke}};
  return all;
}

}  // namespace chapterd::sim
