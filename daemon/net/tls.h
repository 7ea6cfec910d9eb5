// TLS 1.3 between nodes, without a socket: ciphertext in, ciphertext out. Mutual, self-signed
// Ed25519 certificates, pinned by key; dates and chains mean nothing (docs/security.md).
#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/node_key.h"

#include <memory>
#include <optional>
#include <span>

struct ssl_st;
struct ssl_ctx_st;

namespace chapterd {

// This node's certificate and the rules for every connection. Immutable after make(); must outlive
// its channels.
class TlsContext {
 public:
  // Errors: certificate.make, tls.setup (a wrong library, not a wrong key).
  [[nodiscard]] static Result<TlsContext> make(const SigningKey& key);

 private:
  friend class TlsChannel;

  struct Free {
    void operator()(ssl_ctx_st* context) const;
  };

  explicit TlsContext(ssl_ctx_st* context) : context_(context) {}

  std::unique_ptr<ssl_ctx_st, Free> context_;
};

// One end of one connection. One thread.
class TlsChannel {
 public:
  // Dials: the other end must prove to hold `expected`, or any Ed25519 key when there is none.
  [[nodiscard]] static TlsChannel dial(const TlsContext& context,
                                       const std::optional<PublicKey>& expected);
  // Accepts any Ed25519 key; who that is, is for the caller to find out.
  [[nodiscard]] static TlsChannel accept(const TlsContext& context);

  TlsChannel(TlsChannel&& other) noexcept;
  ~TlsChannel();

  // Adds what came from the socket.
  void feed(ByteView ciphertext);

  // Goes on with the handshake as far as what was fed allows. Errors (all Errc::not_allowed, the
  // connection is of no use after one, but take_output() may hold an alert to send): tls.other-key
  // (the other end has not the expected key), tls.certificate (none, or not one Ed25519
  // certificate), tls.protocol (another program, or an older TLS), tls.resumed, tls.refused (the
  // other end ended it), tls.broken.
  [[nodiscard]] Result<void> shake_hands();

  // The handshake is complete and the peer's key is proved.
  [[nodiscard]] bool is_ready() const { return ready_; }

  // The other end said that nothing more comes.
  [[nodiscard]] bool is_ended() const { return ended_; }

  // Decrypts into `into` and returns how much; 0 when more must be fed, or is_ended(). Errors as
  // above.
  [[nodiscard]] Result<std::size_t> read(std::span<std::uint8_t> into);

  // Encrypts all of it. Only when ready.
  [[nodiscard]] Result<void> write(ByteView plain);

  // Says that nothing more comes from here.
  void close();

  // What to send.
  [[nodiscard]] Bytes take_output();

  // Only when ready.
  [[nodiscard]] const PublicKey& peer() const;

 private:
  struct Pipe;

  struct Free {
    void operator()(ssl_st* ssl) const;
  };

  TlsChannel(const TlsContext& context, std::optional<PublicKey> expected);
  [[nodiscard]] Result<void> check_peer();
  [[nodiscard]] Error describe(int outcome);

  std::unique_ptr<Pipe> pipe_;
  std::unique_ptr<ssl_st, Free> ssl_;
  std::optional<PublicKey> peer_;
  bool ready_ = false;
  bool ended_ = false;
};

}  // namespace chapterd
