// A database that was put back to an older state: nothing is signed twice, nothing that another
// node holds is lost, and what was written since reaches the others.
#include "tests/replication/restored.h"
#include "tests/store/faulty_vfs.h"
#include "tests/support/bundles.h"

namespace chapterd {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): the fixture and its words

struct Restore : Restored, ::testing::WithParamInterface<With> {};

INSTANTIATE_TEST_SUITE_P(
    , Restore, ::testing::Values(With::database_only, With::whole_folder), [](const auto& with) {
      return with.param == With::database_only ? "DatabaseOnly" : "WholeFolder";
    });

TEST_P(Restore, WhatAChildLostComesBackFromItsParent) {
  kenya->write_text(up, "old", "title", "before");
  exchange();
  save(*kenya);
  kenya->write_text(up, "new", "title", "after the backup");
  kenya->write_text(up, "old", "title", "changed");
  exchange();
  put_back(*kenya, GetParam());
  ASSERT_EQ(kenya->values(Audience::up, "new", "title"), Values{});
  exchange();
  EXPECT_TRUE(caught_up);
  expect_at_both(Audience::up, "new", {"after the backup"});
  expect_at_both(Audience::up, "old", {"changed"});
  EXPECT_FALSE(is_waiting(*kenya));
}

// They are sent before the entries that they are about.
TEST_P(Restore, TheReceiptsOfWhatComesBackComeBackToo) {
  kenya->write_text(up, "old", "title", "before");
  exchange();
  save(*kenya);
  kenya->write_text(up, "new", "title", "after the backup");
  exchange();
  put_back(*kenya, GetParam());
  exchange();
  for (const KnownFeed& feed : kenya->replica->directory().feeds()) {
    if (feed.intro.node != kenya->id() || feed.intro.audience != Audience::up) continue;
    const auto receipts = kenya->store->receipts_of(feed.row);
    ASSERT_EQ(receipts.size(), 1U);
    EXPECT_EQ(receipts[0].seq, feed.head.seq);
  }
}

TEST_P(Restore, WhatAChildWroteOfflineSinceReachesItsParent) {
  kenya->write_text(up, "old", "title", "before");
  exchange();
  save(*kenya);
  for (int i = 0; i < 5; ++i) kenya->write_text(up, "new", "title", std::to_string(i));
  exchange();
  put_back(*kenya, GetParam());
  // More than was lost, so that their numbers alone would not tell.
  kenya->write_text(home, "note", "title", "at home");
  for (int i = 0; i < 8; ++i) kenya->write_text(up, "offline", "title", std::to_string(i));
  kenya->write_text(home, "note", "title", "at home, changed");
  exchange();
  EXPECT_TRUE(caught_up);
  expect_at_both(Audience::up, "old", {"before"});
  expect_at_both(Audience::up, "new", {"4"});
  expect_at_both(Audience::up, "offline", {"7"});
  EXPECT_EQ(kenya->values(Audience::chapter, "note", "title"), Values{"at home, changed"});
  EXPECT_EQ(own_feeds(*kenya, Audience::up), 2U);
  // The records are what the log says, also when they are made anew from it.
  const std::string view = kenya->view_hash();
  ASSERT_TRUE(kenya->replica->rebuild());
  EXPECT_EQ(kenya->view_hash(), view);
}

TEST_P(Restore, FeedsThatWereOpenedAfterTheBackupAreNotOpenedAgain) {
  exchange();
  save(*kenya);
  kenya->write_text(up, "new", "title", "in a feed that the backup does not know");
  exchange();
  put_back(*kenya, GetParam());
  kenya->write_text(up, "offline", "title", "since");
  exchange();
  EXPECT_TRUE(caught_up);
  expect_at_both(Audience::up, "new", {"in a feed that the backup does not know"});
  expect_at_both(Audience::up, "offline", {"since"});
  EXPECT_EQ(own_feeds(*kenya, Audience::up), 2U);
}

