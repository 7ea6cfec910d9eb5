// Salts and commitments against values computed elsewhere.
#include "crypto/commitment.h"

#include <gtest/gtest.h>

#include <numeric>

namespace chapterd {
namespace {

template <class F>
F counting() {
  F value;
  std::iota(value.bytes.begin(), value.bytes.end(), std::uint8_t{0});
  return value;
}

// python3: hashlib.blake2b((258).to_bytes(8, "big"), key=bytes(range(16)), digest_size=16)
TEST(Commitment, SaltIsWhatAnotherImplementationComputes) {
  EXPECT_EQ(to_hex(salt_for(counting<RunSeed>(), 258).view()), "c6b94142e03053e823a20cb9200558c8");
}

// python3: hashlib.blake2b(b"payload", key=bytes(range(16)), digest_size=32)
TEST(Commitment, IsWhatAnotherImplementationComputes) {
  EXPECT_EQ(to_hex(commit(counting<Salt>(), as_bytes("payload")).view()),
            "a98ce82c9c277b220e4d7b25a4752df9f3dde1f329a19c386692b71324f2c4e6");
}

// python3: hashlib.blake2b(b"", key=bytes(range(16)), digest_size=32)
TEST(Commitment, ExistsForAnEmptyPayload) {
  EXPECT_EQ(to_hex(commit(counting<Salt>(), {}).view()),
            "037c7d740ea795902b5aebe210fafffff1f627f74010f8dc79c0d5b8a9fb5847");
}

TEST(Commitment, HasAnotherSaltForEveryEntryAndEveryRun) {
  const auto seed = counting<RunSeed>();
  EXPECT_NE(salt_for(seed, 1), salt_for(seed, 2));
  EXPECT_NE(salt_for(seed, 1), salt_for(RunSeed{}, 1));
}

TEST(Commitment, ToTheSamePayloadDiffersWithTheSalt) {
  EXPECT_NE(commit(counting<Salt>(), as_bytes("payload")), commit(Salt{}, as_bytes("payload")));
}

}  // namespace
}  // namespace chapterd
