// A node that was put back to an older state waits for those above it, or for a person.
#include "replication/forks.h"
#include "tests/replication/restored.h"
#include "tests/support/erasing.h"
#include "tests/support/liar.h"

namespace chapterd {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): the fixture and its words

using RestoredNode = Restored;

// Nothing on its disk can tell, and what it wrote since bears the numbers of what the child holds.
TEST_F(RestoredNode, AParentThatWroteSinceIsToldByItsChildBeforeItSendsAnything) {
  global->write_text(all, "old", "title", "before");
  exchange();
  save(*global);
  for (int i = 0; i < 3; ++i) global->write_text(all, "new", "title", std::to_string(i));
  exchange();
  put_back(*global, With::whole_folder);
  for (int i = 0; i < 5; ++i) global->write_text(all, "since", "title", std::to_string(i));
  Wire first(*kenya, *global);
  first.run();
  EXPECT_EQ(first.listener().end_code(), "node.rolled-back");
  EXPECT_EQ(first.listener().entries_sent(), 0U);
  confirm(*global);
  exchange();
  EXPECT_TRUE(caught_up);
  expect_at_both(Audience::all, "new", {"2"});
  expect_at_both(Audience::all, "since", {"4"});
  EXPECT_EQ(own_feeds(*global, Audience::all), 2U);
}

TEST_F(RestoredNode, ARestoredNodeServesThoseBelowOnceItHasMetTheOneAbove) {
  auto kisumu = TestNode::below(*kenya, "KSM");
  exchange();
  Wire(*kisumu, *kenya).run();
  std::filesystem::remove(kenya->folder.file("instance"));
  kenya->restart();
  kisumu->write_text(up, "insight", "title", "from below");
  kenya->write_text(all, "note", "title", "from Kenya");
  Wire waiting(*kisumu, *kenya);
  waiting.run();
  EXPECT_EQ(waiting.listener().state(), SessionState::open);
  EXPECT_TRUE(waiting.dialler().exchanges_only_statements());
  EXPECT_FALSE(waiting.dialler().caught_up());
  EXPECT_EQ(kenya->values(Audience::up, "insight", "title"), Values{});
  EXPECT_EQ(kisumu->values(Audience::all, "note", "title"), Values{});
  // A revocation comes through all the same.
  auto uganda = TestNode::below(*global, "UG");
  Wire(*uganda, *global).run();
  kenya->statement(Statement{kenya->chapter(), 1, Revoke{uganda->id(), {}, "not ours to revoke"}});
  waiting.announce();
  waiting.run();
  EXPECT_EQ(waiting.dialler().state(), SessionState::open);

  exchange();  // with the global node
  waiting.announce();
  waiting.run();
  EXPECT_EQ(waiting.listener().end_code(), "node.restored");
  for (int i = 0; i < 2; ++i) Wire(*kisumu, *kenya).run();
  EXPECT_EQ(kenya->values(Audience::up, "insight", "title"), Values{"from below"});
  EXPECT_EQ(kisumu->values(Audience::all, "note", "title"), Values{"from Kenya"});
}

// A session that was open all along reads the log before it is told what has become of it.
TEST_F(RestoredNode, WhatIsChainedAnewWaitsUntilSessionsKnowWhereItLies) {
  auto kisumu = TestNode::below(*kenya, "KSM");
  exchange();
  kenya->restart();
  Wire wire(*kisumu, *kenya);
  wire.run();
  kenya->write_text(up, "insight", "title", "not sent yet");
  ReceivedWindow told;
  told.peer = global->id();
  told.meeting.emplace().rolled_back = true;
  kenya->replica->receive(std::move(told));
  kenya->replica->commit();
  EXPECT_TRUE(wire.listener().take_output().empty());
  wire.announce();
  EXPECT_EQ(wire.listener().end_code(), "node.restored");
  EXPECT_EQ(own_feeds(*kenya, Audience::up), 2U) << "it lies in a new feed now";
}

// It never met whom it calls, and takes it for the one above.
TEST_F(RestoredNode, OneThatWaitsSaysSoOnceItKnowsWhomItCalled) {
  exchange();
  save(*global);
  auto uganda = TestNode::below(*global, "UG");
  Wire(*uganda, *global).run();
  put_back(*global, With::database_only);
  global->write_text(all, "note", "title", "since");
  Wire called(*global, *uganda);
  called.run();
  EXPECT_EQ(called.dialler().end_code(), "node.restored");
  Wire again(*global, *uganda);
  again.run();
  EXPECT_EQ(again.dialler().state(), SessionState::open);
  for (const Session* session : {&again.dialler(), &again.listener()})
    EXPECT_TRUE(session->exchanges_only_statements());
  EXPECT_EQ(uganda->values(Audience::all, "note", "title"), Values{});
}

