// What counts of a revoked node's work: the same everywhere, in whatever order it came to be known.
#include "replication/session.h"
#include "tests/support/tree.h"

#include <gtest/gtest.h>

namespace chapterd {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): the nodes and their words

struct Standing : Tree {
  Head first;   // of what Kisumu wrote to everybody: "one"
  Head second;  // "two", in its place

  void kisumu_writes_two_that_reach_the_top() {
    kisumu->write_text(all, "insight", "title", "one");
    first = kisumu->head(Audience::all);
    kisumu->write_text(all, "insight", "title", "two");
    second = kisumu->head(Audience::all);
    meet(*kisumu, *kenya);
    meet(*kenya, *global);
  }
};

TEST_F(Standing, WhatWasMergedBeyondTheCutIsTakenBackAndWhatItReplacedShowsAgain) {
  kisumu->write_text(all, "insight", "title", "seen");
  const Head seen = kisumu->head(Audience::all);
  kisumu->write_text(all, "insight", "title", "written by a thief");
  kisumu->write_text(all, "other", "title", "a thief's too");
  meet(*kisumu, *kenya);
  meet(*kenya, *global);
  ASSERT_EQ(title(*global), Values{"written by a thief"});
  kenya->revoke(kisumu->id(), {seen});
  EXPECT_EQ(title(*kenya), Values{"seen"});
  EXPECT_EQ(kenya->values(Audience::all, "other", "title"), Values{});
  meet(*kenya, *global);
  meet(*uganda, *global);
  EXPECT_EQ(title(*global), Values{"seen"});
  EXPECT_EQ(title(*uganda), Values{"seen"});
  EXPECT_EQ(global->view_hash(), kenya->view_hash());
  const std::string before = global->view_hash();
  ASSERT_TRUE(global->replica->rebuild());
  EXPECT_EQ(global->view_hash(), before);
  global->restart();
  EXPECT_EQ(title(*global), Values{"seen"});
}

TEST_F(Standing, WhoHoldsMoreThanTheCutAndWhoHoldsLessAgree) {
  kisumu->write_text(all, "insight", "title", "one");
  meet(*kisumu, *kenya);
  meet(*kenya, *global);
  const Head seen_by_global = kisumu->head(Audience::all);
  kisumu->write_text(all, "insight", "title", "two");
  meet(*kisumu, *kenya);
  global->revoke(kisumu->id(), {seen_by_global});
  meet(*kenya, *global);
  EXPECT_EQ(title(*kenya), Values{"one"});
  EXPECT_EQ(title(*global), Values{"one"});
}

// The cut names nothing of a feed that the revoker never saw.
TEST_F(Standing, AFeedThatTheRevokerNeverSawCountsForNothingAnywhere) {
  kisumu->write_text(all, "insight", "title", "never seen by global");
  meet(*kisumu, *kenya);
  global->revoke(kisumu->id());
  meet(*kenya, *global);
  EXPECT_EQ(title(*kenya), Values{});
  EXPECT_EQ(title(*global), Values{});
  meet(*uganda, *global);
}

TEST_F(Standing, APieceThatStraddlesTheCutCountsUpToIt) {
  kisumu->write(all, a_change(record_named("insight"), "title", "one"));
  kisumu->commit();
  const Head cut = kisumu->head(Audience::all);
  meet(*kisumu, *kenya);
  Change two = a_change(record_named("insight"), "note", "two");
  kisumu->write(all, two);
  kisumu->commit();
  // Kenya's second office holds both entries as one piece with one checkpoint at its end.
  auto office = TestNode::beside(*kenya);
  meet(*office, *kenya);
  meet(*kisumu, *kenya);
  Wire(*office, *kenya).run();
  kenya->revoke(kisumu->id(), {cut});
  meet(*office, *kenya);
  meet(*kenya, *global);
  for (TestNode* node : {kenya.get(), office.get(), global.get()}) {
    EXPECT_EQ(title(*node), Values{"one"});
    EXPECT_EQ(node->values(Audience::all, "insight", "note"), Values{});
  }
}

TEST_F(Standing, ARevocationThatCameFirstCutsWhatComesLater) {
  kisumu->write_text(all, "insight", "title", "one");
  const Head cut = kisumu->head(Audience::all);
  kisumu->write_text(all, "insight", "title", "two");
  meet(*kisumu, *kenya);
  kenya->revoke(kisumu->id(), {cut});
  meet(*kenya, *global);
  auto rwanda = TestNode::below(*global, "RW");
  meet(*rwanda, *global);
  EXPECT_EQ(title(*rwanda), Values{"one"});
}

