// Hex and base32 as people and files give them.
#include "base/bytes.h"

#include <gtest/gtest.h>

namespace chapterd {
namespace {

TEST(Bytes, HexComesBack) {
  const Bytes bytes{0x00, 0x7F, 0x80, 0xFF};
  EXPECT_EQ(to_hex(bytes), "007f80ff");
  EXPECT_EQ(from_hex("007F80ff"), bytes);
}

TEST(Bytes, HexOfOddLengthOrOtherCharactersIsRefused) {
  EXPECT_FALSE(from_hex("abc"));
  EXPECT_FALSE(from_hex("zz"));
}

// RFC 4648, section 10.
TEST(Bytes, Base32MatchesTheStandard) {
  EXPECT_EQ(to_base32(as_bytes("foobar")), "MZXW6YTBOI");
  EXPECT_EQ(to_base32(as_bytes("fooba")), "MZXW6YTB");
  EXPECT_EQ(to_base32(as_bytes("f")), "MY");
  EXPECT_EQ(as_text(*from_base32("MZXW6YTBOI")), "foobar");
}

TEST(Bytes, Base32ForgivesHowPeopleType) {
  EXPECT_EQ(as_text(*from_base32("mzxw6-ytboi\n")), "foobar");
  EXPECT_EQ(as_text(*from_base32("MZXW6 YTBOI")), "foobar");
}

TEST(Bytes, Base32RefusesWhatCannotBeItsOwn) {
  EXPECT_FALSE(from_base32("MZ1"));  // 1 is no digit
  EXPECT_FALSE(from_base32("MZ"));   // left-over bits set
  EXPECT_FALSE(from_base32("M"));    // too few bits for a byte
}

}  // namespace
}  // namespace chapterd
