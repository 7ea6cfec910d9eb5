// Two histories of one feed where they meet erasure, moves and roll-backs.
#include "replication/forks.h"
#include "replication/lives.h"
#include "replication/session.h"
#include "tests/support/bundles.h"
#include "tests/support/erasing.h"
#include "tests/support/tree.h"

#include <gtest/gtest.h>

namespace chapterd {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): the nodes and their words

struct ForksMeeting : Pair {
  std::unique_ptr<TestNode> office = TestNode::beside(*global);
  std::unique_ptr<TestNode> copy;

  static std::vector<Head> tips(TestNode& node, const FeedId& feed) {
    for (const ForkedFeed& each : forked_feeds(*node.directory))
      if (each.id == feed) return each.tips;
    return {};
  }

  // Of the feed that is written into now.
  static Head newest_head(TestNode& node) {
    const Directory& directory = node.replica->directory();
    Head newest;
    for (const FeedRow row : directory.own_feeds())
      if (directory.feed(row).intro.audience == Audience::all) newest = directory.feed(row).head;
    return newest;
  }

  static bool is_closed(TestNode& node, const FeedId& feed) {
    const KnownFeed* known = node.directory->feed(feed);
    return known != nullptr && !node.directory->closing(*known).empty();
  }

  // Kenya and a copy of it wrote different titles; both reached the global node and its office.
  FeedId fork_kenya() {
    kenya->write_text(all, "other", "title", "common");
    meet(*kenya, *global);
    meet(*office, *global);
    copy = TestNode::copy_of(*kenya);
    kenya->write_text(all, "insight", "title", "what the original wrote of the boats");
    copy->write_text(all, "insight", "title", "what the copy wrote of Wanjiku Kamau");
    meet(*kenya, *global);
    meet(*copy, *office);
    meet(*office, *global);
    return copy->head(Audience::all).feed;
  }

  static bool is_told(TestNode& node) {
    return !node.store->values(stored_name::elsewhere).empty();
  }

  // Kenya and a copy of it exchange over links, one after the other and never at once: each chains
  // anew what it wrote. Kenya calls last, and is told.
  void call_in_turn() {
    kenya->write_text(all, "insight", "title", "common");
    meet(*kenya, *global);
    copy = TestNode::copy_of(*kenya);
    kenya->write_text(all, "insight", "title", "of the original");
    meet(*kenya, *global);
    copy->write_text(all, "other", "title", "of the copy");
    meet_again(*copy, *global);
    EXPECT_FALSE(is_told(*copy)) << "it may be a backup that was put back";
    kenya->write_text(all, "insight", "title", "later");
    meet_again(*kenya, *global);
  }
};

struct ForksMeetingBelow : Tree {};

// So there is no fork to see.
TEST_F(ForksMeeting, TwoCopiesThatCallInTurnAreToldOfEachOther) {
  call_in_turn();
  EXPECT_TRUE(is_told(*kenya));
  // The copy can be shown a life that it never led once something was written in it.
  kenya->write_text(all, "insight", "title", "later still");
  meet_again(*kenya, *global);
  copy->write_text(all, "other", "title", "later");
  meet_again(*copy, *global);
  EXPECT_TRUE(is_told(*copy));
  EXPECT_EQ(title(*global), Values{"later still"});
  EXPECT_TRUE(forked_feeds(*global->directory).empty());
}

// Each says that its life of before is over, and that alone sends nobody back again.
TEST_F(ForksMeeting, CopiesThatCallInTurnAndWriteNothingStayInTheirLives) {
  call_in_turn();
  const auto lives = [&] {
    return std::pair(kenya->replica->directory().incarnation(),
                     copy->replica->directory().incarnation());
  };
  const auto turn = [&] {
    meet_again(*kenya, *global);
    meet_again(*copy, *global);
  };
  for (int i = 0; i < 2; ++i) turn();
  const auto before = lives();
  const Arrival arrival = global->directory->arrival();
  for (int i = 0; i < 4; ++i) turn();
  EXPECT_EQ(lives(), before);
  EXPECT_EQ(global->directory->arrival(), arrival);
}

