// Two nodes and the wire between them.
#include "replication/session.h"

#include "tests/support/tree.h"

#include <gtest/gtest.h>

namespace chapterd {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): the nodes and their words

TEST_F(Pair, WhatAChapterWritesReachesItsParentAndTheReceiptComesBack) {
  kenya->write_text(up, "insight", "title", "Cold chain");
  Wire wire(*kenya, *global);
  wire.run();
  EXPECT_EQ(wire.dialler().state(), SessionState::open);
  EXPECT_EQ(global->values(Audience::up, "insight", "title"), Values{"Cold chain"});
  EXPECT_TRUE(wire.dialler().caught_up());
  EXPECT_TRUE(wire.listener().caught_up());
  const auto* feed = kenya->directory->feed(kenya->head(Audience::up).feed);
  ASSERT_NE(feed, nullptr);
  const auto receipts = kenya->store->receipts_of(feed->row);
  ASSERT_EQ(receipts.size(), 1U);
  EXPECT_EQ(receipts[0].node, global->id());
}

TEST_F(Pair, WhatTheTopPublishesComesDown) {
  global->write_text(all, "synthesis", "title", "Findings");
  Wire wire(*kenya, *global);
  wire.run();
  EXPECT_EQ(kenya->values(Audience::all, "synthesis", "title"), Values{"Findings"});
}

TEST_F(Pair, WhatIsOnlyForTheChapterStaysThere) {
  kenya->write_text(home, "member", "email", "achieng@example.org");
  Wire wire(*kenya, *global);
  wire.run();
  EXPECT_TRUE(global->values(Audience::chapter, "member", "email").empty());
  EXPECT_TRUE(wire.dialler().caught_up());
}

TEST_F(Pair, NothingNewTakesOneRoundTripAndFewBytes) {
  kenya->write_text(up, "insight", "title", "Cold chain");
  global->write_text(all, "synthesis", "title", "Findings");
  Wire(*kenya, *global).run();
  Wire(*kenya, *global).run();
  // The first session of a process introduces itself, later ones need not.
  Wire first(*kenya, *global);
  first.run();
  EXPECT_TRUE(first.dialler().caught_up());
  EXPECT_LE(first.turns(), 3);
  EXPECT_LT(first.bytes(), 1040U);
  Wire again(*kenya, *global, true);
  again.run();
  EXPECT_TRUE(again.dialler().caught_up());
  EXPECT_TRUE(again.listener().caught_up());
  EXPECT_LE(again.turns(), 3);
  EXPECT_LT(again.bytes(), 600U);
}

// The bytes of a whole first exchange, cut once at each place; then a second session finishes it.
TEST_F(Pair, ACutAtAnyByteLosesNothing) {
  for (int i = 0; i < 40; ++i) {
    kenya->write_text(up, "insight " + std::to_string(i), "title",
                      "Cold chain " + std::to_string(i));
    global->write_text(all, "synthesis " + std::to_string(i), "title",
                       "Findings " + std::to_string(i));
  }
  std::size_t whole = 0;
  std::size_t step = 0;
  do {
    SeededRandom chance(7);
    auto top = TestNode::founder(chance, clock);
    auto below = TestNode::below(*top, "KE");
    for (int i = 0; i < 12; ++i) {
      below->write_text(up, "insight " + std::to_string(i), "title", "Cold chain");
      top->write_text(all, "synthesis " + std::to_string(i), "title", "Findings");
    }
    if (step > 0) Wire(*below, *top).run(step);
    Wire rest(*below, *top);
    const std::size_t crossed = rest.run();
    if (step == 0) whole = crossed;
    ASSERT_EQ(top->values(Audience::up, "insight 11", "title").size(), 1U) << "cut after " << step;
    ASSERT_EQ(below->values(Audience::all, "synthesis 11", "title").size(), 1U)
        << "cut after " << step;
    ASSERT_TRUE(rest.dialler().caught_up()) << "cut after " << step;
    step += 31;
  } while (step < whole);
}

