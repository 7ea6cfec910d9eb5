// Bytes that a disk changed inside a row are never taken for what was stored.
#include "replication/store/sqlite/row_checks.h"

#include "replication/store/sqlite/sqlite_store.h"
#include "tests/store/builders.h"
#include "tests/store/scratch_folder.h"
#include "tests/support/disk_damage.h"

#include <gtest/gtest.h>

namespace chapterd {
namespace {

const Bytes damaged(std::begin(damaged_state), std::end(damaged_state));

TEST(RowChecks, AStateWithAnyBitChangedIsDamaged) {
  const StoredLayer layer = layer_of(1, 2, 3, 4);
  const Bytes state = {1, 2, 3, 4, 5};
  const Bytes stored = with_check(layer, state);
  EXPECT_EQ(without_check(layer, stored), state);
  for (std::size_t bit = 0; bit < 8 * stored.size(); ++bit) {
    Bytes changed = stored;
    changed[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    EXPECT_EQ(without_check(layer, changed), damaged) << bit;
  }
  for (std::size_t size = 0; size < stored.size(); ++size)
    EXPECT_EQ(without_check(
                  layer, Bytes(stored.begin(), stored.begin() + static_cast<std::ptrdiff_t>(size))),
              damaged)
        << size;
}

class ChangedRow : public ::testing::Test {
 protected:
  ChangedRow() {
    auto store = SqliteStore::open(path_, {});
    (*store)->commit(ground());
    (*store)->commit(one_of_everything());
  }

  std::unique_ptr<SqliteStore> changed_by(const char* sql) {
    testing::change_rows(path_, sql);
    return std::move(*SqliteStore::open(path_, {}));
  }

  ScratchFolder folder_;
  std::string path_ = folder_.file("chapterd.db");
};

TEST_F(ChangedRow, ALayerInAnotherSpaceRecordOrKindIsDamaged) {
  for (const char* sql :
       {"UPDATE layer SET space = 2", "UPDATE layer SET space = 1, kind = 2",
        "UPDATE layer SET kind = 1, newest = 99", "UPDATE layer SET record = zeroblob(16)"}) {
    const auto store = changed_by(sql);
    const auto layers = store->layers_after(LayerRow(0), 10);
    ASSERT_EQ(layers.size(), 1U);
    EXPECT_EQ(layers[0].state, damaged) << sql;
  }
}

TEST_F(ChangedRow, AFeedASpaceOrAKindIsNotRead) {
  EXPECT_THROW(
      static_cast<void>(
          changed_by("UPDATE space SET audience = 3 WHERE row = 1")->spaces_after(SpaceRow(0))),
      Damaged);
  EXPECT_THROW(
      static_cast<void>(
          changed_by("UPDATE kind SET name = 'renew' WHERE row = 3")->kinds_after(KindRow(0))),
      Damaged);
  EXPECT_THROW(
      static_cast<void>(changed_by("UPDATE feed SET stands_seq = 1 WHERE row = 1")->cut_feeds()),
      Damaged);
}

}  // namespace
}  // namespace chapterd
