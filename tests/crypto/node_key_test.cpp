// Key pairs against RFC 8032.
#include "crypto/node_key.h"

#include "crypto/hash.h"
#include "tests/crypto/seeded_random.h"
#include "tests/crypto/vectors.h"

#include <gtest/gtest.h>
#include <sodium/crypto_scalarmult.h>

#include <thread>
#include <vector>

namespace chapterd {
namespace {

TEST(SigningKey, ComesBackFromItsSeed) {
  SeededRandom random(1);
  const SigningKey key = SigningKey::generate(random);
  const SigningKey again = SigningKey::from_seed(key.seed());
  EXPECT_EQ(again.public_key(), key.public_key());
  EXPECT_EQ(again.sign(as_bytes("x")), key.sign(as_bytes("x")));
}

TEST(SigningKey, IsAnotherOneEachTime) {
  SeededRandom random(1);
  EXPECT_NE(SigningKey::generate(random).public_key(), SigningKey::generate(random).public_key());
}

TEST(SigningKey, SignsAfterBeingMoved) {
  SeededRandom random(1);
  SigningKey key = SigningKey::generate(random);
  const SigningKey moved = std::move(key);
  EXPECT_TRUE(verify(moved.public_key(), as_bytes("x"), moved.sign(as_bytes("x"))));
}

TEST(SigningKey, SignsTheSameOnSeveralThreadsAtOnce) {
  SeededRandom random(1);
  const SigningKey key = SigningKey::generate(random);
  const Signature expected = key.sign(as_bytes("x"));
  std::vector<int> wrong(4);
  std::vector<std::thread> threads;
  for (int& count : wrong) {
    threads.emplace_back([&key, &expected, &count] {
      for (int i = 0; i < 100; ++i) count += key.sign(as_bytes("x")) == expected ? 0 : 1;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, std::vector<int>(4));
}

TEST(SigningKeyDeathTest, IsNotMadeFromASeedOfAnotherLength) {
  EXPECT_DEATH(static_cast<void>(SigningKey::from_seed(Bytes(31))), "contract broken");
}

TEST(BoxKey, ComesBackFromItsSeed) {
  SeededRandom random(2);
  const BoxKey key = BoxKey::generate(random);
  EXPECT_EQ(BoxKey::from_seed(key.seed()).public_key(), key.public_key());
}

TEST(BoxKey, SecretIsTheLabelledHashOfTheSeed) {
  SeededRandom random(2);
  const Bytes seed(32, 9);
  EXPECT_EQ(to_hex(BoxKey::from_seed(seed).secret()),
            to_hex(hash("chapterd/box-key/1", seed).view()));
}

TEST(BoxKey, AgreesOnTheSameSecretFromBothSides) {
  SeededRandom random(3);
  const BoxKey one = BoxKey::generate(random);
  const BoxKey other = BoxKey::generate(random);
  Bytes first(32);
  Bytes second(32);
  ASSERT_EQ(crypto_scalarmult(first.data(), one.secret().data(), other.public_key().bytes.data()),
            0);
  ASSERT_EQ(crypto_scalarmult(second.data(), other.secret().data(), one.public_key().bytes.data()),
            0);
  EXPECT_EQ(first, second);
}

TEST(GuardedBytes, BeginAsZerosAndAreEmptyOnceMoved) {
  GuardedBytes secret(20);
  EXPECT_EQ(to_hex(secret.view()), std::string(40, '0'));
  secret.writable()[3] = 7;
  const GuardedBytes moved = std::move(secret);
  EXPECT_EQ(moved.view()[3], 7);
  EXPECT_TRUE(secret.view().empty());  // NOLINT(bugprone-use-after-move): what is tested
}

TEST(GuardedBytes, WipeEmptiesAnOrdinarySecret) {
  Bytes secret(32, 1);
  wipe(secret);
  EXPECT_TRUE(secret.empty());
}

}  // namespace
}  // namespace chapterd