TEST_P(Restore, WhatAParentLostComesBackFromItsChildren) {
  kenya->write_text(up, "insight", "title", "before");
  global->write_text(all, "old", "title", "before");
  exchange();
  save(*global);
  kenya->write_text(up, "insight", "title", "changed");
  global->write_text(all, "new", "title", "after the backup");
  exchange();
  put_back(*global, GetParam());
  exchange();
  // There is nobody above it to say what it lost.
  EXPECT_TRUE(is_waiting(*global));
  EXPECT_FALSE(caught_up);
  EXPECT_EQ(global->values(Audience::up, "insight", "title"), Values{"before"});
  confirm(*global);
  exchange();
  EXPECT_TRUE(caught_up);
  expect_at_both(Audience::up, "insight", {"changed"});
  expect_at_both(Audience::all, "new", {"after the backup"});
  global->write_text(all, "old", "title", "since");
  exchange();
  EXPECT_TRUE(caught_up);
  expect_at_both(Audience::all, "old", {"since"});
  EXPECT_EQ(own_feeds(*global, Audience::all), 2U);
  EXPECT_FALSE(is_waiting(*global));
}

TEST_P(Restore, TheSameBackupCanBePutBackTwice) {
  kenya->write_text(up, "insight", "title", "before");
  exchange();
  save(*kenya);
  for (int round = 0; round < 2; ++round) {
    kenya->write_text(up, "round " + std::to_string(round), "title", "exchanged");
    exchange();
    put_back(*kenya, GetParam());
    kenya->write_text(up, "offline " + std::to_string(round), "title", "since");
    exchange();
    EXPECT_TRUE(caught_up);
  }
  for (const char* record : {"round 0", "round 1"})
    expect_at_both(Audience::up, record, {"exchanged"});
  for (const char* record : {"offline 0", "offline 1"})
    expect_at_both(Audience::up, record, {"since"});
}

using RestoreOnce = Restore;

INSTANTIATE_TEST_SUITE_P(Only, RestoreOnce, ::testing::Values(With::database_only));

TEST_P(RestoreOnce, ANewFeedNamesTheOneThatItContinues) {
  kenya->write_text(up, "insight", "title", "before");
  const Head tip = kenya->head(Audience::up);
  save(*kenya);
  kenya->write_text(up, "insight", "title", "lost");
  kenya->write_text(up, "insight", "title", "lost too");
  put_back(*kenya, GetParam());
  EXPECT_TRUE(is_waiting(*kenya));
  const Written written = kenya->write_text(up, "insight", "title", "since");
  const FeedIntro& intro = kenya->replica->directory().feed(written.feed).intro;
  EXPECT_EQ(written.seq, Sequence(1));
  EXPECT_EQ(intro.predecessors, (std::vector<Predecessor>{{tip, Continues::restore}}));
}

// What was saved and had not been sent is in the backup, and goes out as it was chained.
TEST_P(RestoreOnce, WhatTheBackupHeldAndHadNotSentIsSent) {
  kenya->write_text(up, "insight", "title", "waits in the backup");
  save(*kenya);
  kenya->write_text(up, "insight", "title", "lost");
  kenya->write_text(up, "insight", "title", "lost too");
  put_back(*kenya, GetParam());
  exchange();
  expect_at_both(Audience::up, "insight", {"waits in the backup"});
}

TEST_P(RestoreOnce, ADatabaseWithoutItsFileBeginsANewIncarnation) {
  kenya->write_text(up, "insight", "title", "before");
  const Incarnation before = kenya->replica->directory().incarnation();
  const Epoch epoch = kenya->replica->directory().epoch();
  std::filesystem::remove(kenya->folder.file("instance"));
  kenya->restart();
  EXPECT_NE(kenya->replica->directory().incarnation(), before);
  EXPECT_NE(kenya->replica->directory().epoch(), epoch);
  // And only one.
  const Incarnation now = kenya->replica->directory().incarnation();
  kenya->restart();
  EXPECT_EQ(kenya->replica->directory().incarnation(), now);
}

TEST_P(RestoreOnce, AStartAfterACrashBeginsNoIncarnation) {
  const Incarnation before = kenya->replica->directory().incarnation();
  for (int i = 0; i < 3; ++i) {
    kenya->write_text(up, "insight", "title", std::to_string(i));
    kenya->restart();  // without close()
  }
  exchange();
  EXPECT_EQ(kenya->replica->directory().incarnation(), before);
  EXPECT_FALSE(is_waiting(*kenya));
}

TEST_P(RestoreOnce, ACrashBetweenDatabaseAndFileIsNoRollback) {
  kenya->write_text(up, "insight", "title", "before");
  kenya->restart();
  const Incarnation before = kenya->replica->directory().incarnation();
  DiesBeforeWriting dying(*kenya->mark);
  kenya->replica->keep_mark(dying);
  EXPECT_THROW(kenya->write_text(up, "insight", "title", "saved"), Broken);
  kenya->restart();
  EXPECT_EQ(kenya->replica->directory().incarnation(), before);
  EXPECT_EQ(kenya->values(Audience::up, "insight", "title"), Values{"saved"});
}