// A higher authority had seen more: its cut holds, and what had been taken back counts again.
TEST_F(Standing, AHigherCutBringsBackWhatALowerOneTookAway) {
  kisumu_writes_two_that_reach_the_top();
  kenya->revoke(kisumu->id(), {first});
  meet(*kenya, *global);
  ASSERT_EQ(title(*global), Values{"one"});
  global->revoke(kisumu->id(), {second});
  EXPECT_EQ(title(*global), Values{"two"});
  meet(*kenya, *global);
  EXPECT_EQ(title(*kenya), Values{"two"});
}

TEST_F(Standing, WhatIsAdmittedCountsEverywhereAndNobodyLowerCanAdmitIt) {
  kisumu_writes_two_that_reach_the_top();
  global->revoke(kisumu->id(), {first});
  meet(*kenya, *global);
  ASSERT_EQ(title(*kenya), Values{"one"});
  const auto admit = [&](TestNode& by) {
    by.statement(Statement{by.chapter(), 1, Admit{kisumu->id(), {second}}});
    meet(*kenya, *global);
  };
  admit(*kenya);
  EXPECT_EQ(title(*kenya), Values{"one"});
  EXPECT_EQ(title(*global), Values{"one"});
  admit(*global);
  EXPECT_EQ(title(*kenya), Values{"two"});
  EXPECT_EQ(title(*global), Values{"two"});
  // One who held only what counted gets the rest.
  meet(*uganda, *global);
  EXPECT_EQ(title(*uganda), Values{"two"});
}

TEST_F(Standing, WhoeverHeldOnlyWhatCountedGetsWhatIsAdmittedLater) {
  kisumu->write_text(all, "insight", "title", "one");
  first = kisumu->head(Audience::all);
  meet(*kisumu, *kenya);
  meet(*kenya, *global);
  meet(*uganda, *global);
  kisumu->write_text(all, "insight", "title", "two");
  meet(*kisumu, *kenya);
  kenya->revoke(kisumu->id(), {first});
  meet(*kenya, *global);
  meet(*uganda, *global);
  kenya->statement(
      Statement{kenya->chapter(), 1, Admit{kisumu->id(), {kisumu->head(Audience::all)}}});
  meet(*kenya, *global);
  meet(*uganda, *global);
  EXPECT_EQ(title(*global), Values{"two"});
  EXPECT_EQ(title(*uganda), Values{"two"});
}

// After a roll-back and new work, the receipt for what was there before proves nothing of it.
TEST_F(Standing, AReceiptForAnotherEntryProvesNothing) {
  kenya->write_text(up, "insight", "title", "one");
  const KnownFeed feed = *kenya->directory->feed(kenya->head(Audience::up).feed);
  Head other = feed.head;
  other.hash.bytes[0] ^= 1U;
  ReceivedWindow window;
  window.peer = global->id();
  const FederationId federation = kenya->directory->authority().federation();
  const Epoch epoch = global->directory->epoch();
  window.receipts.push_back(sign_receipt(federation, {global->id(), epoch, other}, *global->key));
  kenya->replica->receive(std::move(window));
  kenya->commit();
  EXPECT_TRUE(kenya->store->receipts_of(feed.row).empty());
  // The right one counts.
  meet(*kenya, *global);
  EXPECT_EQ(kenya->store->receipts_of(feed.row).size(), 1U);
}

// The first session was cut after the window, before its mark: the receipts that were signed then
// would never be said.
TEST_F(Standing, ReceiptsComeAlsoAfterTheDigestsHadToFindWhatIsMissing) {
  kenya->write_text(up, "insight", "title", "one");
  for (std::size_t bytes = 600; bytes < 4000; bytes += 200) Wire(*kenya, *global).run(bytes);
  meet(*kenya, *global);
  const KnownFeed feed = *kenya->directory->feed(kenya->head(Audience::up).feed);
  ASSERT_EQ(kenya->store->receipts_of(feed.row).size(), 1U);
  EXPECT_EQ(kenya->store->receipts_of(feed.row)[0].seq, feed.head.seq);
}

}  // namespace
}  // namespace chapterd
