// Sealed bytes open for the right key only.
#include "crypto/seal.h"

#include "tests/crypto/seeded_random.h"
#include "tests/crypto/vectors.h"

#include <gtest/gtest.h>

#include <string>

namespace chapterd {
namespace {

const ByteView plain = as_bytes("a member's telephone number");
const ByteView context = as_bytes("feed and generation");

class Seal : public testing::Test {
 protected:
  SeededRandom random_{1};
  ChapterKey key_ = ChapterKey::generate(random_);
  BoxKey box_ = BoxKey::generate(random_);
};

std::string code_of(const Result<Bytes>& result) {
  return result ? "opened" : result.error().code;
}

TEST_F(Seal, OpensWhatItSealed) {
  const Bytes sealed = key_.seal(plain, context, random_);
  EXPECT_EQ(sealed.size(), plain.size() + seal_overhead_bytes);
  const auto opened = key_.open(sealed, context);
  ASSERT_TRUE(opened) << opened.error().what;
  EXPECT_EQ(as_text(*opened), as_text(plain));
}

TEST_F(Seal, CarriesNothingAsWellAsSomething) {
  const auto opened = key_.open(key_.seal({}, {}, random_), {});
  ASSERT_TRUE(opened);
  EXPECT_TRUE(opened->empty());
}

TEST_F(Seal, OpensWithTheKeyTakenFromItsSecret) {
  const Bytes sealed = key_.seal(plain, context, random_);
  EXPECT_TRUE(ChapterKey::from_secret(key_.secret()).open(sealed, context));
}

TEST_F(Seal, LooksDifferentEachTime) {
  EXPECT_NE(key_.seal(plain, context, random_), key_.seal(plain, context, random_));
}

TEST_F(Seal, RefusesEveryFlippedBit) {
  const Bytes sealed = key_.seal(plain, context, random_);
  for (std::size_t bit = 0; bit < 8 * sealed.size(); ++bit) {
    Bytes changed = sealed;
    changed[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    EXPECT_EQ(code_of(key_.open(changed, context)), "seal.refused") << "bit " << bit;
  }
}

TEST_F(Seal, RefusesEveryOtherLength) {
  Bytes sealed = key_.seal(plain, context, random_);
  for (std::size_t length = 0; length < sealed.size(); ++length) {
    const auto expected = length < seal_overhead_bytes ? "seal.malformed" : "seal.refused";
    EXPECT_EQ(code_of(key_.open(ByteView(sealed).first(length), context)), expected) << length;
  }
  sealed.push_back(0);
  EXPECT_EQ(code_of(key_.open(sealed, context)), "seal.refused");
}

TEST_F(Seal, RefusesAnotherContext) {
  const Bytes sealed = key_.seal(plain, context, random_);
  EXPECT_EQ(code_of(key_.open(sealed, as_bytes("feed and generatioN"))), "seal.refused");
  EXPECT_EQ(code_of(key_.open(sealed, {})), "seal.refused");
}

TEST_F(Seal, RefusesAnotherKey) {
  const Bytes sealed = key_.seal(plain, context, random_);
  EXPECT_EQ(code_of(ChapterKey::generate(random_).open(sealed, context)), "seal.refused");
}

TEST_F(Seal, TellsPeopleWhatHappenedWhatIsSafeAndWhatToDo) {
  const auto refused = key_.open(Bytes(100), context);
  ASSERT_FALSE(refused);
  EXPECT_FALSE(refused.error().what.empty());
  EXPECT_FALSE(refused.error().safe.empty());
  EXPECT_FALSE(refused.error().next.empty());
}

TEST_F(Seal, ToANodeOpensThere) {
  const auto sealed = seal_to(box_.public_key(), plain);
  ASSERT_TRUE(sealed);
  EXPECT_EQ(sealed->size(), plain.size() + seal_to_overhead_bytes);
  const auto opened = open_sealed(box_, *sealed);
  ASSERT_TRUE(opened) << opened.error().what;
  EXPECT_EQ(as_text(*opened), as_text(plain));
}

TEST_F(Seal, ToANodeCarriesNothingAsWellAsSomething) {
  const auto opened = open_sealed(box_, seal_to(box_.public_key(), {}).value());
  ASSERT_TRUE(opened);
  EXPECT_TRUE(opened->empty());
}

TEST_F(Seal, ToANodeDoesNotOpenAtAnother) {
  const Bytes sealed = seal_to(box_.public_key(), plain).value();
  EXPECT_EQ(code_of(open_sealed(BoxKey::generate(random_), sealed)), "seal.refused");
}

TEST_F(Seal, ToANodeRefusesEveryFlippedByteAndEveryCut) {
  const Bytes sealed = seal_to(box_.public_key(), plain).value();
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    Bytes changed = sealed;
    changed[i] ^= 1U;
    EXPECT_EQ(code_of(open_sealed(box_, changed)), "seal.refused") << "byte " << i;
    EXPECT_FALSE(open_sealed(box_, ByteView(sealed).first(i))) << "length " << i;
  }
}

TEST_F(Seal, ToAKeyThatEverybodyCouldReadForIsRefused) {
  EXPECT_EQ(code_of(seal_to(BoxPublicKey{}, plain)), "seal.bad-recipient");
}

}  // namespace
}  // namespace chapterd
