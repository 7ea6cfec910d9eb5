// Merged records and entries whose stored bytes changed on the disk.
#include "replication/merge.h"
#include "replication/session.h"
#include "tests/support/disk_damage.h"
#include "tests/support/tree.h"

#include <gtest/gtest.h>

namespace chapterd {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): the nodes and their words

struct DamagedNode : Pair {
  // Changes a byte of everything merged of a record, as a failing disk would.
  static void damage(TestNode& node, const std::string& record) {
    const std::string sql =
        "UPDATE layer SET state = cast(substr(state, 1, 20) || x'5A5A' || substr(state, 23) AS "
        "BLOB) WHERE record = x'" +
        to_hex(record_named(record).view()) + "'";
    change_rows(node.folder.file("chapterd.db"), sql);
    node.restart();
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
  EXPECT_EQ(global->replica->mended_layers(), 1U);
  EXPECT_EQ(global->values(Audience::up, "insight", "title"), Values{"Cold chain, mended"});
  EXPECT_EQ(global->values(Audience::up, "insight", "place"), Values{"Kisumu"});
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

}  // namespace
}  // namespace chapterd
