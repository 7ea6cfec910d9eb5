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
  const std::vector<Bytes> revoked = {{1, 2, 3}, Bytes(16 * 1024, 7)};
  ASSERT_TRUE(file.write(mark_of(3, 41), {}));
  EXPECT_TRUE(file.read_revocations().empty());
  ASSERT_TRUE(file.write(mark_of(3, 42), revoked));
  EXPECT_EQ(file.read(), mark_of(3, 42));
  EXPECT_EQ(file.read_revocations(), revoked);
}

TEST(HighWater, AFileOfAnOlderProgramHasAMarkAndNoRevocations) {
  const ScratchFolder folder;
  ASSERT_TRUE(write_file_durably(folder.file("instance"), encode(mark_of(3, 42))));
  MarkFile file(folder.file("instance"));
  EXPECT_EQ(file.read(), mark_of(3, 42));
  EXPECT_TRUE(file.read_revocations().empty());
}

TEST(HighWater, DamageToOnePartOfTheFileLeavesTheOther) {
  const ScratchFolder folder;
  const std::string path = folder.file("instance");
  MarkFile file(path);
  const std::vector<Bytes> revoked = {{1, 2, 3}, {4, 5}};
  ASSERT_TRUE(file.write(mark_of(3, 42), revoked));
  const Bytes good = *read_file(path, 1000);
  const std::size_t mark_bytes = encode(mark_of(3, 42)).size();
  for (std::size_t at = 0; at < good.size(); ++at) {
    Bytes bad = good;
    bad[at] ^= 1U;
    ASSERT_TRUE(write_file_durably(path, bad));
    EXPECT_EQ(file.read().has_value(), at >= mark_bytes) << at;
    EXPECT_EQ(file.read_revocations(), at < mark_bytes ? revoked : std::vector<Bytes>{}) << at;
  }
  for (std::size_t size = mark_bytes; size < good.size(); ++size) {
    ASSERT_TRUE(write_file_durably(path, ByteView(good).first(size)));
    EXPECT_EQ(file.read(), mark_of(3, 42)) << size;
    EXPECT_TRUE(file.read_revocations().empty()) << size;
  }
}

TEST(HighWater, TheFileStaysBounded) {
  const ScratchFolder folder;
  MarkFile file(folder.file("instance"));
  ASSERT_TRUE(file.write(mark_of(3, 42), std::vector<Bytes>(100, Bytes(16 * 1024, 7))));
  EXPECT_EQ(file.read(), mark_of(3, 42));
  EXPECT_EQ(file.read_revocations().size(), 63U);
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
