// Ed25519 and X25519 key pairs.
#include "crypto/node_key.h"

#include "base/contract.h"
#include "crypto/hash.h"

#include <sodium/crypto_scalarmult.h>
#include <sodium/crypto_sign_ed25519.h>

#include <cstring>

namespace chapterd {

SigningKey SigningKey::generate(Random& random) {
  GuardedBytes seed(seed_size);
  random.fill(seed.writable());
  return SigningKey(seed.view());
}

SigningKey SigningKey::from_seed(ByteView seed) {
  return SigningKey(seed);
}

SigningKey::SigningKey(ByteView seed) : secret_(crypto_sign_ed25519_SECRETKEYBYTES) {
  CHECK(seed.size() == seed_size);
  crypto_sign_ed25519_seed_keypair(public_key_.bytes.data(), secret_.writable().data(),
                                   seed.data());
}

Signature SigningKey::sign(ByteView message) const {
  const ByteView secret = secret_.view();
  CHECK(!secret.empty());  // moved from
  Signature signature;
  crypto_sign_ed25519_detached(signature.bytes.data(), nullptr, message.data(), message.size(),
                               secret.data());
  return signature;
}

BoxKey BoxKey::generate(Random& random) {
  GuardedBytes seed(seed_size);
  random.fill(seed.writable());
  return BoxKey(seed.view());
}

BoxKey BoxKey::from_seed(ByteView seed) {
  return BoxKey(seed);
}

BoxKey::BoxKey(ByteView seed) : secret_(crypto_scalarmult_SCALARBYTES + seed_size) {
  CHECK(seed.size() == seed_size);
  const auto writable = secret_.writable();
  hash_into(writable.first(crypto_scalarmult_SCALARBYTES), "chapterd/box-key/1", seed);
  std::memcpy(writable.data() + crypto_scalarmult_SCALARBYTES, seed.data(), seed.size());
  crypto_scalarmult_base(public_key_.bytes.data(), writable.data());
}

}  // namespace chapterd
