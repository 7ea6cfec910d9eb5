// Signatures against RFC 8032 and its hostile cousins.
#include "crypto/signature.h"

#include "base/byte_stream.h"
#include "crypto/node_key.h"
#include "tests/crypto/seeded_random.h"
#include "tests/crypto/vectors.h"

#include <gtest/gtest.h>

namespace chapterd {
namespace {

PublicKey key_of(const Vector& vector) {
  return PublicKey::from(vector.bytes("key")).value();
}

Bytes labelled(std::string_view label, ByteView message) {
  return ByteWriter().bytes(as_bytes(label)).u8(0).bytes(message).take();
}

struct Signed {
  PublicKey key;
  Bytes message;
  Signature signature;

  [[nodiscard]] bool holds() const { return verify(key, message, signature); }
};

Signed a_signed_message() {
  SeededRandom random(1);
  const SigningKey key = SigningKey::generate(random);
  const Bytes message = labelled("chapterd/checkpoint/1", as_bytes("a head"));
  return {key.public_key(), message, key.sign(message)};
}

void flip(std::uint8_t& byte, std::size_t bit) {
  byte ^= static_cast<std::uint8_t>(1U << bit % 8);
}

TEST(Signature, OfRfc8032IsMadeAndAccepted) {
  const auto vectors = read_vectors("rfc8032.txt");
  ASSERT_EQ(vectors.size(), 5U);
  for (const Vector& vector : vectors) {
    SCOPED_TRACE(vector.text("name"));
    const SigningKey key = SigningKey::from_seed(vector.bytes("seed"));
    const Bytes message = vector.bytes("message");
    EXPECT_EQ(to_hex(key.public_key().view()), vector.text("key"));
    EXPECT_EQ(to_hex(key.sign(message).view()), vector.text("signature"));
    EXPECT_TRUE(verify(key_of(vector), message, key.sign(message)));
  }
}

TEST(Signature, OfRfc8032HasTheMessageLengthsThatTheRfcNames) {
  std::vector<std::size_t> lengths;
  for (const Vector& vector : read_vectors("rfc8032.txt")) {
    lengths.push_back(vector.bytes("message").size());
  }
  EXPECT_EQ(lengths, (std::vector<std::size_t>{0, 1, 2, 1023, 64}));
}

TEST(Signature, IsJudgedAsProjectWycheproofSays) {
  const auto vectors = read_vectors("wycheproof_ed25519.txt");
  ASSERT_EQ(vectors.size(), 151U);
  for (const Vector& vector : vectors) {
    SCOPED_TRACE(vector.text("name"));
    const auto signature = Signature::from(vector.bytes("signature"));
    const bool accepted = signature && verify(key_of(vector), vector.bytes("message"), *signature);
    EXPECT_EQ(accepted, vector.text("verdict") == "valid");
  }
}

TEST(Signature, IsJudgedAsTheDecisionsOfTheProtocolSay) {
  const auto vectors = read_vectors("ed25519_decisions.txt");
  ASSERT_EQ(vectors.size(), 45U);
  for (const Vector& vector : vectors) {
    SCOPED_TRACE(vector.text("name"));
    const auto signature = Signature::from(vector.bytes("signature")).value();
    EXPECT_EQ(verify(key_of(vector), vector.bytes("message"), signature),
              vector.text("verdict") == "valid");
  }
}

TEST(Signature, IsRefusedWithAnyBitOfRChanged) {
  for (std::size_t bit = 0; bit < 256; ++bit) {
    Signed changed = a_signed_message();
    flip(changed.signature.bytes[bit / 8], bit);
    EXPECT_FALSE(changed.holds()) << "bit " << bit;
  }
}

TEST(Signature, IsRefusedWithAnyBitOfSChanged) {
  for (std::size_t bit = 256; bit < 512; ++bit) {
    Signed changed = a_signed_message();
    flip(changed.signature.bytes[bit / 8], bit);
    EXPECT_FALSE(changed.holds()) << "bit " << bit;
  }
}

TEST(Signature, IsRefusedWithAnyBitOfTheKeyChanged) {
  for (std::size_t bit = 0; bit < 256; ++bit) {
    Signed changed = a_signed_message();
    flip(changed.key.bytes[bit / 8], bit);
    EXPECT_FALSE(changed.holds()) << "bit " << bit;
  }
}

TEST(Signature, IsRefusedWithAnyBitOfTheMessageChanged) {
  const std::size_t bits = 8 * a_signed_message().message.size();
  for (std::size_t bit = 0; bit < bits; ++bit) {
    Signed changed = a_signed_message();
    flip(changed.message[bit / 8], bit);
    EXPECT_FALSE(changed.holds()) << "bit " << bit;
  }
}

TEST(Signature, IsRefusedForALongerOrShorterMessage) {
  const Signed whole = a_signed_message();
  EXPECT_FALSE(verify(whole.key, ByteView(whole.message).first(5), whole.signature));
  EXPECT_FALSE(verify(whole.key, {}, whole.signature));
  Bytes longer = whole.message;
  longer.push_back(0);
  EXPECT_FALSE(verify(whole.key, longer, whole.signature));
}

TEST(Signature, OfAnyOtherLengthThanSixtyFourIsNotOne) {
  for (const std::size_t length : {0U, 1U, 32U, 63U, 65U, 128U}) {
    EXPECT_FALSE(Signature::from(Bytes(length))) << length;
  }
}

TEST(Signature, UnderOneLabelDoesNotHoldUnderAnother) {
  SeededRandom random(2);
  const SigningKey key = SigningKey::generate(random);
  const Signature signature = key.sign(labelled("chapterd/checkpoint/1", as_bytes("a head")));
  const Bytes receipt = labelled("chapterd/receipt/1", as_bytes("a head"));
  EXPECT_FALSE(verify(key.public_key(), receipt, signature));
}

TEST(Signature, SelfTestPassesHere) {
  const auto passed = self_test();
  EXPECT_TRUE(passed) << passed.error().what;
}

}  // namespace
}  // namespace chapterd
