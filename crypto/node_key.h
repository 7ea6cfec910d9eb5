// Secret keys: Ed25519 for signing, X25519 for receiving what is sealed to a node.
#pragma once

#include "base/bytes.h"
#include "base/random.h"
#include "crypto/guarded.h"
#include "crypto/signature.h"

namespace chapterd {

// An Ed25519 key pair: a node's or an authority's. Move-only; the secret lives in guarded memory.
// All const functions are thread-safe. Nothing may be called on a moved-from key but assignment.
class SigningKey {
 public:
  static constexpr std::size_t seed_size = 32;

  [[nodiscard]] static SigningKey generate(Random& random);
  // `seed` is the 32-byte private key of RFC 8032, 5.1.5; another length is a broken contract
  // (key files hand out 32 bytes or an error).
  [[nodiscard]] static SigningKey from_seed(ByteView seed);

  [[nodiscard]] const PublicKey& public_key() const { return public_key_; }

  // Deterministic (RFC 8032, 5.1.6). The message begins with a label: docs/protocol.md.
  [[nodiscard]] Signature sign(ByteView message) const;

  // The secret itself, for key files and for TLS. Borrowed from the key; never log it.
  [[nodiscard]] ByteView seed() const { return secret_.view().first(seed_size); }

 private:
  explicit SigningKey(ByteView seed);

  GuardedBytes secret_;  // seed | public key, as libsodium wants it
  PublicKey public_key_;
};

using BoxPublicKey = Fixed<32, struct BoxPublicKeyTag>;

// An X25519 key pair (RFC 7748): what chapter keys are wrapped for. Move-only, guarded,
// thread-safe when const, as above.
class BoxKey {
 public:
  static constexpr std::size_t seed_size = 32;

  [[nodiscard]] static BoxKey generate(Random& random);
  // The secret is BLAKE2b-256("chapterd/box-key/1\0" | seed), so that a node may derive its box
  // key from the seed of its signing key without one secret serving two algorithms. Another
  // length than 32 is a broken contract.
  [[nodiscard]] static BoxKey from_seed(ByteView seed);

  [[nodiscard]] const BoxPublicKey& public_key() const { return public_key_; }

  // The X25519 scalar. Not the seed: from_seed(secret()) is another key.
  [[nodiscard]] ByteView secret() const { return secret_.view().first(seed_size); }

  // What from_seed() makes this key from again.
  [[nodiscard]] ByteView seed() const { return secret_.view().subspan(seed_size); }

 private:
  explicit BoxKey(ByteView seed);

  GuardedBytes secret_;  // scalar | seed
  BoxPublicKey public_key_;
};

}  // namespace chapterd
