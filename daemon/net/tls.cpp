// OpenSSL 3.0 behind TlsContext and TlsChannel.
#include "daemon/net/tls.h"

#include "base/contract.h"
#include "crypto/certificate.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <algorithm>
#include <cstring>
#include <string_view>
#include <utility>

namespace chapterd {
namespace {

constexpr std::string_view protocol = "chapterd/1";
// As ALPN wants it (RFC 7301, 3.1): a list of names, each after its length.
constexpr unsigned char protocol_list[] =
    "\x0a"
    "chapterd/1";
constexpr unsigned protocol_list_size = sizeof protocol_list - 1;

struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};

struct FreeCertificate {
  void operator()(X509* certificate) const { X509_free(certificate); }
};

struct FreeMethod {
  void operator()(BIO_METHOD* method) const { BIO_meth_free(method); }
};

using Certificate = std::unique_ptr<X509, FreeCertificate>;

tl::unexpected<Error> refused(const char* code, const char* what, const char* next) {
  return fail(Errc::not_allowed, code, what, "Nothing was exchanged on this connection.", next);
}

tl::unexpected<Error> no_setup() {
  ERR_clear_error();
  return fail(Errc::failed, "tls.setup", "TLS could not be set up on this machine.",
              "The key, the log and all records are unchanged.",
              "Reinstall OpenSSL 3 (package libssl3) and start chapterd again.");
}

// The key of the one certificate that the other end showed. Its date, names and issuer are never
// looked at: what counts is the key, and that the handshake proves possession of it.
std::optional<PublicKey> key_of(const X509* certificate) {
  if (certificate == nullptr) return std::nullopt;
  std::uint8_t* raw = nullptr;
  const int size = i2d_X509(certificate, &raw);
  if (size < 0) return std::nullopt;
  const auto key = certificate_key(ByteView(raw, static_cast<std::size_t>(size)));
  OPENSSL_free(raw);
  if (!key) return std::nullopt;
  return *key;
}

// Where the rules of one connection are found from inside OpenSSL.
struct Pinned {
  std::optional<PublicKey> expected;
  bool is_other_key = false;
  bool is_bad_certificate = false;
};

Pinned& pinned_of(const SSL* ssl) {
  return *static_cast<Pinned*>(SSL_get_app_data(ssl));
}

// In place of OpenSSL's chain building: exactly one certificate, with an Ed25519 key, the expected
// one if one is expected. Runs for full handshakes only, so resumption is refused besides.
int check_certificate(X509_STORE_CTX* store, void* /*unused*/) {
  const auto* ssl = static_cast<const SSL*>(
      X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  Pinned& pinned = pinned_of(ssl);
  const bool is_single = sk_X509_num(X509_STORE_CTX_get0_untrusted(store)) == 1;
  const auto key = key_of(X509_STORE_CTX_get0_cert(store));
  pinned.is_bad_certificate = !is_single || !key;
  pinned.is_other_key = key && pinned.expected && *key != *pinned.expected;
  if (!pinned.is_bad_certificate && !pinned.is_other_key) return 1;
  X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
  return 0;
}

int choose_protocol(SSL* /*ssl*/,
                    const unsigned char** chosen,
                    unsigned char* chosen_size,
                    const unsigned char* offered,
                    unsigned int offered_size,
                    void* /*unused*/) {
  for (unsigned at = 0; at < offered_size; at += 1U + offered[at]) {
    const std::string_view name(reinterpret_cast<const char*>(offered + at + 1), offered[at]);
    if (name != protocol) continue;
    *chosen = offered + at + 1;
    *chosen_size = offered[at];
    return SSL_TLSEXT_ERR_OK;
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;  // no_application_protocol
}

// OpenSSL asks choose_protocol() only when the client names any; one that names none is refused
// too.
int check_hello(SSL* ssl, int* alert, void* /*unused*/) {
  const unsigned char* content = nullptr;
  std::size_t size = 0;
  if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_application_layer_protocol_negotiation, &content,
                                &size) == 1) {
    return SSL_CLIENT_HELLO_SUCCESS;
  }
  *alert = SSL_AD_NO_APPLICATION_PROTOCOL;
  return SSL_CLIENT_HELLO_ERROR;
}

bool set_identity(SSL_CTX* context, const SigningKey& key, const Bytes& certificate) {
  const std::unique_ptr<EVP_PKEY, FreeKey> secret(EVP_PKEY_new_raw_private_key(
      EVP_PKEY_ED25519, nullptr, key.seed().data(), key.seed().size()));
  return secret != nullptr &&
         SSL_CTX_use_certificate_ASN1(context, static_cast<int>(certificate.size()),
                                      certificate.data()) == 1 &&
         SSL_CTX_use_PrivateKey(context, secret.get()) == 1;
}

bool set_rules(SSL_CTX* context) {
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  SSL_CTX_set_cert_verify_callback(context, check_certificate, nullptr);
  SSL_CTX_set_client_hello_cb(context, check_hello, nullptr);
  SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
  // Resumption skips the check of the certificate: a revoked key would get in that way.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);  // an idle connection keeps no buffers
  SSL_CTX_set_max_cert_list(context, static_cast<long>(2 * most_certificate_bytes));
  SSL_CTX_set_read_ahead(context, 0);
  return SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) == 1 &&
         SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION) == 1 &&
         SSL_CTX_set_num_tickets(context, 0) == 1 && SSL_CTX_set_max_early_data(context, 0) == 1 &&
         SSL_CTX_set1_groups_list(context, "X25519") == 1 &&
         SSL_CTX_set1_sigalgs_list(context, "ed25519") == 1;
}

}  // namespace

