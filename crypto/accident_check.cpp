// SipHash through libsodium.
#include "crypto/accident_check.h"

#include <sodium/crypto_shorthash_siphash24.h>

#include <array>

namespace chapterd {

std::uint64_t accident_check(ByteView bytes) {
  constexpr std::array<std::uint8_t, crypto_shorthash_siphash24_KEYBYTES> key{};
  std::array<std::uint8_t, crypto_shorthash_siphash24_BYTES> raw{};
  crypto_shorthash_siphash24(raw.data(), bytes.data(), bytes.size(), key.data());
  std::uint64_t check = 0;
  for (const std::uint8_t byte : raw) check = check << 8U | byte;
  return check;
}

}  // namespace chapterd
