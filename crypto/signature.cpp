// The one place that verifies Ed25519, and its self-test.
#include "crypto/signature.h"

#include <sodium/crypto_sign_ed25519.h>

#include <array>
#include <cstring>
#include <string>

namespace chapterd {

namespace {

// RFC 8032, 7.1, TEST 2.
constexpr std::array<std::uint8_t, 32> known_seed = {
    0x4c, 0xcd, 0x08, 0x9b, 0x28, 0xff, 0x96, 0xda, 0x9d, 0xb6, 0xc3, 0x46, 0xec, 0x11, 0x4e, 0x0f,
    0x5b, 0x8a, 0x31, 0x9f, 0x35, 0xab, 0xa6, 0x24, 0xda, 0x8c, 0xf6, 0xed, 0x4f, 0xb8, 0xa6, 0xfb};
constexpr PublicKey known_key = {{0x3d, 0x40, 0x17, 0xc3, 0xe8, 0x43, 0x89, 0x5a, 0x92, 0xb7, 0x0a,
                                  0xa7, 0x4d, 0x1b, 0x7e, 0xbc, 0x9c, 0x98, 0x2c, 0xcf, 0x2e, 0xc4,
                                  0x96, 0x8c, 0xc0, 0xcd, 0x55, 0xf1, 0x2a, 0xf4, 0x66, 0x0c}};
constexpr std::array<std::uint8_t, 1> known_message = {0x72};
constexpr Signature known_signature = {
    {0x92, 0xa0, 0x09, 0xa9, 0xf0, 0xd4, 0xca, 0xb8, 0x72, 0x0e, 0x82, 0x0b, 0x5f,
     0x64, 0x25, 0x40, 0xa2, 0xb2, 0x7b, 0x54, 0x16, 0x50, 0x3f, 0x8f, 0xb3, 0x76,
     0x22, 0x23, 0xeb, 0xdb, 0x69, 0xda, 0x08, 0x5a, 0xc1, 0xe4, 0x3e, 0x15, 0x99,
     0x6e, 0x45, 0x8f, 0x36, 0x13, 0xd0, 0xf1, 0x1d, 0x8c, 0x38, 0x7b, 0x2e, 0xae,
     0xb4, 0x30, 0x2a, 0xee, 0xb0, 0x0d, 0x29, 0x16, 0x12, 0xbb, 0x0c, 0x00}};
// The order of the group, little-endian (RFC 8032, 5.1).
constexpr std::array<std::uint8_t, 32> group_order = {
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0x10};

bool signs_the_known_answer() {
  std::array<std::uint8_t, crypto_sign_ed25519_SECRETKEYBYTES> secret{};
  PublicKey key;
  Signature signature;
  crypto_sign_ed25519_seed_keypair(key.bytes.data(), secret.data(), known_seed.data());
  crypto_sign_ed25519_detached(signature.bytes.data(), nullptr, known_message.data(),
                               known_message.size(), secret.data());
  return key == known_key && signature == known_signature;
}

// The same signature with S + L: valid to an implementation that forgets rule 1.
Signature with_group_order_added(Signature signature) {
  unsigned carry = 0;
  for (std::size_t i = 0; i < group_order.size(); ++i) {
    carry += static_cast<unsigned>(signature.bytes[32 + i]) + group_order[i];
    signature.bytes[32 + i] = static_cast<std::uint8_t>(carry);
    carry >>= 8U;
  }
  return signature;
}

// With A the neutral point, R the neutral point and S = 0, [S]B - [h]A = R for every message.
bool refuses_the_key_that_signs_everything() {
  PublicKey neutral;
  neutral.bytes[0] = 1;
  Signature signature;
  signature.bytes[0] = 1;
  return !verify(neutral, known_message, signature);
}

bool refuses_flipped_bits() {
  for (std::size_t bit = 0; bit < 8 * Signature::size; bit += 37) {
    Signature changed = known_signature;
    changed.bytes[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    if (verify(known_key, known_message, changed)) return false;
  }
  PublicKey other_key = known_key;
  other_key.bytes[0] ^= 1U;
  std::array<std::uint8_t, 1> other_message = known_message;
  other_message[0] ^= 1U;
  return !verify(other_key, known_message, known_signature) &&
         !verify(known_key, other_message, known_signature);
}

}  // namespace

bool verify(const PublicKey& key, ByteView message, const Signature& signature) {
  return crypto_sign_ed25519_verify_detached(signature.bytes.data(), message.data(), message.size(),
                                             key.bytes.data()) == 0;
}

Result<void> self_test() {
  const char* wrong = nullptr;
  if (!signs_the_known_answer()) wrong = "signing does not give the known answer";
  if (!verify(known_key, known_message, known_signature)) wrong = "a good signature is refused";
  if (verify(known_key, known_message, with_group_order_added(known_signature))) {
    wrong = "a signature with S above the group order is accepted";
  }
  if (!refuses_the_key_that_signs_everything()) wrong = "a key of small order is accepted";
  if (!refuses_flipped_bits()) wrong = "a changed signature is accepted";
  if (wrong == nullptr) return {};
  return fail(Errc::failed, "crypto.self-test",
              "The start-up test of Ed25519 failed: " + std::string(wrong) + ".",
              "Nothing was read, changed or sent. The log and the keys are as they were.",
              "Reinstall the package libsodium23 of your distribution; if the test still fails, "
              "run memtest on this machine.");
}

}  // namespace chapterd
