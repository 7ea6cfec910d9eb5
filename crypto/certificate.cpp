// The X.509 wrapper of a node key for TLS: made by hand, read strictly.
#include "crypto/certificate.h"

#include "base/contract.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <algorithm>
#include <initializer_list>
#include <memory>

namespace chapterd {

namespace {

struct FreeCertificate {
  void operator()(X509* certificate) const { X509_free(certificate); }
};

using Certificate = std::unique_ptr<X509, FreeCertificate>;

// Tags of X.690.
constexpr std::uint8_t tag_integer = 0x02;
constexpr std::uint8_t tag_bit_string = 0x03;
constexpr std::uint8_t tag_oid = 0x06;
constexpr std::uint8_t tag_utf8 = 0x0C;
constexpr std::uint8_t tag_generalized_time = 0x18;
constexpr std::uint8_t tag_sequence = 0x30;
constexpr std::uint8_t tag_set = 0x31;
constexpr std::uint8_t tag_version = 0xA0;

constexpr std::uint8_t oid_ed25519[] = {0x2B, 0x65, 0x70};      // 1.3.101.112, RFC 8410
constexpr std::uint8_t oid_common_name[] = {0x55, 0x04, 0x03};  // 2.5.4.3
constexpr std::uint8_t version_3[] = {2};
constexpr std::uint8_t serial_1[] = {1};

// One element: tag, length in its shortest form, content.
Bytes element(std::uint8_t tag, ByteView content) {
  CHECK(content.size() < 256);
  const auto length = static_cast<std::uint8_t>(content.size());
  Bytes out = {tag};
  if (length >= 0x80) out.push_back(0x81);
  out.push_back(length);
  append(out, content);
  return out;
}

Bytes element(std::uint8_t tag, std::initializer_list<Bytes> parts) {
  Bytes content;
  for (const Bytes& part : parts) append(content, part);
  return element(tag, ByteView(content));
}

// All whole bytes: the count of unused bits before them is zero.
Bytes bit_string(ByteView bits) {
  Bytes content = {0};
  append(content, bits);
  return element(tag_bit_string, ByteView(content));
}

Bytes algorithm() {
  return element(tag_sequence, {element(tag_oid, oid_ed25519)});
}

Bytes name() {
  const Bytes attribute = element(
      tag_sequence, {element(tag_oid, oid_common_name), element(tag_utf8, as_bytes("chapterd"))});
  return element(tag_sequence, {element(tag_set, {attribute})});
}

// "No well-defined expiration date", RFC 5280, 4.1.2.5.
Bytes validity() {
  return element(tag_sequence, {element(tag_generalized_time, as_bytes("19700101000000Z")),
                                element(tag_generalized_time, as_bytes("99991231235959Z"))});
}

// SubjectPublicKeyInfo, RFC 8410, 4: no parameters, no unused bits.
Bytes key_element(const PublicKey& key) {
  return element(tag_sequence, {algorithm(), bit_string(key.view())});
}

// TBSCertificate, RFC 5280, 4.1.
Bytes to_be_signed(const PublicKey& key) {
  return element(tag_sequence, {element(tag_version, {element(tag_integer, version_3)}),
                                element(tag_integer, serial_1), algorithm(), name(), validity(),
                                name(), key_element(key)});
}

// OpenSSL reads past oddities in the key's element, such as unused bits that it then clears; so
// what it read is compared with the one right way to write it.
bool written_as(const X509* certificate, const Bytes& expected) {
  std::uint8_t* raw = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &raw);
  if (size < 0) return false;
  const bool equal = std::equal(raw, raw + size, expected.begin(), expected.end());
  OPENSSL_free(raw);
  return equal;
}

tl::unexpected<Error> refused(Errc kind, const char* code, const char* what) {
  return fail(kind, code, what, "Nothing was exchanged on this connection.",
              "Check that the address belongs to a chapterd node and not to another service.");
}

}  // namespace

Result<Bytes> self_signed_certificate(const SigningKey& key) {
  const Bytes body = to_be_signed(key.public_key());
  const Bytes der = element(tag_sequence, {body, algorithm(), bit_string(key.sign(body).view())});
  const Result<PublicKey> read_back = certificate_key(der);
  if (!read_back || *read_back != key.public_key()) {
    return fail(Errc::failed, "certificate.make",
                "The certificate for this node's key could not be made.",
                "The key, the log and all records are unchanged.",
                "Reinstall OpenSSL 3 (package libssl3) and start chapterd again.");
  }
  return der;
}

Result<PublicKey> certificate_key(ByteView der) {
  if (der.size() > most_certificate_bytes) {
    return refused(Errc::malformed, "certificate.too-big",
                   "The peer's certificate is larger than 4 KiB.");
  }
  const std::uint8_t* position = der.data();
  const Certificate certificate(d2i_X509(nullptr, &position, static_cast<long>(der.size())));
  if (!certificate || position != der.data() + der.size()) {
    ERR_clear_error();
    return refused(Errc::malformed, "certificate.malformed",
                   "The peer's certificate is not one whole X.509 certificate.");
  }
  const EVP_PKEY* key = X509_get0_pubkey(certificate.get());
  PublicKey raw;
  std::size_t size = PublicKey::size;
  const bool is_ed25519 = key != nullptr && EVP_PKEY_get_id(key) == EVP_PKEY_ED25519 &&
                          EVP_PKEY_get_raw_public_key(key, raw.bytes.data(), &size) == 1 &&
                          size == PublicKey::size &&
                          written_as(certificate.get(), key_element(raw));
  ERR_clear_error();
  if (!is_ed25519) {
    return refused(Errc::not_compatible, "certificate.not-ed25519",
                   "The peer's certificate holds a key of another algorithm than Ed25519.");
  }
  return raw;
}

}  // namespace chapterd
