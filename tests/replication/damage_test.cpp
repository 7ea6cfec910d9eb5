// Merged records and entries whose stored bytes changed on the disk.
#include "replication/format/limits.h"
#include "replication/merge.h"
#include "replication/session.h"
#include "tests/support/disk_damage.h"
#include "tests/support/erasing.h"
#include "tests/support/tree.h"

#include <gtest/gtest.h>

namespace chapterd {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): the nodes and their words

struct DamagedNode : Pair {
  // As a failing disk would, while the node is down.
  static void change(TestNode& node, const std::string& sql) {
    change_rows(node.folder.file("chapterd.db"), sql);
    node.restart();
  }

  // Changes a byte of everything merged of a record.
  static void damage(TestNode& node, const std::string& record) {
    change(node,
           "UPDATE layer SET state = cast(substr(state, 1, 20) || x'5A5A' || substr(state, 23) AS "
           "BLOB) WHERE record = x'" +
               to_hex(record_named(record).view()) + "'");
  }

  // Nobody can read the piece with this entry any more.
  static void damage_piece(TestNode& node, const Head& entry) {
    const std::string row = std::to_string(node.replica->directory().feed(entry.feed)->row.value);
    const std::string seq = std::to_string(entry.seq.value);
    change(node, "UPDATE piece SET body = x'5A5A5A' WHERE feed = " + row + " AND seq <= " + seq +
                     " AND seq + count > " + seq);
  }

  static std::string told(TestNode& node) {
    const auto damage = node.replica->take_damage();
    return damage ? damage->code : "";
  }

  static Values names(TestNode& node, const std::string& record) {
    return node.values(Audience::chapter, record, "name");
  }
};

// A peer's change is not what a person should have to wait for: the record is made anew from its
// entries, which have checks of their own.
TEST_F(DamagedNode, APeersChangeOfADamagedRecordIsMergedWithAllThatCameBefore) {
  kenya->write_text(up, "insight", "title", "Cold chain");
  kenya->write_text(up, "insight", "place", "Kisumu");
  Wire(*kenya, *global).run();
  damage(*global, "insight");
  kenya->write_text(up, "insight", "title", "Cold chain, mended");
  Wire wire(*kenya, *global);
  wire.run();
  EXPECT_TRUE(wire.dialler().caught_up());
  EXPECT_EQ(told(*global), "store.damaged-layer");
  EXPECT_EQ(told(*global), "");
  EXPECT_EQ(global->values(Audience::up, "insight", "title"),
            std::vector<std::string>{"Cold chain, mended"});
  EXPECT_EQ(global->values(Audience::up, "insight", "place"), std::vector<std::string>{"Kisumu"});
  EXPECT_EQ(global->view_hash(), kenya->view_hash());
}

TEST_F(DamagedNode, ASealedRecordThatWasChangedOnTheDiskIsToldAndMendedAlike) {
  kenya->write_text(home, "member", "name", "Achieng");
  const auto layers = kenya->store->layers_of(record_named("member"));
  ASSERT_EQ(layers.size(), 1U);
  Bytes sealed = kenya->vault->seal(record_named("member"), layers[0].state);
  sealed.back() ^= 1U;
  EXPECT_FALSE(decode_layer(kenya->vault->open(record_named("member"), sealed)));
}

// Half of a job that met damage.
TEST_F(DamagedNode, WhatIsTakenBackLeavesNothingBehind) {
  kenya->write_text(up, "insight", "title", "kept");
  const Head before = kenya->head(Audience::up);
  ASSERT_TRUE(kenya->replica->write(up, a_change(record_named("insight"), "title", "dropped")));
  ASSERT_TRUE(kenya->replica->write({Audience::down, {}},
                                    a_change(record_named("new"), "title", "dropped")));
  kenya->replica->abandon();
  EXPECT_FALSE(kenya->replica->has_staged());
  kenya->commit();
  EXPECT_EQ(kenya->head(Audience::up).hash, before.hash);
  EXPECT_TRUE(kenya->values(Audience::down, "new", "title").empty());
  kenya->write_text(up, "insight", "title", "after");
  Wire wire(*kenya, *global);
  wire.run();
  EXPECT_TRUE(wire.dialler().caught_up());
  EXPECT_EQ(global->values(Audience::up, "insight", "title"), Values{"after"});
}