// Said with the authority key that lay in the copied folder.
TEST_F(ForksMeeting, OnlyItsOwnChapterSaysThatACopyIsAnotherNodeNow) {
  call_in_turn();
  const auto led = decode_led_elsewhere(kenya->replica->value(stored_name::elsewhere));
  ASSERT_TRUE(led);
  ASSERT_EQ(led->lives, std::vector{copy->replica->directory().incarnation()});
  EXPECT_EQ(lives_told(*kenya->store), led->lives);
  const std::vector<Incarnation> lives = lives_led(*copy->store, copy->replica->directory());
  EXPECT_EQ(lives.front(), led->lives.front());
  EXPECT_EQ(lives.back(), lives_led(*kenya->store, kenya->replica->directory()).back())
      << "what both led before";
  const std::vector<Incarnation> own = lives_led(*kenya->store, kenya->replica->directory());
  EXPECT_EQ(std::ranges::find(own, lives.front()), own.end()) << "its feeds came from there";
  const auto is_over = [&](TestNode& node) {
    return node.replica->directory().authority().is_handed_over(kenya->id(), lives.front());
  };
  const PublicKey heir = office->id();
  global->statement(Statement{global->chapter(), 1, Handover{kenya->id(), heir, lives}});
  meet_again(*kenya, *global);
  EXPECT_FALSE(is_over(*global));
  EXPECT_FALSE(is_over(*kenya));
  copy->statement(Statement{kenya->chapter(), 1, Handover{kenya->id(), heir, lives}});
  meet_again(*copy, *global);
  meet_again(*kenya, *global);
  for (TestNode* node : {global.get(), kenya.get()}) {
    EXPECT_TRUE(is_over(*node));
    node->restart();
    EXPECT_TRUE(is_over(*node)) << "after a restart";
    EXPECT_FALSE(node->replica->directory().authority().is_handed_over(kenya->id(), {}));
  }
}

// Kenya followed the log of the global node's copy beyond the place that this receipt has in that
// of the node itself: it was passed over, and both agree on the entries.
TEST_F(ForksMeeting, AReceiptThatACursorPassedOverIsAskedFor) {
  kenya->write_text(up, "insight", "title", "before");
  meet(*kenya, *global);
  auto uganda = TestNode::below(*global, "UG");
  meet(*uganda, *global);
  copy = TestNode::copy_of(*global);
  for (int i = 0; i < 20; ++i) uganda->write_text(up, "theirs", "title", std::to_string(i));
  meet(*uganda, *copy);
  meet(*kenya, *copy);
  const Arrival followed = kenya->store->peers().front().held[1];
  kenya->write_text(up, "insight", "title", "after");
  ASSERT_EQ(testing::read_bundle(*global, testing::write_bundle(*kenya, *global)).code, "");
  ASSERT_LT(global->replica->directory().arrival(), followed);
  meet(*uganda, *global);
  ASSERT_GE(global->replica->directory().arrival(), followed);
  meet(*kenya, *global);
  const Head head = kenya->head(Audience::up);
  const FeedRow row = kenya->replica->directory().feed(head.feed)->row;
  ASSERT_EQ(kenya->store->receipts_of(row).size(), 1U);
  EXPECT_EQ(kenya->store->receipts_of(row).front().seq, head.seq);
}

// What others wrote is acknowledged to them, not to Kenya; nor is anything asked for that came.
TEST_F(ForksMeeting, NoReceiptIsAskedForThatGoesElsewhere) {
  auto uganda = TestNode::below(*global, "UG");
  auto kisumu = TestNode::below(*kenya, "KE-17");
  for (TestNode* node : {global.get(), uganda.get(), kenya.get(), kisumu.get()}) {
    node->write_text(all, "insight " + to_hex(node->id().view()), "title", "shared");
    if (node != global.get()) node->write_text(up, "report", "title", "for those above");
  }
  for (int i = 0; i < 3; ++i) {
    meet(*kisumu, *kenya);
    meet(*uganda, *global);
    meet(*kenya, *global);
  }
  for (const auto& [child, parent] :
       {std::pair(kisumu.get(), kenya.get()), std::pair(kenya.get(), global.get()),
        std::pair(uganda.get(), global.get())}) {
    Wire wire(*child, *parent);
    wire.run();
    EXPECT_TRUE(wire.dialler().caught_up());
    EXPECT_LE(wire.turns(), 3) << "a question costs one more";
  }
}

// The order names an entry of the branch that came second.
TEST_F(ForksMeeting, AnErasureReachesTheHistoryThatHoldsTheWords) {
  const FeedId forked = fork_kenya();
  meet_again(*kenya, *global);
  meet(*office, *global);
  const auto before = tips(*global, forked);
  ASSERT_EQ(before.size(), 2U);
  for (TestNode* node : {global.get(), office.get(), kenya.get()})
    ASSERT_TRUE(holds_text(*node, "Wanjiku Kamau"));
  erase_texts(*kenya, all, "insight", "title", "Wanjiku Kamau");
  meet(*kenya, *global);
  meet(*office, *global);
  for (TestNode* node : {global.get(), office.get(), kenya.get()}) {
    EXPECT_FALSE(holds_text(*node, "Wanjiku Kamau"));
    EXPECT_EQ(title(*node), Values{"what the original wrote of the boats"});
    EXPECT_EQ(tips(*node, forked), before);
  }
  const std::string shown = office->view_hash();
  ASSERT_TRUE(office->replica->rebuild());
  EXPECT_EQ(office->view_hash(), shown);
}

