// Salts of a run and commitments to payloads.
#include "crypto/commitment.h"

#include <sodium/crypto_generichash_blake2b.h>

#include <array>

namespace chapterd {

Salt salt_for(const RunSeed& seed, std::uint64_t seq) {
  std::array<std::uint8_t, 8> message{};
  for (std::size_t i = 0; i < message.size(); ++i) {
    message[i] = static_cast<std::uint8_t>(seq >> (56 - 8 * i));
  }
  Salt salt;
  crypto_generichash_blake2b(salt.bytes.data(), Salt::size, message.data(), message.size(),
                             seed.bytes.data(), RunSeed::size);
  return salt;
}

Commitment commit(const Salt& salt, ByteView payload) {
  Commitment commitment;
  crypto_generichash_blake2b(commitment.bytes.data(), Commitment::size, payload.data(),
                             payload.size(), salt.bytes.data(), Salt::size);
  return commitment;
}

}  // namespace chapterd
