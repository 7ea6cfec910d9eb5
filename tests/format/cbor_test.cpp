// Deterministic CBOR and UTF-8: what is allowed reads and writes to the same bytes, the rest is
// refused.
#include "replication/format/cbor.h"

#include "tests/crypto/seeded_random.h"
#include "tests/crypto/vectors.h"
#include "tests/format/describe.h"
#include "tests/support/copy_item.h"

#include <gtest/gtest.h>

#include <cmath>

namespace chapterd {
namespace {

using testing::copy_item;

const Json& appendix_a() {
  static const Json examples = [] {
    std::ifstream in(CHAPTERD_SOURCE_DIR "/tests/vectors/cbor_appendix_a.json");
    return Json::parse(in);
  }();
  return examples;
}

bool is_item(ByteView bytes, unsigned depth = 32) {
  CborReader in(bytes);
  in.item(depth);
  return in.finished();
}

Bytes nested(std::size_t levels) {
  Bytes bytes(levels, 0x81);
  bytes.push_back(0x00);
  return bytes;
}

TEST(Cbor, ReadsAndWritesTheExamplesOfTheRfcToTheSameBytes) {
  for (const Json& example : appendix_a()["allowed"]) {
    const Bytes bytes = hex(example["hex"].get<std::string>());
    EXPECT_TRUE(is_item(bytes)) << example;
    CborReader in(bytes);
    CborWriter out;
    copy_item(in, out);
    EXPECT_TRUE(in.finished()) << example;
    EXPECT_EQ(to_hex(out.view()), example["hex"].get<std::string>());
    EXPECT_EQ(describe_cbor(bytes), example["reads"]) << example["hex"];
  }
}

TEST(Cbor, RefusesTheExamplesOfTheRfcThatAreOutsideTheSubset) {
  for (const Json& example : appendix_a()["refused"]) {
    EXPECT_FALSE(is_item(hex(example["hex"].get<std::string>()))) << example;
  }
}

TEST(Cbor, RefusesWhatIsNotDeterministicOrNotWellFormed) {
  for (const Json& example : appendix_a()["malformed"]) {
    EXPECT_FALSE(is_item(hex(example["hex"].get<std::string>()))) << example;
  }
}

TEST(Cbor, ReadsUnsignedNumbersOf64BitsWhereTheyAreAskedFor) {
  const Bytes most = hex("1bffffffffffffffff");
  CborReader in(most);
  EXPECT_EQ(in.uint(), UINT64_MAX);
  EXPECT_TRUE(in.finished());
  EXPECT_EQ(CborWriter().uint(UINT64_MAX).take(), most);
}

TEST(Cbor, KeepsTheBordersOfSignedNumbers) {
  for (const std::int64_t number : {INT64_MIN, INT64_MIN + 1, INT64_MAX}) {
    const Bytes bytes = CborWriter().integer(number).take();
    CborReader in(bytes);
    EXPECT_EQ(in.integer(), number);
    EXPECT_TRUE(in.finished());
  }
}

TEST(Cbor, WritesEveryNumberAndSizeInItsShortestForm) {
  for (unsigned bit = 0; bit < 63; ++bit) {
    for (const int step : {-1, 0, 1}) {
      const std::int64_t number = (INT64_C(1) << bit) + step;
      EXPECT_TRUE(is_item(CborWriter().integer(number).take())) << number;
      EXPECT_TRUE(is_item(CborWriter().integer(-number).take())) << number;
    }
  }
}

TEST(Cbor, WritesEveryHalfFloatInThreeBytesAndReadsItBack) {
  for (std::uint32_t half = 0; half <= 0xFFFF; ++half) {
    ByteWriter raw;
    const Bytes bytes = raw.u8(0xF9).u16(static_cast<std::uint16_t>(half)).take();
    CborReader in(bytes);
    const double value = in.real();
    const bool is_nan = (half & 0x7C00U) == 0x7C00U && (half & 0x3FFU) != 0;
    ASSERT_EQ(in.finished(), !is_nan || half == 0x7E00) << half;
    if (in.good()) {
      ASSERT_EQ(CborWriter().real(value).take(), bytes) << half;
    }
  }
}

TEST(Cbor, ReadsBackEveryFloatThatItWrites) {
  SeededRandom random(1);
  for (int i = 0; i < 20'000; ++i) {
    std::uint64_t bits = random.number();
    if (i % 3 == 1) bits &= ~((1ULL << 29U) - 1);  // fits a binary32 when the exponent does
    if (i % 3 == 2) bits &= ~((1ULL << 42U) - 1);  // fits a binary16 when the exponent does
    const auto value = std::bit_cast<double>(bits);
    const Bytes bytes = CborWriter().real(value).take();
    CborReader in(bytes);
    const double read = in.real();
    ASSERT_TRUE(in.finished()) << to_hex(bytes);
    if (!std::isnan(value)) {
      ASSERT_EQ(read, value);
    }
  }
}

TEST(Cbor, GoesThirtyTwoLevelsDeepAndNotFurther) {
  EXPECT_TRUE(is_item(nested(32)));
  EXPECT_FALSE(is_item(nested(33)));
  EXPECT_FALSE(is_item(nested(100'000)));
}

TEST(Cbor, RefusesEveryTruncationOfANestedItem) {
  const Bytes bytes = hex("a261616163626162820182f5a0");
  ASSERT_TRUE(is_item(bytes));
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(is_item(ByteView(bytes).first(size))) << size;
  }
}

TEST(Cbor, RefusesCountsThatTheBytesCannotHoldBeforeAllocating) {
  EXPECT_FALSE(is_item(hex("9b7fffffffffffffff")));
  EXPECT_FALSE(is_item(hex("bb7fffffffffffffff")));
  EXPECT_FALSE(is_item(hex("5b7fffffffffffffff")));
  EXPECT_FALSE(is_item(hex("7b7fffffffffffffff")));
}

TEST(Cbor, StaysBadAfterTheFirstMistake) {
  const Bytes bytes = hex("f70102");
  CborReader in(bytes);
  EXPECT_EQ(in.uint(), 0U);
  EXPECT_EQ(in.uint(), 0U);
  EXPECT_FALSE(in.good());
  EXPECT_EQ(in.peek(), CborType::invalid);
}

TEST(Cbor, OrdersKeysByLengthFirstAsTheirEncodingsDo) {
  const std::vector<std::string> keys{
      "", "b", "z", "\xC3\xA9", "aa", "aaa", std::string(24, 'a'), std::string(300, 'a')};
  for (const std::string& a : keys) {
    for (const std::string& b : keys) {
      const Bytes left = CborWriter().text(a).take();
      const Bytes right = CborWriter().text(b).take();
      EXPECT_EQ(cbor_key_less(a, b), left < right) << a << " and " << b;
    }
  }
}

TEST(Utf8, AcceptsExactlyTheCodePointsOfTheRfc) {
  const std::vector<std::pair<std::string, bool>> table{
      {"", true},
      {"plain", true},
      {"eight by eight by eight \xC2\x80", true},
      {std::string("\0", 1), true},
      {"\x7F", true},
      {"\xC2\x80", true},
      {"\xDF\xBF", true},
      {"\xE0\xA0\x80", true},
      {"\xED\x9F\xBF", true},
      {"\xEE\x80\x80", true},
      {"\xEF\xBF\xBF", true},
      {"\xF0\x90\x80\x80", true},
      {"\xF4\x8F\xBF\xBF", true},
      {"\x80", false},              // continuation alone
      {"\xBF", false},              //
      {"\xC0\x80", false},          // overlong zero
      {"\xC1\xBF", false},          // overlong
      {"\xC2", false},              // cut short
      {"\xC2\x41", false},          // no continuation
      {"\xE0\x9F\xBF", false},      // overlong
      {"\xE2\x82", false},          // cut short
      {"\xED\xA0\x80", false},      // first surrogate
      {"\xED\xBF\xBF", false},      // last surrogate
      {"\xF0\x8F\xBF\xBF", false},  // overlong
      {"\xF4\x90\x80\x80", false},  // above U+10FFFF
      {"\xF5\x80\x80\x80", false},  // above U+10FFFF
      {"\xF8\x88\x80\x80\x80", false},
      {"\xFE", false},
      {"\xFF", false},
      {"1234567\x80", false},
      {"12345678\xFF", false},
  };
  for (const auto& [text, valid] : table) {
    EXPECT_EQ(is_utf8(text), valid) << to_hex(as_bytes(text));
  }
}

TEST(Utf8, AcceptsEveryCodePointButSurrogates) {
  for (std::uint32_t point = 0x80; point <= 0x110000; ++point) {
    std::string text;
    const auto tail = [&](unsigned shift) {
      text += static_cast<char>(0x80U | (point >> shift & 0x3FU));
    };
    if (point < 0x800) {
      text += static_cast<char>(0xC0U | point >> 6U);
    } else if (point < 0x10000) {
      text += static_cast<char>(0xE0U | point >> 12U);
      tail(6);
    } else {
      text += static_cast<char>(0xF0U | point >> 18U);
      tail(12), tail(6);
    }
    tail(0);
    const bool valid = point < 0x110000 && (point < 0xD800 || point > 0xDFFF);
    ASSERT_EQ(is_utf8(text), valid) << point;
  }
}

}  // namespace
}  // namespace chapterd