// Its first entry is of the kind that ends a feed after a move, and ends nothing here.
TEST_F(ForksMeeting, TheFeedThatEndsTheForkedOneIsWrittenOnAfterARestart) {
  const FeedId forked = fork_kenya();
  meet_again(*kenya, *global);
  ASSERT_TRUE(is_closed(*global, forked));
  const Head first = newest_head(*kenya);
  ASSERT_NE(first.feed, forked);
  ASSERT_EQ(first.seq, Sequence(1));
  kenya->restart();
  kenya->write_text(all, "insight", "title", "settled");
  EXPECT_EQ(newest_head(*kenya).feed, first.feed);
  EXPECT_EQ(newest_head(*kenya).seq, Sequence(2));
  meet(*kenya, *global);
  EXPECT_EQ(title(*global), Values{"settled"});
}

// The copy listed what it knew. What the original wrote beside that comes back to nobody, so only
// the original can list it, once it hears of the list from those below.
TEST_F(ForksMeetingBelow, WhatTheOriginalWroteBesideTheListOfItsCopyIsListedToo) {
  kenya->write_text(all, "insight", "title", "common");
  kenya->write_text(down, "guide", "title", "common");
  meet_again(*kenya, *global);
  meet_again(*kisumu, *kenya);
  const auto office = TestNode::beside(*kisumu);
  const FeedId forked = kenya->head(Audience::down).feed;
  const auto copy = TestNode::copy_of(*kenya);
  copy->write_text(down, "guide", "title", "of the copy");
  meet_again(*office, *copy);
  kenya->write_text(down, "guide", "title", "of the original");
  meet_again(*kisumu, *kenya);
  copy->write_text(all, "insight", "title", "of the copy");
  meet_again(*copy, *global);
  Wire(*kisumu, *copy).run();  // tells the copy, which waits for the global node then
  meet_again(*copy, *global);
  meet_again(*kisumu, *copy);
  ASSERT_FALSE(kisumu->directory->closing(*kisumu->directory->feed(forked)).empty());
  // The original knows nothing of that, and is told by the global node first, which holds no
  // guides.
  kenya->write_text(down, "later", "title", "beside the list");
  kenya->write_text(all, "insight", "title", "of the original");
  meet_again(*kenya, *global);
  Wire(*kisumu, *kenya).run();
  meet_again(*kenya, *global);
  ASSERT_TRUE(kenya->store->values(stored_name::restored).empty());
  meet_again(*kisumu, *kenya);
  EXPECT_EQ(kisumu->values(Audience::down, "later", "title"), Values{"beside the list"});
  EXPECT_EQ(kisumu->view_hash(), kenya->view_hash());
}

// Nobody stands above it: it is told from below, and waits for a person.
TEST_F(ForksMeeting, TheGlobalNodeThatIsShownAnotherHistoryWaitsForAPersonAndThenEndsIt) {
  auto uganda = TestNode::below(*global, "UG");
  global->write_text(all, "other", "title", "common");
  meet(*kenya, *global);
  meet(*uganda, *global);
  copy = TestNode::copy_of(*global);
  global->write_text(all, "insight", "title", "original");
  copy->write_text(all, "insight", "title", "copy");
  const FeedId forked = copy->head(Audience::all).feed;
  meet(*kenya, *global);
  meet(*uganda, *copy);
  Wire told(*uganda, *global);
  told.run();
  EXPECT_EQ(told.listener().end_code(), "node.rolled-back");
  Wire waiting(*uganda, *global);
  waiting.run();
  EXPECT_TRUE(waiting.dialler().exchanges_only_statements());
  EXPECT_EQ(title(*global), Values{"original"});
  global->replica->confirm_restored(Complete::no);
  global->commit();
  meet_again(*uganda, *global);
  meet_again(*kenya, *global);
  for (TestNode* node : {global.get(), uganda.get(), kenya.get()}) {
    EXPECT_TRUE(is_closed(*node, forked));
    EXPECT_EQ(title(*node), (Values{"copy", "original"}));
  }
}

}  // namespace
}  // namespace chapterd
