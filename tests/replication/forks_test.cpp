// Two machines with one key: both histories are kept, reach everybody and are shown, and the author
// or its chapter says which of them counts.
#include "replication/forks.h"

#include "replication/format/limits.h"
#include "replication/reconcile.h"
#include "replication/session.h"
#include "tests/support/bundles.h"
#include "tests/support/tree.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

namespace chapterd {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): the nodes and their words

// The global node has a second office, which the copy of Kenya calls.
struct Forks : Pair {
  std::unique_ptr<TestNode> office = TestNode::beside(*global);

  // Kenya and a copy of it wrote `common` together, then each its own; one reached the global node,
  // the other its second office.
  void fork(int common, int ours, int theirs) {
    write(*kenya, common, "common");
    meet(*kenya, *global);
    meet(*office, *global);
    copy = TestNode::copy_of(*kenya);
    write(*kenya, ours, "original");
    write(*copy, theirs, "copy");
    forked = kenya->head(Audience::all).feed;
    meet(*kenya, *global);
    meet(*copy, *office);
  }

  static void write(TestNode& node, int count, const std::string& text) {
    for (int i = 0; i < count; ++i)
      node.write_text(all, "insight " + std::to_string(i % 5), "title",
                      text + " " + std::to_string(i));
  }

  // By a receipt that came to Kenya.
  [[nodiscard]] bool knows_that_global_holds(const Head& head) {
    return std::ranges::any_of(kenya->directory->branches(head.feed), [&](FeedRow row) {
      return std::ranges::any_of(kenya->store->receipts_of(row), [&](const StoredReceipt& each) {
        return each.node == global->id() && decode_receipt(each.bytes)->head == head;
      });
    });
  }

  [[nodiscard]] ForkedFeed only_fork(TestNode& node) const {
    for (const ForkedFeed& each : forked_feeds(*node.directory))
      if (each.id == forked) return each;
    ADD_FAILURE() << "the node does not say that the feed is forked";
    return {};
  }

  static Values title(TestNode& at) { return testing::title(at, Audience::all, "insight 0"); }

  std::unique_ptr<TestNode> copy;
  FeedId forked;
};

TEST_F(Forks, BothHistoriesReachEverybodyAndTheRecordsShowBoth) {
  fork(3, 2, 4);
  meet(*office, *global);
  for (TestNode* node : {global.get(), office.get()}) {
    EXPECT_EQ(title(*node), (Values{"copy 0", "original 0"}));
    EXPECT_EQ(only_fork(*node).tips.size(), 2U);
    EXPECT_EQ(only_fork(*node).shared, Sequence(3));
    EXPECT_EQ(only_fork(*node).node, kenya->id());
    EXPECT_FALSE(only_fork(*node).closed);
    EXPECT_EQ(only_fork(*node).aside, 0U);
  }
  EXPECT_EQ(global->view_hash(), office->view_hash());
  // One that held nothing gets both.
  auto uganda = TestNode::below(*global, "UG");
  meet(*uganda, *global);
  EXPECT_EQ(uganda->view_hash(), global->view_hash());
  EXPECT_EQ(only_fork(*uganda).tips, only_fork(*global).tips);
  const std::string before = global->view_hash();
  ASSERT_TRUE(global->replica->rebuild());
  EXPECT_EQ(global->view_hash(), before);
  global->restart();
  EXPECT_EQ(only_fork(*global).tips, only_fork(*uganda).tips);
}

// The copy's work reached the global node on a stick. What that said of it comes to Kenya, on its
// way to the author, before the entries do.
TEST_F(Forks, AReceiptThatComesBeforeItsBranchCountsOnceTheBranchIsThere) {
  const Address up{Audience::up, {}};
  auto kisumu = TestNode::below(*kenya, "KE-17");
  kisumu->write_text(up, "insight 0", "title", "common");
  for (int i = 0; i < 2; ++i) {
    meet(*kisumu, *kenya);
    meet(*kenya, *global);
  }
  copy = TestNode::copy_of(*kisumu);
  kisumu->write_text(up, "insight 0", "title", "original");
  meet(*kisumu, *kenya);
  copy->write_text(up, "insight 0", "title", "copy");
  copy->write_text(up, "insight 1", "title", "copy");
  const auto read = testing::read_bundle(*global, testing::write_bundle(*copy, *global));
  ASSERT_EQ(read.code, "");
  forked = copy->head(Audience::up).feed;
  meet_again(*kenya, *global);
  ASSERT_EQ(only_fork(*kenya).tips.size(), 2U);
  for (const Head& tip : only_fork(*kenya).tips) EXPECT_TRUE(knows_that_global_holds(tip));
}