// A child that calls again and pushes before it knows.
TEST_F(RestoredNode, WhatIsPushedAtAWaitingNodeIsSentAgainLater) {
  kenya->write_text(up, "insight", "title", "before");
  exchange();
  std::filesystem::remove(global->folder.file("instance"));
  global->restart();
  kenya->write_text(up, "insight", "title", "pushed");
  Wire pushed(*kenya, *global, true);
  pushed.run();
  EXPECT_EQ(pushed.dialler().state(), SessionState::open);
  EXPECT_EQ(global->values(Audience::up, "insight", "title"), Values{"before"});
  confirm(*global);
  exchange();
  EXPECT_TRUE(caught_up);
  expect_at_both(Audience::up, "insight", {"pushed"});
}

// A child that sends everything although it was told that only statements are wanted.
TEST_F(RestoredNode, AWaitingNodeTakesNothingButStatementsOfAPeerThatSendsMoreAllTheSame) {
  global->write_text(all, "synthesis", "title", "from above");
  exchange();
  std::filesystem::remove(global->folder.file("instance"));
  global->restart();
  kenya->write_text(up, "insight", "title", "unasked");
  Wire wire(*kenya, *global);
  wire.run();
  ASSERT_TRUE(wire.listener().exchanges_only_statements());
  auto office = TestNode::beside(*kenya);
  kenya->revoke(office->id());  // a statement that is still to be sent
  const StoredPeer before = global->store->peers().at(0);
  const Frame content = segment_of(*kenya, Audience::up);
  wire.say_to_listener(content);
  wire.say_to_listener(segment_of(*kenya, Audience::auth));
  wire.say_to_listener(receipt_by(*kenya, global->head(Audience::all)));
  wire.say_to_listener(MarkFrame{2, Arrival(1'000'000)});
  wire.say_to_listener(EndFrame{{Arrival(1'000'000), Arrival(1'000'000), Arrival(1'000'000)}, {}});
  EXPECT_EQ(wire.listener().state(), SessionState::open);
  EXPECT_EQ(global->values(Audience::up, "insight", "title"), Values{});
  EXPECT_EQ(global->directory->feed(kenya->head(Audience::up).feed), nullptr);
  EXPECT_EQ(receipts_by(*kenya, *global), 0U);
  EXPECT_EQ(global->store->peers().at(0).held[2], before.held[2]);
  const Head statements = kenya->head(Audience::auth);
  EXPECT_EQ(global->directory->feed(statements.feed)->head.hash, statements.hash);
  // The bytes are free again, so that an honest peer that did not know does not get stuck.
  std::uint64_t freed = 0;
  for (const AckFrame& ack : acknowledgements(wire.listener().take_output())) freed += ack.bytes;
  EXPECT_GE(freed, std::get<SegmentFrame>(content).size);
  confirm(*global);
  exchange();
  EXPECT_TRUE(caught_up);
  expect_at_both(Audience::up, "insight", {"unasked"});
}

// And the other way round: the one that waits is the one that sends.
TEST_F(RestoredNode, NothingButStatementsIsTakenOfAWaitingNodeThatSendsMoreAllTheSame) {
  exchange();
  std::filesystem::remove(global->folder.file("instance"));
  global->restart();
  global->write_text(all, "synthesis", "title", "not ours to send yet");
  Wire wire(*kenya, *global);
  wire.run();
  ASSERT_TRUE(wire.dialler().exchanges_only_statements());
  wire.say_to_dialler(segment_of(*global, Audience::all));
  EXPECT_EQ(wire.dialler().state(), SessionState::open);
  EXPECT_EQ(kenya->values(Audience::all, "synthesis", "title"), Values{});
  confirm(*global);
  exchange();
  expect_at_both(Audience::all, "synthesis", {"not ours to send yet"});
}

TEST_F(RestoredNode, ReceiptsOfAParentCountNoMoreOnceItWasRestored) {
  kenya->write_text(up, "old", "title", "before");
  exchange();
  save(*global);
  kenya->write_text(up, "new", "title", "after the backup");
  kenya->write_text({Audience::to, global->chapter()}, "letter", "title", "after the backup");
  exchange();
  const auto newest = [&](Audience audience) {
    Sequence seq;
    for (const FeedRow row : kenya->replica->directory().own_feeds()) {
      if (kenya->replica->directory().feed(row).intro.audience != audience) continue;
      for (const StoredReceipt& receipt : kenya->store->receipts_of(row))
        if (receipt.node == global->id()) seq = std::max(seq, receipt.seq);
    }
    return seq;
  };
  ASSERT_EQ(newest(Audience::up), Sequence(2));
  ASSERT_EQ(newest(Audience::to), Sequence(1));
  put_back(*global, With::database_only);
  Wire waiting(*kenya, *global);
  waiting.run();
  EXPECT_EQ(newest(Audience::up), Sequence(0));
  EXPECT_EQ(newest(Audience::to), Sequence(0));
  confirm(*global);
  exchange();
  EXPECT_EQ(newest(Audience::up), Sequence(2));
  EXPECT_EQ(newest(Audience::to), Sequence(1));
}

