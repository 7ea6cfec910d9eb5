// The seed of a run gives the salt of each of its entries, and with it a way to test guesses of
// what was erased: it is nowhere any more, whatever came first and from whom.
#include "tests/support/erasing.h"
#include "tests/support/tree.h"

#include <gtest/gtest.h>

namespace chapterd {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): the nodes and their words

// A machine of Kenya writes, another one erases, and the global node hears of both.
struct SpentSeeds : Pair {
  std::unique_ptr<TestNode> laptop = TestNode::beside(*kenya);

  void SetUp() override {
    Wire(*laptop, *kenya).run();
    Wire(*kenya, *global).run();
  }

  void write(const std::string& record) { laptop->write_text(all, record, "title", record); }

  void erase_words() {
    Wire(*laptop, *kenya).run();
    erase_texts(*kenya, all, "Wanjiku told us", "title");
  }

  [[nodiscard]] FeedId feed() const { return laptop->head(Audience::all).feed; }

  std::size_t seeds_at_global() {
    const KnownFeed& held = *global->replica->directory().feed(feed());
    std::size_t seeds = 0;
    for (const StoredPiece& stored : global->store->pieces_of(held.row, Sequence(1), SIZE_MAX))
      seeds += decode_piece(stored.body)->seed ? 1 : 0;
    return seeds;
  }

  void expect_none_once_the_order_is_here() {
    send_feed(*kenya, *global, kenya->head(Audience::all).feed);
    EXPECT_EQ(seeds_at_global(), 0U);
  }
};

TEST_F(SpentSeeds, AreNotKeptOfWhatComesBehindWordsThatWereErasedOnTheWay) {
  write("Wanjiku told us");
  erase_words();
  send_feed(*kenya, *global, feed());
  write("behind it");
  send_feed(*laptop, *global, feed());
  expect_none_once_the_order_is_here();
}

TEST_F(SpentSeeds, AreNotKeptOfWhatCameBeforeWordsThatWereErasedOnTheWay) {
  write("before it");
  write("before it too");
  send_feed(*laptop, *global, feed());
  ASSERT_GT(seeds_at_global(), 0U);
  write("Wanjiku told us");
  erase_words();
  send_feed(*kenya, *global, feed());
  expect_none_once_the_order_is_here();
}

}  // namespace
}  // namespace chapterd
