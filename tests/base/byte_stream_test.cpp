// Reading never passes the end and accepts one form of each number.
#include "base/byte_stream.h"

#include <gtest/gtest.h>

namespace chapterd {
namespace {

TEST(ByteStream, NumbersComeBack) {
  ByteWriter writer;
  writer.u8(1)
      .u16(0x0203)
      .u32(0x04050607)
      .u64(~0ULL)
      .varint(300)
      .varint(~0ULL)
      .zigzag(-1)
      .zigzag(INT64_MIN);
  ByteReader reader(writer.view());
  EXPECT_EQ(reader.u8(), 1);
  EXPECT_EQ(reader.u16(), 0x0203);
  EXPECT_EQ(reader.u32(), 0x04050607U);
  EXPECT_EQ(reader.u64(), ~0ULL);
  EXPECT_EQ(reader.varint(), 300U);
  EXPECT_EQ(reader.varint(), ~0ULL);
  EXPECT_EQ(reader.zigzag(), -1);
  EXPECT_EQ(reader.zigzag(), INT64_MIN);
  EXPECT_TRUE(reader.finished());
}

TEST(ByteStream, LongFormsOfAVarintAreRefused) {
  const Bytes zero_in_two_bytes{0x80, 0x00};
  ByteReader reader(zero_in_two_bytes);
  reader.varint();
  EXPECT_FALSE(reader.good());

  const Bytes too_large{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x02};
  ByteReader large(too_large);
  large.varint();
  EXPECT_FALSE(large.good());
}

TEST(ByteStream, ReadingPastTheEndIsBadForGood) {
  const Bytes two{1, 2};
  ByteReader reader(two);
  EXPECT_EQ(reader.u32(), 0U);
  EXPECT_FALSE(reader.good());
  EXPECT_EQ(reader.u8(), 0);
  EXPECT_FALSE(reader.finished());
}

TEST(ByteStream, ALengthAboveTheLimitIsBad) {
  ByteWriter writer;
  writer.sized_text("abcdef");
  ByteReader reader(writer.view());
  EXPECT_TRUE(reader.sized_bytes(5).empty());
  EXPECT_FALSE(reader.good());
}

}  // namespace
}  // namespace chapterd
