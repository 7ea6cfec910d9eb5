// How far an order without the chapter's signature reaches, when somebody who has a stolen key
// writes what no honest program would.
#include "tests/support/erasing.h"
#include "tests/support/tree.h"

#include <gtest/gtest.h>

namespace chapterd {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): the nodes and their words

struct StolenKey : Pair {
  std::unique_ptr<TestNode> office = TestNode::beside(*global);

  static EraseOrder an_order(std::vector<Head> entries) {
    return {record_named("insight"), "insight", EraseReason::request, std::move(entries), {}, {}};
  }
};

// The hash is that of another machine's entry, the place one that the thief may erase.
TEST_F(StolenKey, ErasesNothingThatItNamesInAFalsePlace) {
  const Written words = kenya->write_text(all, "insight", "title", "of the office in Nairobi");
  auto laptop = TestNode::beside(*kenya);
  Wire(*laptop, *kenya).run();
  const Written own = laptop->write_text(all, "other", "title", "of the laptop");
  Wire(*laptop, *kenya).run();
  Wire(*kenya, *global).run();
  const Head place{place_of(*laptop, own).feed, own.seq, words.hash};
  send_forced_order(*laptop, *global, place.feed, an_order({place}));
  auto newcomer = TestNode::below(*global, "TZ");
  Wire(*newcomer, *global).run();
  EXPECT_EQ(title(*newcomer), Values{"of the office in Nairobi"});
  ASSERT_TRUE(global->replica->rebuild());
  EXPECT_EQ(title(*global), Values{"of the office in Nairobi"});
  EXPECT_EQ(newcomer->view_hash(), global->view_hash());
}

TEST_F(StolenKey, ErasesNothingOfTheHistoryBesideItsOwn) {
  kenya->write_text(all, "other", "title", "what both have");
  Wire(*kenya, *global).run();
  Wire(*office, *global).run();
  auto copy = TestNode::copy_of(*kenya);
  const Written words = kenya->write_text(all, "insight", "title", "of Kenya alone");
  Wire(*kenya, *global).run();
  for (int i = 0; i < 10; ++i) copy->write_text(all, "other", "title", std::to_string(i));
  Wire(*copy, *office).run();
  const FeedId feed = place_of(*kenya, words).feed;
  send_forced_order(*copy, *office, feed, an_order({place_of(*kenya, words)}));
  for (int i = 0; i < 3; ++i) Wire(*office, *global).run();
  ASSERT_EQ(global->replica->directory().branches(feed).size(), 2U);
  for (TestNode* node : {global.get(), office.get()})
    EXPECT_EQ(title(*node), Values{"of Kenya alone"});
}

}  // namespace
}  // namespace chapterd
