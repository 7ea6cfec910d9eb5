// Labelled BLAKE2b-256.
#include "crypto/hash.h"

#include "base/contract.h"

#include <sodium/crypto_generichash_blake2b.h>

#include <array>
#include <cstring>

namespace chapterd {

namespace {

constexpr std::uint8_t zero_byte = 0;

void start(crypto_generichash_blake2b_state& state, std::string_view label, std::size_t size) {
  crypto_generichash_blake2b_init(&state, nullptr, 0, size);
  const ByteView text = as_bytes(label);
  crypto_generichash_blake2b_update(&state, text.data(), text.size());
  crypto_generichash_blake2b_update(&state, &zero_byte, 1);
}

}  // namespace

Hasher::Hasher(std::string_view label) {
  start(state_, label, Digest::size);
}

Hasher& Hasher::add(ByteView part) {
  crypto_generichash_blake2b_update(&state_, part.data(), part.size());
  return *this;
}

Hasher& Hasher::u8(std::uint8_t value) {
  return add({&value, 1});
}

Hasher& Hasher::u64(std::uint64_t value) {
  std::array<std::uint8_t, 8> raw{};
  for (std::size_t i = 0; i < raw.size(); ++i) {
    raw[i] = static_cast<std::uint8_t>(value >> (56 - 8 * i));
  }
  return add(raw);
}

Digest Hasher::finish() {
  Digest digest;
  crypto_generichash_blake2b_final(&state_, digest.bytes.data(), Digest::size);
  return digest;
}

Digest hash(std::string_view label, ByteView message) {
  return hash_as<Digest>(label, message);
}

void hash_into(std::span<std::uint8_t> out, std::string_view label, ByteView message) {
  CHECK(out.size() >= crypto_generichash_blake2b_BYTES_MIN);
  CHECK(out.size() <= crypto_generichash_blake2b_BYTES_MAX);
  crypto_generichash_blake2b_state state;
  start(state, label, out.size());
  crypto_generichash_blake2b_update(&state, message.data(), message.size());
  crypto_generichash_blake2b_final(&state, out.data(), out.size());
}

}  // namespace chapterd