// Kenya is connected while a stick brings the copy's work to the global node: the receipt comes
// alone, and what is known of the first history reaches as far.
TEST_F(Forks, AReceiptForAHistoryThatIsNotHereYetIsKeptThoughTheOtherOneIsAsLong) {
  write(*kenya, 1, "common");
  meet(*kenya, *global);
  copy = TestNode::copy_of(*kenya);
  write(*kenya, 1, "original");
  write(*copy, 1, "copy");
  forked = copy->head(Audience::all).feed;
  Wire wire(*kenya, *global);
  wire.run();
  ASSERT_EQ(read_bundle(*global, write_bundle(*copy, *global)).code, "");
  wire.run();
  ASSERT_TRUE(forked_feeds(*kenya->directory).empty());
  meet_again(*kenya, *global);
  ASSERT_EQ(only_fork(*kenya).tips.size(), 2U);
  for (const Head& tip : only_fork(*kenya).tips) EXPECT_TRUE(knows_that_global_holds(tip));
}

// Nobody knows where the two part: they look further and further back.
TEST_F(Forks, HistoriesThatPartedLongAgoFindTogether) {
  fork(40, 900, 700);
  meet_again(*office, *global);
  EXPECT_EQ(only_fork(*global).tips, only_fork(*office).tips);
  EXPECT_EQ(only_fork(*global).tips.size(), 2U);
  EXPECT_EQ(global->view_hash(), office->view_hash());
}

TEST_F(Forks, HistoriesOfEqualLengthFindTogether) {
  fork(0, 5, 5);
  meet(*office, *global);
  EXPECT_EQ(only_fork(*global).tips, only_fork(*office).tips);
  EXPECT_EQ(only_fork(*global).tips.size(), 2U);
  EXPECT_EQ(only_fork(*global).shared, Sequence(0));
}

TEST_F(Forks, BothGoOnAndWhatFollowsGoesToItsOwnBranch) {
  fork(2, 1, 1);
  meet(*office, *global);
  write(*copy, 3, "more of the copy");
  // By a bundle: on a link the copy would be told of the other history.
  EXPECT_EQ(read_bundle(*office, write_bundle(*copy, *office)).code, "");
  meet(*office, *global);
  EXPECT_EQ(only_fork(*global).tips, only_fork(*office).tips);
  EXPECT_EQ(only_fork(*global).tips.size(), 2U);
  EXPECT_EQ(global->view_hash(), office->view_hash());
}

TEST_F(Forks, TheProofConvincesAnybodyAndAChangedOneNobody) {
  fork(3, 2, 2);
  meet(*office, *global);
  const KnownFeed& branch = global->directory->feed(only_fork(*global).branches.back());
  const auto proof = fork_proof(*global->store, *global->directory, branch);
  ASSERT_TRUE(proof);
  const FederationId federation = global->directory->authority().federation();
  EXPECT_TRUE(verify_fork(federation, branch.intro_bytes, *proof));
  ForkProof twice = *proof;
  twice.second = twice.first;
  EXPECT_FALSE(verify_fork(federation, branch.intro_bytes, twice));
  ForkProof changed = *proof;
  changed.second.back() ^= 1U;
  EXPECT_FALSE(verify_fork(federation, branch.intro_bytes, changed));
}

// The machine that learns of its copy goes on in new feeds, which end the forked one and list both.
TEST_F(Forks, TheAuthorsNodeThatLearnsOfItGoesOnInANewFeedThatEndsTheForkedOne) {
  fork(3, 2, 2);
  meet(*office, *global);
  meet_again(*kenya, *global);
  meet(*office, *global);
  for (TestNode* node : {global.get(), office.get(), kenya.get()}) {
    EXPECT_TRUE(only_fork(*node).closed);
    EXPECT_EQ(only_fork(*node).aside, 0U);
    EXPECT_EQ(title(*node), (Values{"copy 0", "original 0"}));
  }
  kenya->write_text(all, "insight 0", "title", "settled");
  meet(*kenya, *global);
  EXPECT_EQ(title(*global), Values{"settled"});
  EXPECT_EQ(only_fork(*global).tips.size(), 2U);  // nothing more went into the forked feed
}

