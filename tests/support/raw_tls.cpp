// OpenSSL without the rules of the house.
#include "tests/support/raw_tls.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <stdexcept>

namespace chapterd::testing {
namespace {

struct Free {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }

  void operator()(X509* certificate) const { X509_free(certificate); }
};

using Key = std::unique_ptr<EVP_PKEY, Free>;

void must(bool worked) {
  if (!worked) throw std::runtime_error("OpenSSL refused what a test prepared");
}

Key key_of(const SigningKey& key) {
  Key made(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, key.seed().data(),
                                        key.seed().size()));
  must(made != nullptr);
  return made;
}

}  // namespace

Bytes certificate_of(const SigningKey& key, std::int64_t from, std::int64_t to) {
  const Key secret = key_of(key);
  const std::unique_ptr<X509, Free> certificate(X509_new());
  must(X509_set_version(certificate.get(), 2) == 1);
  must(ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 7) == 1);
  must(ASN1_TIME_set(X509_getm_notBefore(certificate.get()), from) != nullptr);
  must(ASN1_TIME_set(X509_getm_notAfter(certificate.get()), to) != nullptr);
  must(X509_set_pubkey(certificate.get(), secret.get()) == 1);
  must(X509_sign(certificate.get(), secret.get(), nullptr) > 0);
  std::uint8_t* raw = nullptr;
  const int size = i2d_X509(certificate.get(), &raw);
  must(size > 0);
  Bytes der(raw, raw + size);
  OPENSSL_free(raw);
  return der;
}

RawTls::RawTls(Role role, const SigningKey& key, const RawTlsRules& rules)
    : context_(SSL_CTX_new(TLS_method())) {
  SSL_CTX* context = context_.get();
  must(SSL_CTX_set_min_proto_version(context, rules.least_version) == 1);
  must(SSL_CTX_set_max_proto_version(context, rules.most_version) == 1);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_cert_verify_callback(
      context, [](X509_STORE_CTX*, void*) { return 1; }, nullptr);
  if (!rules.certificate.empty()) {
    const auto size = static_cast<int>(rules.certificate.size());
    must(SSL_CTX_use_certificate_ASN1(context, size, rules.certificate.data()) == 1);
    must(SSL_CTX_use_PrivateKey(context, key_of(key).get()) == 1);
    for (int i = 1; i < rules.copies; ++i) {
      const std::uint8_t* at = rules.certificate.data();
      must(SSL_CTX_add_extra_chain_cert(context, d2i_X509(nullptr, &at, size)) == 1);
    }
  }
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
  SSL_CTX_set_session_id_context(context, reinterpret_cast<const unsigned char*>("test"), 4);
  ssl_.reset(SSL_new(context));
  SSL_set_app_data(ssl_.get(), this);
  SSL_CTX_sess_set_new_cb(context, [](SSL* ssl, SSL_SESSION* session) {
    static_cast<RawTls*>(SSL_get_app_data(ssl))->session_.reset(session);
    return 1;
  });
  SSL_set_bio(ssl_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  if (role == Role::server) {
    SSL_set_accept_state(ssl_.get());
    SSL_CTX_set_alpn_select_cb(
        context,
        [](SSL*, const unsigned char** chosen, unsigned char* size, const unsigned char* offered,
           unsigned, void* named) {
          if (static_cast<const char*>(named) == nullptr) return SSL_TLSEXT_ERR_NOACK;
          *chosen = offered + 1;
          *size = offered[0];
          return SSL_TLSEXT_ERR_OK;
        },
        rules.protocols.empty() ? nullptr : this);
    return;
  }
  SSL_set_connect_state(ssl_.get());
  if (rules.protocols.empty()) return;
  must(SSL_set_alpn_protos(ssl_.get(),
                           reinterpret_cast<const unsigned char*>(rules.protocols.data()),
                           static_cast<unsigned>(rules.protocols.size())) == 0);
}

void RawTls::offer(SSL_SESSION* session) {
  must(SSL_set_session(ssl_.get(), session) == 1);
}

bool RawTls::step() {
  ERR_clear_error();
  std::uint8_t plain[1024];
  const int outcome = SSL_is_init_finished(ssl_.get()) == 1
                          ? SSL_read(ssl_.get(), plain, sizeof plain)
                          : SSL_do_handshake(ssl_.get());
  if (outcome <= 0 && SSL_get_error(ssl_.get(), outcome) == SSL_ERROR_SSL && !failed_) {
    failed_ = true;
    const char* reason = ERR_reason_error_string(ERR_peek_error());
    alert_ = reason == nullptr ? "" : reason;
  }
  return SSL_is_init_finished(ssl_.get()) == 1 && !failed_;
}

Bytes RawTls::take_output() {
  Bytes out(BIO_ctrl_pending(SSL_get_wbio(ssl_.get())));
  if (!out.empty()) BIO_read(SSL_get_wbio(ssl_.get()), out.data(), static_cast<int>(out.size()));
  return out;
}

void RawTls::feed(ByteView bytes) {
  if (!bytes.empty())
    BIO_write(SSL_get_rbio(ssl_.get()), bytes.data(), static_cast<int>(bytes.size()));
}

bool RawTls::meet(TlsChannel& other) {
  for (bool moved = true; moved;) {
    const bool mine = step();
    const Bytes to_other = take_output();
    other.feed(to_other);
    if (refused_.empty()) {
      if (const auto shaken = other.shake_hands(); !shaken) refused_ = shaken.error().code;
    }
    if (refused_.empty() && other.is_ready()) {
      std::uint8_t plain[1024];
      if (const auto read = other.read(plain); !read) refused_ = read.error().code;
    }
    const Bytes to_me = other.take_output();
    feed(to_me);
    moved = !to_other.empty() || !to_me.empty();
    if (!moved) return mine && other.is_ready() && refused_.empty();
  }
  return false;
}

bool RawTls::meet(RawTls& other) {
  for (;;) {
    const bool mine = step();
    const Bytes to_other = take_output();
    other.feed(to_other);
    const bool theirs = other.step();
    const Bytes to_me = other.take_output();
    feed(to_me);
    if (to_other.empty() && to_me.empty()) return mine && theirs;
  }
}

std::unique_ptr<SSL_SESSION, FreeTls> RawTls::take_session() {
  return std::move(session_);
}

}  // namespace chapterd::testing