// Whoever reads by what the row says would read beside the entries.
TEST_F(DamagedNode, ARowThatDoesNotFitItsEntriesIsTold) {
  const Written written = kenya->write_text(up, "insight", "title", "Cold chain");
  kenya->write_text(up, "other", "title", "so that it is not the newest");
  const SpaceRow space = *kenya->replica->directory().space_row(kenya->chapter(), Audience::up, {});
  const std::string of_it = " WHERE arrival = " + std::to_string(written.arrival.value);
  for (const std::string row : {"count = count + 64", "seq = seq + 64"}) {
    const std::string back = row.substr(0, row.size() - 4) + "- 64";
    change(*kenya, "UPDATE piece SET " + row + of_it);
    EXPECT_THROW(static_cast<void>(kenya->replica->entries_in(space, record_named("insight"))),
                 Damaged)
        << row;
    change(*kenya, "UPDATE piece SET " + back + of_it);
  }
  EXPECT_EQ(kenya->replica->entries_in(space, record_named("insight")).size(), 1U);
}

// It reads well, and is not what its author signed.
TEST_F(DamagedNode, ALetterThatChangedInAnEntryIsNotMerged) {
  kenya->write_text(up, "insight", "title", "Cold chain");
  kenya->write_text(up, "insight", "place", "Kisumu");
  Wire(*kenya, *global).run();
  change(*global,
         "UPDATE piece SET body = cast(replace(cast(body AS TEXT), 'Kisumu', 'Kisuma') AS "
         "BLOB) WHERE instr(body, 'Kisumu') > 0");
  damage(*global, "insight");
  const Change edit = a_change(record_named("insight"), "title", "Cold chain, mended");
  EXPECT_THROW(static_cast<void>(global->replica->entries_in(
                   *global->replica->directory().space_row(kenya->chapter(), Audience::up, {}),
                   record_named("insight"))),
               Damaged);
  kenya->write(up, edit);
  kenya->commit();
  EXPECT_THROW(Wire(*kenya, *global).run(), Damaged);
}

// Two machines of one chapter; what the first writes waits at the second for the key.
struct DamagedOffice : DamagedNode {
  std::unique_ptr<TestNode> office = TestNode::beside(*kenya);

  void meet() {
    for (int i = 0; i < 2; ++i) Wire(*office, *kenya).run();
    arrives("note", "after the keys");
  }

  // Each in a piece of its own.
  Head arrives(const std::string& record, const std::string& name) {
    const Written written = kenya->write_text(home, record, "name", name);
    Wire(*office, *kenya).run();
    return testing::place_of(*kenya, written);
  }
};

TEST_F(DamagedOffice, WhatWaitsForAKeyAndIsDamagedWaitsOnAndHoldsUpNothing) {
  meet();
  office->lock();
  const Head damaged = arrives("first", "Achieng");
  arrives("second", "Daniel");
  damage_piece(*office, damaged);  // starts it again, and unlocks it
  EXPECT_EQ(told(*office), "store.damaged");
  EXPECT_EQ(names(*office, "first"), Values{});
  EXPECT_EQ(names(*office, "second"), Values{"Daniel"});
  EXPECT_EQ(office->store->pending(Arrival(0), 10).size(), 1U);
  office->restart();
  EXPECT_EQ(told(*office), "store.damaged");
  office->write_text(home, "third", "name", "Wanjiku");
  EXPECT_EQ(names(*office, "third"), Values{"Wanjiku"});
}

TEST_F(DamagedOffice, WhatWaitsForAKeyIsMergedOnceIntoARecordThatIsDamaged) {
  meet();
  arrives("member", "Achieng");
  office->lock();
  arrives("member", "Achieng Otieno");
  damage(*office, "member");
  EXPECT_EQ(told(*office), "store.damaged-layer");
  EXPECT_EQ(names(*office, "member"), Values{"Achieng Otieno"});
  EXPECT_EQ(office->view_hash(), kenya->view_hash());
}