// The same backup was used before: what the node wrote in the life that began then comes back.
TEST_F(RestoredNode, IsNotTakenForPutBackOnceMoreWhenAPersonSaidThatItIsAllThereIs) {
  kenya->write_text(up, "insight", "title", "one");
  exchange();
  save(*global);
  put_back(*global, With::database_only);
  confirm(*global);
  global->write_text(all, "theme", "title", "of the life that is lost");
  exchange();
  kenya->write_text(up, "insight", "title", "two");
  put_back(*global, With::database_only);
  confirm(*global, Complete::yes);
  exchange();
  EXPECT_FALSE(is_waiting(*global));
  EXPECT_EQ(global->values(Audience::up, "insight", "title"), Values{"two"});
  EXPECT_EQ(global->values(Audience::all, "theme", "title"), Values{"of the life that is lost"});
  EXPECT_TRUE(global->replica->value(stored_name::reasserted).empty());
}

TEST_F(RestoredNode, APersonCanSayThatTheRestoredStateIsAllThereIs) {
  exchange();
  std::filesystem::remove(global->folder.file("instance"));
  global->restart();
  EXPECT_TRUE(is_waiting(*global));
  confirm(*global, Complete::yes);
  EXPECT_FALSE(is_waiting(*global));
  kenya->write_text(up, "insight", "title", "since");
  exchange();
  EXPECT_TRUE(caught_up);
  expect_at_both(Audience::up, "insight", {"since"});
}

// Agreeing with the one above says nothing of it: that one may not hold it.
TEST_F(RestoredNode, ASecondHistoryThatOnlyAChildHoldsIsEndedOnceItIsBack) {
  auto kisumu = TestNode::below(*kenya, "KSM");
  kenya->write_text(down, "guidance", "title", "before");
  exchange();
  Wire(*kisumu, *kenya).run();
  save(*kenya);
  kenya->write_text(down, "guidance", "title", "lost");
  Wire(*kisumu, *kenya).run();
  put_back(*kenya, With::whole_folder);
  exchange();  // the one above knows of nothing
  kenya->write_text(down, "guidance", "title", "since");
  for (int i = 0; i < 4; ++i) {
    Wire(*kisumu, *kenya).run();
    exchange();
  }
  for (TestNode* node : {kenya.get(), kisumu.get()}) {
    const auto forked = forked_feeds(*node->directory);
    ASSERT_EQ(forked.size(), 1U);
    EXPECT_TRUE(forked.front().closed);
    EXPECT_EQ(node->values(Audience::down, "guidance", "title"), (Values{"lost", "since"}));
  }
}

// What has left keeps its name, so that whoever erases it later erases all of it.
TEST_F(RestoredNode, WhatAChildWasHandedBeforeTheParentToldIsNotSignedASecondTime) {
  auto kisumu = TestNode::below(*kenya, "KSM");
  exchange();
  Wire(*kisumu, *kenya).run();
  save(*kenya);
  kenya->write_text(up, "lost", "title", "after the backup");
  exchange();
  put_back(*kenya, With::whole_folder);
  kenya->write_text(all, "handed", "title", "to Kisumu");
  kenya->write_text(up, "kept", "title", "to nobody yet");
  for (int i = 0; i < 2; ++i) {
    Wire(*kisumu, *kenya).run();
    ASSERT_EQ(kisumu->values(Audience::all, "handed", "title"), Values{"to Kisumu"});
    exchange();
  }
  EXPECT_TRUE(caught_up);
  EXPECT_EQ(own_feeds(*kenya, Audience::all), 1U);
  EXPECT_EQ(own_feeds(*kenya, Audience::up), 2U);
  expect_at_both(Audience::all, "handed", {"to Kisumu"});
  expect_at_both(Audience::up, "lost", {"after the backup"});
  expect_at_both(Audience::up, "kept", {"to nobody yet"});
}