void TlsContext::Free::operator()(ssl_ctx_st* context) const {
  SSL_CTX_free(context);
}

Result<TlsContext> TlsContext::make(const SigningKey& key) {
  const auto certificate = self_signed_certificate(key);
  if (!certificate) return forward(certificate);
  TlsContext context(SSL_CTX_new(TLS_method()));
  if (!context.context_ || !set_identity(context.context_.get(), key, *certificate) ||
      !set_rules(context.context_.get())) {
    return no_setup();
  }
  return context;
}

// What OpenSSL reads from and writes to: two buffers, and what is known of the other end.
struct TlsChannel::Pipe {
  Bytes incoming;
  std::size_t start = 0;  // of what OpenSSL has not read yet
  Bytes outgoing;
  Pinned pinned;

  static int read(BIO* bio, char* into, int size) {
    auto& pipe = *static_cast<Pipe*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    const std::size_t count =
        std::min(static_cast<std::size_t>(size), pipe.incoming.size() - pipe.start);
    if (count == 0) {
      BIO_set_retry_read(bio);
      return -1;
    }
    std::memcpy(into, pipe.incoming.data() + pipe.start, count);
    pipe.start += count;
    if (pipe.start == pipe.incoming.size()) {
      pipe.incoming = {};
      pipe.start = 0;
    }
    return static_cast<int>(count);
  }

  static int write(BIO* bio, const char* from, int size) {
    auto& pipe = *static_cast<Pipe*>(BIO_get_data(bio));
    append(pipe.outgoing, as_bytes({from, static_cast<std::size_t>(size)}));
    return size;
  }

  static long control(BIO* /*bio*/, int command, long /*number*/, void* /*pointer*/) {
    return command == BIO_CTRL_FLUSH ? 1 : 0;
  }

  static BIO* bio_for(Pipe& pipe) {
    static const std::unique_ptr<BIO_METHOD, FreeMethod> method = [] {
      std::unique_ptr<BIO_METHOD, FreeMethod> made(
          BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "chapterd pipe"));
      BIO_meth_set_read(made.get(), read);
      BIO_meth_set_write(made.get(), write);
      BIO_meth_set_ctrl(made.get(), control);
      return made;
    }();
    BIO* bio = BIO_new(method.get());
    BIO_set_data(bio, &pipe);
    BIO_set_init(bio, 1);
    return bio;
  }
};

void TlsChannel::Free::operator()(ssl_st* ssl) const {
  SSL_free(ssl);
}

TlsChannel::TlsChannel(const TlsContext& context, std::optional<PublicKey> expected)
    : pipe_(std::make_unique<Pipe>()), ssl_(SSL_new(context.context_.get())) {
  if (!ssl_) throw std::bad_alloc();
  pipe_->pinned.expected = expected;
  SSL_set_app_data(ssl_.get(), &pipe_->pinned);
  BIO* bio = Pipe::bio_for(*pipe_);
  SSL_set_bio(ssl_.get(), bio, bio);
}

TlsChannel TlsChannel::dial(const TlsContext& context, const std::optional<PublicKey>& expected) {
  TlsChannel channel(context, expected);
  SSL_set_alpn_protos(channel.ssl_.get(), protocol_list, protocol_list_size);
  SSL_set_connect_state(channel.ssl_.get());
  return channel;
}

TlsChannel TlsChannel::accept(const TlsContext& context) {
  TlsChannel channel(context, std::nullopt);
  SSL_set_accept_state(channel.ssl_.get());
  return channel;
}

