// Sealing: bytes that only holders of a chapter's key, or only one node, can read.
#pragma once

#include "base/bytes.h"
#include "base/random.h"
#include "base/result.h"
#include "crypto/guarded.h"
#include "crypto/node_key.h"

namespace chapterd {

// What seal() adds: a nonce of 24 bytes before, a tag of 16 bytes behind.
inline constexpr std::size_t seal_overhead_bytes = 24 + 16;
// What seal_to() adds: a throw-away public key of 32 bytes before the tag of 16 bytes.
inline constexpr std::size_t seal_to_overhead_bytes = 32 + 16;

// One generation of a chapter's key: XChaCha20-Poly1305 (libsodium manual,
// crypto_aead_xchacha20poly1305_ietf; draft-irtf-cfrg-xchacha-03). Move-only, in guarded memory;
// const functions are thread-safe as far as the Random handed in is.
class ChapterKey {
 public:
  static constexpr std::size_t key_size = 32;

  [[nodiscard]] static ChapterKey generate(Random& random);
  // Another length than 32 is a broken contract.
  [[nodiscard]] static ChapterKey from_secret(ByteView secret);

  // nonce | ciphertext | tag. The nonce is random: 192 bits are enough for any number of
  // messages. `context` is authenticated, not stored: whoever opens must name the same.
  [[nodiscard]] Bytes seal(ByteView plain, ByteView context, Random& random) const;

  // What was sealed under this key and context. Errors: seal.malformed (too short to be sealed
  // bytes), seal.refused (another key, another context, or changed on the way: these cannot be
  // told apart).
  [[nodiscard]] Result<Bytes> open(ByteView sealed, ByteView context) const;

  // The key itself, for key files and for wrapping it to a node. Borrowed; never log it.
  [[nodiscard]] ByteView secret() const { return secret_.view(); }

 private:
  explicit ChapterKey(ByteView secret);

  GuardedBytes secret_;
};

// Seals to one X25519 key without saying by whom (libsodium manual, "Sealed boxes":
// X25519, XSalsa20-Poly1305, nonce from both public keys). Not authenticated: anybody can seal,
// so what is inside must be signed or unforgeable itself. Takes its throw-away key from the
// system's randomness (libsodium offers no other way). Thread-safe.
// Errors: seal.bad-recipient (the key is of small order, everyone could read the result).
[[nodiscard]] Result<Bytes> seal_to(const BoxPublicKey& recipient, ByteView plain);

// The same bytes, with the throw-away key taken from `random`.
[[nodiscard]] Result<Bytes> seal_to(const BoxPublicKey& recipient, ByteView plain, Random& random);

// What was sealed to this key. Errors: seal.malformed, seal.refused. Thread-safe.
[[nodiscard]] Result<Bytes> open_sealed(const BoxKey& key, ByteView sealed);

}  // namespace chapterd
