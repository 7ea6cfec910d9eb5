// Bundles that were cut, changed or put together by somebody else.
#include "replication/format/limits.h"
#include "tests/support/bundles.h"
#include "tests/support/tree.h"

#include <gtest/gtest.h>

namespace chapterd {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): the nodes and their words

using DamagedBundle = Pair;

TEST_F(DamagedBundle, EveryByteFlippedIsRefusedOrHarmless) {
  kenya->write_text(up, "insight", "title", "boats");
  const Bytes file = write_bundle(*kenya, *global);
  const std::size_t trailer = item_ends(file).rbegin()[1];
  for (std::size_t at = 0; at < file.size(); ++at) {
    Bytes changed = file;
    changed[at] ^= 1U << (at % 8);
    const BundleOutcome outcome = read_bundle(*global, changed);
    ASSERT_FALSE(outcome.complete) << at;
    ASSERT_FALSE(outcome.moved_cursor) << at;
    // A damaged end leaves what came before it good, and the whole not believed.
    ASSERT_TRUE(at >= trailer || outcome.entries == 0) << at;
  }
  EXPECT_EQ(global->view_hash(), kenya->view_hash());
  EXPECT_TRUE(read_bundle(*global, file).complete);
}

TEST_F(DamagedBundle, TruncatedAnywhereImportsWhatVerifiesAndIsNeverComplete) {
  write_noise(*kenya, up, 3000, 500);
  const Bytes file = write_bundle(*kenya, *global);
  const auto ends = item_ends(file);
  ASSERT_GT(ends.size(), 20U);
  std::uint64_t held = global->entries();
  for (std::size_t i = 0; i + 1 < ends.size(); ++i) {
    for (const std::size_t size : {ends[i] - 1, ends[i]}) {
      const BundleOutcome outcome = read_bundle(*global, ByteView(file).first(size));
      ASSERT_FALSE(outcome.complete);
      ASSERT_FALSE(outcome.moved_cursor);
      ASSERT_GE(global->entries(), held);
      held = global->entries();
    }
  }
  EXPECT_EQ(global->view_hash(), kenya->view_hash());  // the last cut took the trailer only
  EXPECT_TRUE(read_bundle(*global, file).complete);
}

TEST_F(DamagedBundle, ByteFlippedInOneOfSeveralRunsLeavesWhatCameBeforeAndNothingElse) {
  write_noise(*kenya, up, 4500, 500);
  const Bytes file = write_bundle(*kenya, *global);
  ASSERT_GT(file.size(), limits::bundle_run_bytes);
  std::uint64_t held = global->entries();
  for (int i = 0; i < 24; ++i) {
    const std::size_t at = file.size() * static_cast<std::size_t>(i) / 24 + random.below(1000);
    Bytes changed = file;
    changed[at] ^= static_cast<std::uint8_t>(1U << random.below(8));
    const BundleOutcome outcome = read_bundle(*global, changed);
    ASSERT_NE(outcome.code, "") << at;
    ASSERT_FALSE(outcome.complete) << at;
    ASSERT_FALSE(outcome.moved_cursor) << at;
    ASSERT_TRUE(outcome.refused.empty()) << at << outcome.refused.front();
    ASSERT_GE(global->entries(), held);
    held = global->entries();
  }
  EXPECT_GT(held, global->head(Audience::auth).seq.value + 100);  // earlier runs were taken
  EXPECT_TRUE(read_bundle(*global, file).complete);
  EXPECT_EQ(global->view_hash(), kenya->view_hash());
}

TEST_F(DamagedBundle, ChunksOfAnotherBundleOrInAnotherOrderDoNotOpen) {
  kenya->write_text(up, "insight", "title", "boats");
  const Bytes one = write_bundle(*kenya, *global);
  const Bytes other = write_bundle(*kenya, *global);
  const std::size_t head = item_ends(one).front();
  Bytes mixed(one.begin(), one.begin() + static_cast<std::ptrdiff_t>(head));
  append(mixed, ByteView(other).subspan(item_ends(other).front()));
  EXPECT_EQ(read_bundle(*global, mixed).code, "bundle.damaged");
  Bytes longer = one;
  longer.push_back(0);
  EXPECT_FALSE(read_bundle(*global, longer).complete);
}

}  // namespace
}  // namespace chapterd