TEST_P(RestoreOnce, ACrashInTheMiddleOfANewIncarnationEndsInOne) {
  kenya->write_text(up, "insight", "title", "before");
  std::filesystem::remove(kenya->folder.file("instance"));
  DiesBeforeWriting dying(*kenya->mark);
  EXPECT_THROW(kenya->replica->keep_mark(dying), Broken);
  kenya->restart();
  EXPECT_TRUE(is_waiting(*kenya));
  exchange();
  EXPECT_TRUE(caught_up);
  expect_at_both(Audience::up, "insight", {"before"});
}

TEST_P(RestoreOnce, AGroupThatAFullDiskRefusedLeavesNoMarkBehind) {
  kenya->write_text(up, "insight", "title", "before");
  kenya->restart(faulty_vfs());
  const Incarnation before = kenya->replica->directory().incarnation();
  faults().room_bytes = 0;
  EXPECT_THROW(kenya->write_text(up, "insight", "title", "refused"), DiskFull);
  faults() = Faults{};
  kenya->replica->set_value("test/value", {1});  // a commit without entries of our own
  kenya->commit();
  kenya->restart();
  EXPECT_EQ(kenya->replica->directory().incarnation(), before);
}

TEST_P(RestoreOnce, ANodeThatOnlyItsParentCanTellSendsNothingBeforeItsNewIncarnation) {
  exchange();
  save(*kenya);
  kenya->write_text(up, "new", "title", "in a feed that the backup does not know");
  exchange();
  put_back(*kenya, With::whole_folder);
  Wire wire(*kenya, *global);
  wire.run();
  EXPECT_EQ(wire.dialler().end_code(), "node.rolled-back");
  EXPECT_EQ(wire.dialler().entries_sent(), 0U);
  EXPECT_TRUE(is_waiting(*kenya));
}

// A file bears no witness: what it brings of our own is the first that tells.
TEST_P(RestoreOnce, ABundleWithLostEntriesMakesNoSecondHistoryOfWhatWasWrittenSince) {
  auto uganda = TestNode::below(*global, "UG");
  kenya->write_text(all, "old", "title", "before");
  exchange();
  save(*kenya);
  kenya->write_text(all, "new", "title", "after the backup");
  exchange();
  Wire(*uganda, *global).run();
  put_back(*kenya, With::whole_folder);
  kenya->write_text(all, "offline", "title", "since");
  const Bytes file = write_bundle(*uganda, *kenya);
  EXPECT_EQ(read_bundle(*kenya, file).refused, std::vector<std::string>{"piece.rolled-back"});
  EXPECT_TRUE(is_waiting(*kenya));
  EXPECT_TRUE(read_bundle(*kenya, file).complete);
  EXPECT_EQ(kenya->values(Audience::all, "new", "title"), Values{"after the backup"});
  exchange();
  EXPECT_TRUE(caught_up);
  expect_at_both(Audience::all, "new", {"after the backup"});
  expect_at_both(Audience::all, "offline", {"since"});
  for (TestNode* node : {kenya.get(), global.get()})
    EXPECT_TRUE(node->replica->directory().forked().empty());
}

TEST_P(RestoreOnce, AParentThatLearnsOfItFromBelowSpeaksAnewToEverybody) {
  global->write_text(all, "old", "title", "before");
  exchange();
  save(*global);
  global->write_text(all, "new", "title", "after the backup");
  exchange();
  put_back(*global, With::whole_folder);
  Wire wire(*kenya, *global);
  wire.run();
  EXPECT_EQ(wire.listener().end_code(), "node.rolled-back");
  EXPECT_EQ(wire.listener().entries_sent(), 0U);
  EXPECT_TRUE(is_waiting(*global));
}

// The tests above put older states back in the middle of a run; this one after a thousand entries
// and without an orderly end.
TEST_P(RestoreOnce, AThousandEntriesRaiseTheMarkWithoutAnyEnd) {
  kenya->write_text(up, "insight", "title", "before");
  const auto before = kenya->mark->read();
  for (std::size_t i = 0; i < limits::mark_entries; ++i)
    static_cast<void>(kenya->write(up, a_change(record_named("many"), "title", std::to_string(i))));
  kenya->commit();
  ASSERT_TRUE(before && kenya->mark->read());
  EXPECT_EQ(kenya->mark->read()->number, before->number + 1);
}

}  // namespace
}  // namespace chapterd