TEST_F(Pair, ALostCursorIsRepairedInThreeRoundTripsWithoutSendingEverythingAgain) {
  for (int i = 0; i < 300; ++i)
    global->write_text(all, "theme " + std::to_string(i), "title", "Theme");
  Wire(*kenya, *global).run();
  global->write_text(all, "theme 1", "title", "Changed");
  Batch forget;
  StoredPeer peer = kenya->store->peers().at(0);
  peer.epoch = Epoch(99);
  forget.peers.push_back(peer);
  kenya->store->commit(forget);
  kenya->restart();
  Wire wire(*kenya, *global);
  wire.run();
  EXPECT_EQ(kenya->values(Audience::all, "theme 1", "title"), Values{"Changed"});
  EXPECT_TRUE(wire.dialler().caught_up());
  EXPECT_LE(wire.turns(), 8);  // the last ones only confirm
  EXPECT_LT(wire.bytes(), 3000U);
}

TEST_F(Pair, ThreeLevelsBothWays) {
  auto kisumu = TestNode::below(*kenya, "KE-17");
  kisumu->write_text(up, "insight", "title", "From the ground");
  global->write_text(all, "synthesis", "title", "From the top");
  Wire(*kisumu, *kenya).run();
  Wire(*kenya, *global).run();
  EXPECT_EQ(global->values(Audience::up, "insight", "title"), Values{"From the ground"});
  Wire(*kisumu, *kenya).run();
  EXPECT_EQ(kisumu->values(Audience::all, "synthesis", "title"), Values{"From the top"});
  // Both ancestors' receipts have come home.
  const auto* feed = kisumu->directory->feed(kisumu->head(Audience::up).feed);
  EXPECT_EQ(kisumu->store->receipts_of(feed->row).size(), 2U);
}

// What one link brought counts on the others: nobody sends back what it got from the receiver.
TEST_F(Pair, PartsOfAFeedThatComeByTwoWaysFitTogether) {
  auto office = TestNode::beside(*kenya);
  Wire between(*office, *kenya);
  Wire first(*kenya, *global);
  Wire second(*office, *global);
  const auto publish_by = [&](Wire& wire, const std::string& value) {
    global->write_text(all, "synthesis", "title", value);
    wire.announce();
    wire.run();
    between.announce();
    between.run();
  };
  for (Wire* wire : {&between, &first, &second}) wire->run();
  publish_by(second, "one");
  publish_by(first, "two");
  publish_by(second, "three");
  EXPECT_EQ(kenya->values(Audience::all, "synthesis", "title"), Values{"three"});
  EXPECT_TRUE(between.listener().faults().empty());
  EXPECT_TRUE(between.dialler().faults().empty());
}

// The dialler's END crosses what the listener wrote meanwhile: then it must say once more that both
// agree.
TEST_F(Pair, BothSayThatTheyAgreeAlsoWhenAnEndCrossesAnEntry) {
  Wire wire(*kenya, *global);
  wire.run();
  for (int ms = 0; ms < 10 * 60'000; ms += 14'000) {
    clock.advance_ms(14'000);
    if (ms + 14'000 >= 10 * 60'000) global->write_text(all, "synthesis", "title", "Findings");
    wire.dialler().tick(clock.now());
    wire.run();
    wire.listener().tick(clock.now());
    wire.run();
  }
  EXPECT_EQ(kenya->values(Audience::all, "synthesis", "title"), Values{"Findings"});
  EXPECT_TRUE(wire.dialler().caught_up());
  EXPECT_TRUE(wire.listener().caught_up());
}

// A peer whose digest never agrees, whatever is sent: it is said, and nobody is kept busy by it.
TEST_F(Pair, HeadsThatStayDifferentAreLeftToAPersonAndMayAgreeLater) {
  kenya->write_text(up, "insight", "title", "Cold chain");
  Wire wire(*kenya, *global);
  wire.run();
  ASSERT_TRUE(wire.dialler().caught_up());
  EndFrame false_end;
  false_end.digest = random.fixed<Digest>();
  for (int i = 0; i < 5; ++i) wire.say_to_dialler(false_end);
  EXPECT_TRUE(wire.dialler().stays_different());
  EXPECT_FALSE(wire.dialler().caught_up());
  Wire next(*kenya, *global);
  next.run();
  EXPECT_TRUE(next.dialler().caught_up());
  EXPECT_FALSE(next.dialler().stays_different());
}

}  // namespace
}  // namespace chapterd
