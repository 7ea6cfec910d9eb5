// The written rules of crypto/signature.h, each with an input that a looser implementation accepts.
#include "crypto/signature.h"
#include "tests/crypto/vectors.h"

#include <gtest/gtest.h>
#include <sodium/crypto_core_ed25519.h>
#include <sodium/crypto_hash_sha512.h>
#include <sodium/crypto_scalarmult_ed25519.h>

#include <array>

namespace chapterd {
namespace {

using Point = std::array<std::uint8_t, 32>;
using Scalar = std::array<std::uint8_t, 32>;

// A point of order 8.
constexpr std::string_view order_8 =
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05";

// Every encoding of the eight points of small order: canonical ones, y + p, and -0.
const std::array<std::string_view, 14> small_order = {
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "0100000000000000000000000000000000000000000000000000000000000080",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
};

template <class F>
F fixed(std::string_view text) {
  return F::from(hex(text)).value();
}

Point base_times(const Scalar& scalar) {
  Point point{};
  EXPECT_EQ(crypto_scalarmult_ed25519_base_noclamp(point.data(), scalar.data()), 0);
  return point;
}

Point sum(const Point& one, const Point& other) {
  Point point{};
  EXPECT_EQ(crypto_core_ed25519_add(point.data(), one.data(), other.data()), 0);
  return point;
}

Scalar challenge(const Point& r, const Point& a, ByteView message) {
  Bytes input(r.begin(), r.end());
  append(input, a);
  append(input, message);
  std::array<std::uint8_t, 64> wide{};
  crypto_hash_sha512(wide.data(), input.data(), input.size());
  Scalar h{};
  crypto_core_ed25519_scalar_reduce(h.data(), wide.data());
  return h;
}

// A signer who may add points of small order to its key or to R, as only the holder can.
struct Signer {
  Scalar secret = {3, 1, 4, 1, 5};
  Scalar nonce = {2, 7, 1, 8, 2};

  [[nodiscard]] Signature sign(const Point& r, const Point& a, ByteView message) const {
    const Scalar h = challenge(r, a, message);
    Scalar product{};
    Scalar s{};
    crypto_core_ed25519_scalar_mul(product.data(), h.data(), secret.data());
    crypto_core_ed25519_scalar_add(s.data(), nonce.data(), product.data());
    Signature signature;
    std::copy(r.begin(), r.end(), signature.bytes.begin());
    std::copy(s.begin(), s.end(), signature.bytes.begin() + 32);
    return signature;
  }
};

const Bytes message = {'m'};

TEST(Validity, RefusesSWithTheGroupOrderAdded) {
  // [S + L]B = [S]B: the equation holds, so only rule 1 refuses it.
  const Signer signer;
  const Point a = base_times(signer.secret);
  Signature signature = signer.sign(base_times(signer.nonce), a, message);
  ASSERT_TRUE(verify(PublicKey{a}, message, signature));
  const Bytes order = hex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
  unsigned carry = 0;
  for (std::size_t i = 0; i < 32; ++i) {
    carry += unsigned{signature.bytes[32 + i]} + order[i];
    signature.bytes[32 + i] = static_cast<std::uint8_t>(carry);
    carry >>= 8U;
  }
  EXPECT_FALSE(verify(PublicKey{a}, message, signature));
}

TEST(Validity, RefusesEverySmallOrderKeyWithEverySmallOrderR) {
  for (const std::string_view a : small_order) {
    for (const std::string_view r : small_order) {
      Signature signature;
      const Bytes start = hex(r);
      std::copy(start.begin(), start.end(), signature.bytes.begin());
      EXPECT_FALSE(verify(fixed<PublicKey>(a), message, signature)) << a << " " << r;
    }
  }
}

TEST(Validity, RefusesASmallOrderRUnderAnHonestKey) {
  // With a nonce of zero R is the neutral point, and the equation holds.
  const Signer signer{.nonce = {}};
  const Point a = base_times(signer.secret);
  const Point neutral = {1};
  EXPECT_FALSE(verify(PublicKey{a}, message, signer.sign(neutral, a, message)));
}

TEST(Validity, RefusesAKeyWhoseYIsNotBelowTheModulus) {
  // 2^255 - 19 + 3 and its like: points of the curve again, written in a second way.
  const Signature signature = Signer{}.sign(base_times(Signer{}.nonce), {}, message);
  for (unsigned y = 0; y < 19; ++y) {
    PublicKey key = fixed<PublicKey>(small_order[10]);
    key.bytes[0] = static_cast<std::uint8_t>(0xED + y);
    EXPECT_FALSE(verify(key, message, signature)) << "p + " << y;
  }
}

TEST(Validity, RefusesAKeyThatIsNotOnTheCurve) {
  const Signature signature = Signer{}.sign(base_times(Signer{}.nonce), {}, message);
  PublicKey key;
  key.bytes[0] = 2;  // y = 2 has no x
  ASSERT_EQ(crypto_core_ed25519_is_valid_point(key.bytes.data()), 0);
  EXPECT_FALSE(verify(key, message, signature));
}

TEST(Validity, RefusesWhatHoldsOnlyAfterMultiplyingByTheCofactor) {
  const Signer signer;
  const Point a = base_times(signer.secret);
  Point torsion = fixed<PublicKey>(order_8).bytes;
  const Point r = sum(base_times(signer.nonce), torsion);
  EXPECT_FALSE(verify(PublicKey{a}, message, signer.sign(r, a, message)));
}

TEST(Validity, JudgesAKeyWithATorsionPartByTheEquationAlone) {
  // [h]A has no torsion part when 8 divides h, which is so for one message in eight.
  const Signer signer;
  const Point a = sum(base_times(signer.secret), fixed<PublicKey>(order_8).bytes);
  const Point r = base_times(signer.nonce);
  int accepted = 0;
  for (std::uint8_t i = 0; i < 100; ++i) {
    const Bytes text = {i};
    const bool divides = challenge(r, a, text)[0] % 8 == 0;
    EXPECT_EQ(verify(PublicKey{a}, text, signer.sign(r, a, text)), divides) << unsigned{i};
    accepted += divides ? 1 : 0;
  }
  EXPECT_GT(accepted, 0);
}

}  // namespace
}  // namespace chapterd