TlsChannel::TlsChannel(TlsChannel&&) noexcept = default;
TlsChannel::~TlsChannel() = default;

void TlsChannel::feed(ByteView ciphertext) {
  append(pipe_->incoming, ciphertext);
}

Result<void> TlsChannel::shake_hands() {
  if (ready_) return {};
  ERR_clear_error();
  const int outcome = SSL_do_handshake(ssl_.get());
  if (outcome == 1) return check_peer();
  if (SSL_get_error(ssl_.get(), outcome) == SSL_ERROR_WANT_READ) return {};
  return fail(describe(outcome));
}

// Once more, now that the handshake is complete: nothing may have skipped the check.
Result<void> TlsChannel::check_peer() {
  const Certificate certificate(SSL_get1_peer_certificate(ssl_.get()));
  const auto key = key_of(certificate.get());
  const unsigned char* chosen = nullptr;
  unsigned chosen_size = 0;
  SSL_get0_alpn_selected(ssl_.get(), &chosen, &chosen_size);
  const std::string_view name(reinterpret_cast<const char*>(chosen), chosen_size);
  if (SSL_session_reused(ssl_.get()) != 0)
    return refused("tls.resumed", "The other end resumed an older connection.", "");
  if (SSL_version(ssl_.get()) != TLS1_3_VERSION || name != protocol)
    return refused("tls.protocol", "The other end does not speak the protocol of chapterd.", "");
  if (!key) return refused("tls.certificate", "The other end showed no usable certificate.", "");
  if (pipe_->pinned.expected && *key != *pipe_->pinned.expected)
    return refused("tls.other-key", "Another node answers at this address.", "");
  peer_ = *key;
  ready_ = true;
  return {};
}

// What went wrong, from what OpenSSL noted about it.
Error TlsChannel::describe(int outcome) {
  const int kind = SSL_get_error(ssl_.get(), outcome);
  const unsigned long code = ERR_peek_error();
  ERR_clear_error();
  const auto error = [](const char* name, const char* what, const char* next) {
    return Error(Errc::not_allowed, name, what, "Nothing was exchanged on this connection.", next);
  };
  if (pipe_->pinned.is_other_key) {
    return error("tls.other-key", "Another node answers at this address than the expected one.",
                 "Ask the chapter above whether its machine or address has changed.");
  }
  if (pipe_->pinned.is_bad_certificate) {
    return error("tls.certificate", "The other end showed no usable certificate.",
                 "Check that the address belongs to a chapterd node.");
  }
  const int reason = ERR_GET_REASON(code);
  if (kind == SSL_ERROR_SSL && reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE)
    return error("tls.certificate", "The other end showed no certificate.", "");
  const bool is_alert = reason > SSL_AD_REASON_OFFSET && reason < SSL_AD_REASON_OFFSET + 256;
  if (kind == SSL_ERROR_SSL && is_alert)
    return error("tls.refused", "The other end refused this connection.", "");
  if (kind == SSL_ERROR_SSL && !ready_) {
    return error("tls.protocol", "The other end does not speak the protocol of chapterd.",
                 "Check that the address belongs to a chapterd node.");
  }
  return error("tls.broken", "The connection was damaged on its way.", "");
}

Result<std::size_t> TlsChannel::read(std::span<std::uint8_t> into) {
  CHECK(ready_);
  ERR_clear_error();
  std::size_t count = 0;
  const int outcome = SSL_read_ex(ssl_.get(), into.data(), into.size(), &count);
  if (outcome == 1) return count;
  switch (SSL_get_error(ssl_.get(), outcome)) {
    case SSL_ERROR_WANT_READ:
      return std::size_t{0};
    case SSL_ERROR_ZERO_RETURN:
      ended_ = true;
      return std::size_t{0};
    default:
      return fail(describe(outcome));
  }
}

Result<void> TlsChannel::write(ByteView plain) {
  CHECK(ready_);
  if (plain.empty()) return {};
  ERR_clear_error();
  std::size_t count = 0;
  const int outcome = SSL_write_ex(ssl_.get(), plain.data(), plain.size(), &count);
  if (outcome == 1 && count == plain.size()) return {};
  return fail(describe(outcome));
}

void TlsChannel::close() {
  ERR_clear_error();
  if (ready_) SSL_shutdown(ssl_.get());
  ERR_clear_error();
}

Bytes TlsChannel::take_output() {
  return std::exchange(pipe_->outgoing, {});
}

const PublicKey& TlsChannel::peer() const {
  CHECK(peer_.has_value());
  return *peer_;
}

}  // namespace chapterd
