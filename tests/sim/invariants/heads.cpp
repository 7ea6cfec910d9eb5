// Of each feed that a transaction moved: I3 and I4 (it is what its author wrote, once), I11 (its
// holder may hold it), I12 (its author is who it says).
#include "tests/sim/invariants/invariants.h"

#include <string>

namespace chapterd::sim {

void check_head(World& world, SimNode& node, const KnownFeed& feed, HeadIs what) {
  const std::string where = " (machine " + std::to_string(node.machine) + ", audience " +
                            std::string(name_of(feed.intro.audience)) + ", entry " +
                            std::to_string(feed.head.seq.value) + ")";
  const bool may = world.has_met && what == HeadIs::new_here
                       ? world.places.may_hold(node.chapter, feed.intro)
                       : world.places.may_ever_hold(node.chapter, feed.intro);
  world.require(may, "I11", "a feed is stored where it may not be held" + where);
  const auto truth = world.ledger.feeds.find(feed.head.feed);
  if (truth == world.ledger.feeds.end() || truth->second.author < 0) return;
  const auto& places = truth->second.places;
  world.require(feed.head.seq.value <= places.size(), "I3",
                "an entry is held that its author never wrote" + where);
  world.require(truth->second.wrote(feed.head.seq, feed.head.hash), "I4",
                "two entries of one feed have one sequence" + where);
  world.require(
      world.chapters[static_cast<std::size_t>(world.node(truth->second.author).chapter)].id ==
          feed.intro.home.chapter,
      "I12", "a feed of another chapter than its author's" + where);
}

}  // namespace chapterd::sim