// Images of field laptops nearly always hold work that was not sent yet.
TEST_F(RestoredNode, WorkThatWaitedInAnImageAndWasSentSinceDoesNotComeTwice) {
  exchange();
  kenya->write_text(up, "insight", "title", "Wanjiku told us");
  kenya->write_text(up, "other", "title", "first");
  save(*kenya);
  exchange();
  erase_texts(*kenya, up, "insight", "title");
  kenya->write_text(up, "other", "title", "second");
  exchange();
  put_back(*kenya, With::whole_folder);
  kenya->write_text(up, "since", "title", "after that");
  exchange();
  EXPECT_TRUE(caught_up);
  expect_at_both(Audience::up, "insight", {});
  expect_at_both(Audience::up, "other", {"second"});
  expect_at_both(Audience::up, "since", {"after that"});
  EXPECT_FALSE(holds_text(*global, "Wanjiku told us"));
}

TEST_F(RestoredNode, WhatWasWrittenOverSeveralStartsIsASecondHistoryThatEnds) {
  kenya->write_text(up, "old", "title", "before");
  exchange();
  save(*kenya);
  kenya->write_text(up, "lost", "title", "after the backup");
  exchange();
  put_back(*kenya, With::whole_folder);
  kenya->write_text(up, "monday", "title", "one day");
  kenya->restart();
  kenya->write_text(up, "tuesday", "title", "the next");
  for (int i = 0; i < 4; ++i) Wire(*kenya, *global).run();
  for (const auto& [record, value] :
       {std::pair("lost", "after the backup"), {"monday", "one day"}, {"tuesday", "the next"}})
    expect_at_both(Audience::up, record, {value});
  for (TestNode* node : {kenya.get(), global.get()}) {
    const auto forked = forked_feeds(*node->directory);
    ASSERT_EQ(forked.size(), 1U);
    EXPECT_TRUE(forked.front().closed);
    EXPECT_EQ(forked.front().aside, 0U);
  }
}

// It never meets the chapter above.
TEST_F(RestoredNode, ASecondComputerHasItsLossBackFromTheOneItCalls) {
  auto laptop = TestNode::beside(*kenya);
  Wire(*laptop, *kenya).run();
  save(*laptop);
  laptop->write_text(up, "lost", "title", "after the backup");
  Wire(*laptop, *kenya).run();
  put_back(*laptop, With::database_only);
  laptop->write_text(up, "since", "title", "after that");
  for (int i = 0; i < 3; ++i) Wire(*laptop, *kenya).run();
  EXPECT_FALSE(is_waiting(*laptop));
  exchange();
  expect_at_both(Audience::up, "lost", {"after the backup"});
  expect_at_both(Audience::up, "since", {"after that"});
}

// One order for what the world has and for what is chained anew: it holds for both.
TEST_F(RestoredNode, WordsOrderedToBeErasedBeforeTheParentToldAreErasedEverywhere) {
  kenya->write_text(all, "insight", "title", "Wanjiku told us");
  exchange();
  save(*kenya);
  kenya->write_text(all, "lost", "title", "after the backup");
  exchange();
  put_back(*kenya, With::whole_folder);
  kenya->write_text(all, "insight", "title", "Wanjiku told us again");
  erase_texts(*kenya, all, "insight", "title");
  exchange();
  EXPECT_TRUE(caught_up);
  EXPECT_EQ(own_feeds(*kenya, Audience::all), 2U);
  expect_at_both(Audience::all, "lost", {"after the backup"});
  expect_at_both(Audience::all, "insight", {});
  EXPECT_FALSE(holds_text(*global, "Wanjiku told us"));
  for (TestNode* node : {global.get(), kenya.get()})
    EXPECT_TRUE(node->replica->erasures().doubtful().empty());
  EXPECT_EQ(kenya->view_hash(), global->view_hash());
}

// What only a child holds, of a life that the backup does not know, is no second roll-back.
TEST_F(RestoredNode, FeedsOfALostLifeThatOnlyAChildHoldsComeBackOnce) {
  auto kisumu = TestNode::below(*kenya, "KSM");
  exchange();
  Wire(*kisumu, *kenya).run();
  save(*kenya);
  std::filesystem::remove(kenya->folder.file("instance"));
  kenya->restart();  // a life that the backup does not know
  exchange();
  kenya->write_text(down, "guidance", "title", "only below");
  Wire(*kisumu, *kenya).run();
  ASSERT_EQ(kisumu->values(Audience::down, "guidance", "title"), Values{"only below"});
  put_back(*kenya, With::database_only);
  exchange();
  EXPECT_FALSE(is_waiting(*kenya));
  for (int i = 0; i < 3; ++i) {
    Wire(*kisumu, *kenya).run();
    exchange();
  }
  EXPECT_EQ(kenya->values(Audience::down, "guidance", "title"), Values{"only below"});
  const Incarnation before = kenya->replica->directory().incarnation();
  Wire last(*kisumu, *kenya);
  last.run();
  EXPECT_TRUE(last.dialler().caught_up());
  EXPECT_EQ(kenya->replica->directory().incarnation(), before);
}

}  // namespace
}  // namespace chapterd