// Ending them is part of its group: what others staged before it may still be taken back.
TEST_F(Forks, EndingTheForkedOneCommitsNothingOfWhatWasStagedBefore) {
  fork(3, 2, 2);
  meet(*office, *global);
  const KnownFeed& branch = global->directory->feed(global->directory->branches(forked).back());
  PieceVerifier verifier(global->directory->authority().federation());
  const auto offer =
      std::make_shared<const FeedOffer>(FeedOffer{forked, branch.intro, branch.intro_bytes});
  ReceivedWindow other;
  other.peer = global->id();
  for (StoredPiece& stored : global->store->pieces_of(branch.row, Sequence(1), SIZE_MAX))
    other.pieces.push_back(*verifier.verify(
        {offer, Head{forked, branch.fork.seq, branch.fork.hash}, std::move(stored.body), false}));
  kenya->replica->receive(std::move(other));
  kenya->commit();
  ASSERT_FALSE(only_fork(*kenya).closed);
  const Arrival before = kenya->store->counters().arrival;
  kenya->write(all, testing::a_change(testing::record_named("new"), "title", "staged"));
  ReceivedWindow window;
  window.peer = global->id();
  window.meeting.emplace().recovered = true;
  ReceivedWindow again;
  again.peer = window.peer;
  again.meeting = window.meeting;
  kenya->replica->receive(std::move(window));
  EXPECT_EQ(kenya->store->counters().arrival, before);
  kenya->replica->abandon();
  kenya->commit();
  EXPECT_FALSE(only_fork(*kenya).closed);
  EXPECT_EQ(kenya->values(Audience::all, "new", "title"), Values{});
  kenya->write(all, testing::a_change(testing::record_named("new"), "title", "staged"));
  kenya->replica->receive(std::move(again));
  EXPECT_TRUE(kenya->replica->has_staged());
  kenya->commit();
  EXPECT_TRUE(only_fork(*kenya).closed);
  EXPECT_EQ(only_fork(*kenya).aside, 0U);
  meet(*kenya, *global);
  EXPECT_EQ(global->values(Audience::all, "new", "title"), Values{"staged"});
}

// The copy does not know yet: what it goes on writing counts for nothing, the same everywhere.
TEST_F(Forks, WhatTheCopyWritesAfterTheEndIsSetAsideUntilSomebodyListsIt) {
  fork(3, 2, 2);
  meet(*office, *global);
  meet_again(*kenya, *global);
  meet(*office, *global);
  copy->write_text(all, "late", "title", "after the end");
  const Head late = copy->head(Audience::all);
  ASSERT_EQ(late.feed, forked);
  // It reaches the office by a bundle: nothing tells the copy.
  const Bytes bundle = write_bundle(*copy, *office);
  EXPECT_EQ(read_bundle(*office, bundle).code, "");
  EXPECT_EQ(office->values(Audience::all, "late", "title"), Values{});
  EXPECT_EQ(only_fork(*office).aside, 1U);
  meet(*office, *global);
  EXPECT_EQ(global->view_hash(), office->view_hash());
  const std::string before = office->view_hash();
  ASSERT_TRUE(office->replica->rebuild());
  EXPECT_EQ(office->view_hash(), before);
  // Kenya's authority takes it in: lists add up.
  kenya->statement(Statement{kenya->chapter(), 1, Close{kenya->id(), {late}}});
  meet(*kenya, *global);
  meet_again(*office, *global);
  EXPECT_EQ(office->values(Audience::all, "late", "title"), Values{"after the end"});
  EXPECT_EQ(global->values(Audience::all, "late", "title"), Values{"after the end"});
  EXPECT_EQ(title(*global), (Values{"copy 0", "original 0"}));
}

// What is set aside is not acknowledged.
TEST_F(Forks, WhatSomebodyListsLaterIsAcknowledgedThen) {
  fork(3, 2, 2);
  meet(*office, *global);
  meet_again(*kenya, *global);
  copy->write_text(all, "late", "title", "after the end");
  const Head late = copy->head(Audience::all);
  ASSERT_EQ(late.feed, forked);
  ASSERT_EQ(read_bundle(*global, write_bundle(*copy, *global)).code, "");
  ASSERT_EQ(only_fork(*global).aside, 1U);
  kenya->statement(Statement{kenya->chapter(), 1, Close{kenya->id(), {late}}});
  meet_again(*kenya, *global);
  EXPECT_EQ(title(*kenya), title(*global));
  EXPECT_TRUE(knows_that_global_holds(late));
}