// What was erased meanwhile must go from all records that can be read.
TEST_F(DamagedOffice, ARecordThatCannotBeMergedAnewHoldsUpNoOther) {
  meet();
  const Head damaged = arrives("a", "Achieng");
  arrives("b", "Daniel");
  arrives("c", "Wanjiku");
  office->lock();
  testing::erase_texts(*kenya, home, "b", "name");
  testing::erase_texts(*kenya, home, "c", "name");
  Wire(*office, *kenya).run();
  damage_piece(*office, damaged);
  EXPECT_EQ(told(*office), "store.damaged");
  EXPECT_EQ(names(*office, "a"), Values{"Achieng"});
  EXPECT_EQ(names(*office, "b"), Values{});
  EXPECT_EQ(names(*office, "c"), Values{});
}

TEST_F(DamagedOffice, AnOrderToEraseComesToALockedNodeWhoseRecordIsDamaged) {
  meet();
  arrives("member", "Achieng");
  damage(*office, "member");
  office->lock();
  testing::erase_texts(*kenya, home, "member", "name");
  Wire(*office, *kenya).run();
  office->unlock();
  EXPECT_EQ(names(*office, "member"), Values{});
  EXPECT_EQ(office->view_hash(), kenya->view_hash());
}

// What was stolen is revoked, whatever else is wrong.
TEST_F(DamagedNode, ARevocationIsFollowedAsFarAsTheFeedCanBeRead) {
  std::vector<Head> entries;
  for (const char* record : {"before", "damaged", "beyond"}) {
    entries.push_back(
        testing::place_of(*kenya, kenya->write_text(up, record, "title", "by the thief")));
    Wire(*kenya, *global).run();
  }
  damage_piece(*global, entries[1]);
  ASSERT_NO_THROW(global->revoke(kenya->id(), {entries[0]}));
  EXPECT_EQ(told(*global), "store.damaged");
  global->restart();
  EXPECT_TRUE(global->replica->directory().authority().is_revoked(kenya->id()));
  EXPECT_EQ(global->values(Audience::up, "before", "title"), Values{"by the thief"});
  EXPECT_EQ(global->values(Audience::up, "beyond", "title"), Values{});
}

TEST_F(DamagedNode, ACutWithinADamagedPieceHoldsAllTheSame) {
  const Head cut = testing::place_of(*kenya, kenya->write_text(up, "a", "title", "one"));
  kenya->write_text(up, "b", "title", "two");
  Wire(*kenya, *global).run();  // both in one piece
  kenya->write_text(up, "c", "title", "three");
  Wire(*kenya, *global).run();
  damage_piece(*global, cut);
  ASSERT_NO_THROW(global->revoke(kenya->id(), {cut}));
  EXPECT_EQ(Directory::standing_head(*global->replica->directory().feed(cut.feed)), cut);
  EXPECT_EQ(global->values(Audience::up, "c", "title"), Values{});
}

// It is judged again after each start, and whenever a statement comes.
TEST_F(DamagedNode, AnOrderThatDoesNotCountAndIsDamagedHoldsUpNobody) {
  const Written first = kenya->write_text(up, "insight", "title", "Cold chain");
  for (std::size_t i = 0; i < limits::order_reach + 1; ++i)
    static_cast<void>(kenya->write(up, a_change(record_named("other"), "title", "x")));
  kenya->commit();
  Wire(*kenya, *global).run();
  EraseOrder order;
  order.record = record_named("insight");
  order.kind = "note";
  order.entries = {testing::place_of(*kenya, first)};
  const FeedId feed = order.entries[0].feed;
  testing::send_forced_order(*kenya, *global, feed, order);
  ASSERT_EQ(global->replica->erasures().doubtful().size(), 1U);
  damage_piece(*global, testing::head_held(*global, feed));
  auto uganda = TestNode::below(*global, "UG");
  uganda->write_text(up, "insight", "title", "Stock-outs");
  ASSERT_NO_THROW(Wire(*uganda, *global).run());
  EXPECT_EQ(told(*global), "store.damaged");
  EXPECT_EQ(testing::head_held(*global, uganda->head(Audience::up).feed),
            uganda->head(Audience::up));
}

}  // namespace
}  // namespace chapterd
