// Codes of a recovery kit, as people copy them.
#include "crypto/kit_code.h"

#include "base/byte_stream.h"
#include "crypto/hash.h"
#include "tests/crypto/seeded_random.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace chapterd {
namespace {

struct KitCode : ::testing::Test {
  SeededRandom random{5};
  Bytes federation = Bytes(32, 0xFE);
  Bytes secret = Bytes(kit_secret_bytes);

  KitCode() { random.fill(secret); }
};

TEST_F(KitCode, ComesBackHoweverItIsTyped) {
  const std::string code = kit_code(KitPart::chapter, federation, secret);
  EXPECT_EQ(code.size(), 68U + 13U);  // fourteen groups
  std::string typed;
  for (const char c : code) typed += c == '-' ? std::string(" \n") : std::string(1, c);
  std::ranges::transform(typed, typed.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  const auto read = read_kit_code(typed, federation);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->part, KitPart::chapter);
  EXPECT_TRUE(std::ranges::equal(read->secret.view(), secret));
}

TEST_F(KitCode, EveryMistypedLetterIsNoticed) {
  const std::string code = kit_code(KitPart::authority, federation, secret);
  for (std::size_t at = 0; at < code.size(); ++at) {
    if (code[at] == '-') continue;
    std::string typed = code;
    typed[at] = typed[at] == 'Q' ? 'R' : 'Q';
    const auto read = read_kit_code(typed, federation);
    ASSERT_FALSE(read) << at;
    EXPECT_EQ(read.error().code, "kit.mistyped") << at;
  }
  EXPECT_FALSE(read_kit_code(code.substr(6), federation));
  EXPECT_FALSE(read_kit_code("", federation));
}

TEST_F(KitCode, AnotherFederationsCodeIsToldAsSuch) {
  const std::string code = kit_code(KitPart::recovery, federation, secret);
  const auto read = read_kit_code(code, Bytes(32, 0xFD));
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, "kit.other-federation");
}

// Its letters fit each other, but no program of today made it.
TEST_F(KitCode, OfAnotherVersionOrForAnUnknownKeyIsNotTaken) {
  const auto read = [&](std::uint8_t version, std::uint8_t part) {
    ByteWriter out;
    out.u8(version).u8(part).bytes(ByteView(federation).first(4)).bytes(secret);
    const Digest digest = hash("chapterd/kit-check/1", out.view());
    const Bytes code = out.bytes(digest.view().first(4)).take();
    return read_kit_code(to_base32(code), federation);
  };
  EXPECT_TRUE(read(1, 1));
  for (const auto& other : {read(2, 1), read(1, 0), read(1, 4)})
    EXPECT_EQ(other.error().code, "kit.mistyped");
}

TEST_F(KitCode, NamesItsKey) {
  EXPECT_EQ(name_of(KitPart::authority), "authority");
  EXPECT_EQ(name_of(KitPart::chapter), "chapter");
  EXPECT_EQ(name_of(KitPart::recovery), "recovery");
}

}  // namespace
}  // namespace chapterd
