// The other end of a TLS connection as somebody else might build it: any version, any protocol, any
// certificate. In memory.
#pragma once

#include "crypto/node_key.h"
#include "daemon/net/tls.h"

#include <openssl/ssl.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace chapterd::testing {

struct RawTlsRules {
  int least_version = TLS1_3_VERSION;
  int most_version = TLS1_3_VERSION;
  std::string protocols =
      "\x0a"
      "chapterd/1";   // as ALPN wants them; empty: none named
  Bytes certificate;  // DER; empty: none shown
  int copies = 1;     // of the certificate, in a row
};

// A certificate of `key` valid from one instant to another, in seconds since 1970.
[[nodiscard]] Bytes certificate_of(const SigningKey& key, std::int64_t from, std::int64_t to);

struct FreeTls {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }

  void operator()(SSL* ssl) const { SSL_free(ssl); }

  void operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }
};

class RawTls {
 public:
  enum class Role { client, server };

  RawTls(Role role, const SigningKey& key, const RawTlsRules& rules);

  // Offers this session to be resumed.
  void offer(SSL_SESSION* session);

  // Handshake and whatever else moves both ends, until nothing moves any more. True when both say
  // that the handshake is complete and neither refused.
  bool meet(TlsChannel& other);
  bool meet(RawTls& other);

  // The last session that the other end gave a ticket for.
  [[nodiscard]] std::unique_ptr<SSL_SESSION, FreeTls> take_session();

  // What meet() met with on the side of the TlsChannel: "" or the code of its error.
  [[nodiscard]] const std::string& refused_because() const { return refused_; }

  // The alert that came from the other end, as OpenSSL words it; "" when none came.
  [[nodiscard]] const std::string& alert() const { return alert_; }

  [[nodiscard]] SSL* ssl() { return ssl_.get(); }

 private:
  bool step();
  [[nodiscard]] Bytes take_output();
  void feed(ByteView bytes);

  std::unique_ptr<SSL_CTX, FreeTls> context_;
  std::unique_ptr<SSL, FreeTls> ssl_;
  std::unique_ptr<SSL_SESSION, FreeTls> session_;
  std::string refused_;
  std::string alert_;
  bool failed_ = false;
};

}  // namespace chapterd::testing
