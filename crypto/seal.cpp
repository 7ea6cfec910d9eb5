// Sealing with the chapter key and for a node.
#include "crypto/seal.h"

#include "base/contract.h"

#include <sodium/crypto_aead_xchacha20poly1305.h>
#include <sodium/crypto_box.h>
#include <sodium/crypto_generichash.h>

#include <array>
#include <cstring>

namespace chapterd {

namespace {

constexpr std::size_t nonce_size = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t tag_size = crypto_aead_xchacha20poly1305_ietf_ABYTES;
static_assert(seal_overhead_bytes == nonce_size + tag_size);
static_assert(seal_to_overhead_bytes == crypto_box_SEALBYTES);

tl::unexpected<Error> too_short() {
  return fail(Errc::malformed, "seal.malformed", "These bytes are too short to be sealed content.",
              "Nothing was opened; the bytes are kept as they are.",
              "Fetch them again from another node of the chapter.");
}

tl::unexpected<Error> refused() {
  return fail(Errc::check_failed, "seal.refused",
              "This sealed content does not open with this key: it was sealed for another key or "
              "place, or was changed on the way.",
              "Nothing of it was used; the sealed bytes are kept as they are.",
              "Ask another node of the chapter for the current chapter key, then try again.");
}

tl::unexpected<Error> bad_recipient() {
  return fail(Errc::malformed, "seal.bad-recipient",
              "The recipient's key is one that everybody could read for.",
              "Nothing was sealed or sent.",
              "Ask the recipient for a new certificate request and check its words again.");
}

}  // namespace

ChapterKey ChapterKey::generate(Random& random) {
  GuardedBytes secret(key_size);
  random.fill(secret.writable());
  return ChapterKey(secret.view());
}

ChapterKey ChapterKey::from_secret(ByteView secret) {
  return ChapterKey(secret);
}

ChapterKey::ChapterKey(ByteView secret) : secret_(key_size) {
  CHECK(secret.size() == key_size);
  std::memcpy(secret_.writable().data(), secret.data(), key_size);
}

Bytes ChapterKey::seal(ByteView plain, ByteView context, Random& random) const {
  const ByteView key = secret_.view();
  CHECK(!key.empty());  // moved from
  Bytes sealed(plain.size() + seal_overhead_bytes);
  random.fill(std::span(sealed).first(nonce_size));
  crypto_aead_xchacha20poly1305_ietf_encrypt(sealed.data() + nonce_size, nullptr, plain.data(),
                                             plain.size(), context.data(), context.size(), nullptr,
                                             sealed.data(), key.data());
  return sealed;
}

Result<Bytes> ChapterKey::open(ByteView sealed, ByteView context) const {
  const ByteView key = secret_.view();
  CHECK(!key.empty());  // moved from
  if (sealed.size() < seal_overhead_bytes) return too_short();
  const ByteView body = sealed.subspan(nonce_size);
  Bytes plain(body.size() - tag_size);
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(plain.data(), nullptr, nullptr, body.data(),
                                                 body.size(), context.data(), context.size(),
                                                 sealed.data(), key.data()) != 0) {
    return refused();
  }
  return plain;
}

Result<Bytes> seal_to(const BoxPublicKey& recipient, ByteView plain) {
  Bytes sealed(plain.size() + seal_to_overhead_bytes);
  if (crypto_box_seal(sealed.data(), plain.data(), plain.size(), recipient.bytes.data()) != 0) {
    return bad_recipient();
  }
  return sealed;
}

// libsodium has crypto_box_seal() for its own randomness only; the layout is the same: throw-away
// public key, then a box under the nonce BLAKE2b-192(throw-away key | recipient).
Result<Bytes> seal_to(const BoxPublicKey& recipient, ByteView plain, Random& random) {
  GuardedBytes seed(crypto_box_SEEDBYTES);
  GuardedBytes secret(crypto_box_SECRETKEYBYTES);
  random.fill(seed.writable());
  Bytes sealed(plain.size() + seal_to_overhead_bytes);
  crypto_box_seed_keypair(sealed.data(), secret.writable().data(), seed.view().data());
  std::array<std::uint8_t, crypto_box_NONCEBYTES> nonce{};
  crypto_generichash_state hash;
  crypto_generichash_init(&hash, nullptr, 0, nonce.size());
  crypto_generichash_update(&hash, sealed.data(), crypto_box_PUBLICKEYBYTES);
  crypto_generichash_update(&hash, recipient.bytes.data(), recipient.bytes.size());
  crypto_generichash_final(&hash, nonce.data(), nonce.size());
  if (crypto_box_easy(sealed.data() + crypto_box_PUBLICKEYBYTES, plain.data(), plain.size(),
                      nonce.data(), recipient.bytes.data(), secret.view().data()) != 0) {
    return bad_recipient();
  }
  return sealed;
}

Result<Bytes> open_sealed(const BoxKey& key, ByteView sealed) {
  const ByteView secret = key.secret();
  if (sealed.size() < seal_to_overhead_bytes) return too_short();
  Bytes plain(sealed.size() - seal_to_overhead_bytes);
  if (crypto_box_seal_open(plain.data(), sealed.data(), sealed.size(),
                           key.public_key().bytes.data(), secret.data()) != 0) {
    return refused();
  }
  return plain;
}

}  // namespace chapterd
