// Two copies of one mark: what they say together, and that a damaged one counts as none.
#include "replication/store/high_water.h"

#include "replication/store/folder.h"
#include "tests/store/scratch_folder.h"

#include <gtest/gtest.h>

namespace chapterd {
namespace {

ExportMark mark_of(std::uint8_t token, std::uint64_t number) {
  ExportMark mark;
  mark.token.bytes.fill(token);
  mark.number = number;
  return mark;
}

TEST(HighWater, ANewNodeHasNoMarkYet) {
  EXPECT_EQ(compare_marks({}, {}), MarkVerdict::fresh);
}

TEST(HighWater, AFirstStartCutShortIsNoRollback) {
  EXPECT_EQ(compare_marks({}, mark_of(1, 0)), MarkVerdict::fresh);
}

TEST(HighWater, EqualMarksBelongTogether) {
  EXPECT_EQ(compare_marks(mark_of(1, 7), mark_of(1, 7)), MarkVerdict::same);
}

TEST(HighWater, ACrashBeforeTheFileIsWrittenIsNoRollback) {
  EXPECT_EQ(compare_marks(mark_of(1, 6), mark_of(1, 7)), MarkVerdict::same);
}

TEST(HighWater, AnOlderDatabaseIsNoticed) {
  EXPECT_EQ(compare_marks(mark_of(1, 7), mark_of(1, 6)), MarkVerdict::rolled_back);
}

TEST(HighWater, ADatabaseFromBeforeItsFirstMarkIsNoticed) {
  EXPECT_EQ(compare_marks(mark_of(1, 7), {}), MarkVerdict::rolled_back);
}

TEST(HighWater, ADatabaseCopiedWithoutItsFileIsNoticed) {
  EXPECT_EQ(compare_marks({}, mark_of(1, 1)), MarkVerdict::file_missing);
}

TEST(HighWater, AFileOfAnotherLifeIsNoticed) {
  EXPECT_EQ(compare_marks(mark_of(2, 1), mark_of(1, 7)), MarkVerdict::other_pair);
}

TEST(HighWater, TheFileGivesBackWhatWasWritten) {
  const ScratchFolder folder;
  MarkFile file(folder.file("instance"));
  EXPECT_FALSE(file.read());
  ASSERT_TRUE(file.write(mark_of(3, 41)));
  ASSERT_TRUE(file.write(mark_of(3, 42)));
  EXPECT_EQ(file.read(), mark_of(3, 42));
}

TEST(HighWater, AnyChangedBitMakesItNoMark) {
  const Bytes good = encode(mark_of(3, 42));
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    Bytes bad = good;
    bad[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    EXPECT_FALSE(decode_export_mark(bad)) << bit;
  }
  for (std::size_t size = 0; size < good.size(); ++size)
    EXPECT_FALSE(decode_export_mark(ByteView(good).first(size))) << size;
}

}  // namespace
}  // namespace chapterd
