// Sealing with the chapter key and for a node.
#include "crypto/seal.h"

#include "base/contract.h"

#include <sodium/crypto_aead_xchacha20poly1305.h>
#include <sodium/crypto_box.h>

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
    return fail(Errc::malformed, "seal.bad-recipient",
                "The recipient's key is one that everybody could read for.",
                "Nothing was sealed or sent.",
                "Ask the recipient for a new certificate request and check its words again.");
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