TEST_F(Forks, TheChapterSaysWhichHistoryCounts) {
  fork(3, 2, 2);
  meet(*office, *global);
  const Head original = kenya->head(Audience::all);
  kenya->statement(Statement{kenya->chapter(), 1, Close{kenya->id(), {original}}});
  Wire(*kenya, *global).run();
  meet_again(*office, *global);
  for (TestNode* node : {global.get(), office.get()}) {
    EXPECT_TRUE(only_fork(*node).closed);
    EXPECT_EQ(title(*node), Values{"original 0"});
  }
  EXPECT_EQ(global->view_hash(), office->view_hash());
}

TEST_F(Forks, AStrangersChapterClosesNothing) {
  fork(3, 2, 2);
  meet(*office, *global);
  auto uganda = TestNode::below(*global, "UG");
  meet(*uganda, *global);
  uganda->statement(
      Statement{uganda->chapter(), 1, Close{kenya->id(), {only_fork(*uganda).tips.front()}}});
  meet(*uganda, *global);
  EXPECT_FALSE(only_fork(*global).closed);
  EXPECT_EQ(title(*global), (Values{"copy 0", "original 0"}));
}

TEST_F(Forks, ARevocationLetsStandOnlyTheHistoryThatItNames) {
  fork(3, 2, 2);
  const Head original = kenya->head(Audience::all);
  meet(*office, *global);
  global->revoke(kenya->id(), {original});
  meet(*office, *global);
  for (TestNode* node : {global.get(), office.get()}) {
    EXPECT_EQ(title(*node), Values{"original 0"});
    EXPECT_EQ(only_fork(*node).aside, 2U);
  }
  global->statement(
      Statement{global->chapter(), 1, Admit{kenya->id(), {copy->head(Audience::all)}}});
  meet(*office, *global);
  for (TestNode* node : {global.get(), office.get()})
    EXPECT_EQ(title(*node), (Values{"copy 0", "original 0"}));
}

TEST_F(Forks, ANinthHistoryIsRefusedAndNothingElseIs) {
  write(*kenya, 1, "common");
  meet(*kenya, *global);
  std::vector<std::unique_ptr<TestNode>> copies;
  for (std::size_t i = 0; i < limits::feed_tips; ++i) copies.push_back(TestNode::copy_of(*kenya));
  write(*kenya, 1, "original");
  meet(*kenya, *global);
  for (std::size_t i = 0; i < copies.size(); ++i) {
    TestNode& each = *copies[i];
    each.write_text(all, "of a copy", "title", std::to_string(i));
    const Bytes bundle = write_bundle(each, *global);
    const BundleOutcome outcome = read_bundle(*global, bundle);
    const bool is_ninth = i + 1 == limits::feed_tips;
    EXPECT_EQ(outcome.refused, is_ninth ? Values{"feed.too-many-branches"} : Values{}) << i;
  }
  forked = kenya->head(Audience::all).feed;
  EXPECT_EQ(only_fork(*global).tips.size(), limits::feed_tips);
  EXPECT_EQ(global->values(Audience::all, "of a copy", "title").size(), limits::feed_tips - 1);
  global->write_text(all, "other", "title", "goes on");
  meet(*office, *global);
  EXPECT_EQ(office->values(Audience::all, "other", "title"), Values{"goes on"});
  EXPECT_EQ(office->view_hash(), global->view_hash());
}

TEST_F(Forks, ABundleCarriesBothHistories) {
  auto uganda = TestNode::below(*global, "UG");
  meet(*uganda, *global);
  fork(3, 2, 4);
  meet(*office, *global);
  EXPECT_EQ(read_bundle(*uganda, write_bundle(*global, *uganda)).code, "");
  EXPECT_EQ(title(*uganda), (Values{"copy 0", "original 0"}));
  EXPECT_EQ(uganda->view_hash(), global->view_hash());
}

// A receipt is for one history and says nothing of the other.
TEST_F(Forks, ReceiptsAreKeptForTheHistoryThatTheyName) {
  fork(3, 2, 4);
  meet(*office, *global);
  meet_again(*kenya, *global);
  std::size_t receipts = 0;
  for (const FeedRow row : kenya->directory->branches(forked)) {
    const KnownFeed& branch = kenya->directory->feed(row);
    for (const StoredReceipt& each : kenya->store->receipts_of(row)) {
      const auto receipt = decode_receipt(each.bytes);
      ASSERT_TRUE(receipt);
      EXPECT_EQ(hash_in(*kenya->store, branch, each.seq), receipt->head.hash);
      ++receipts;
    }
  }
  EXPECT_GE(receipts, 2U);
}

}  // namespace
}  // namespace chapterd
