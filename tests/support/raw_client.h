// A client that does what a test tells it to, right or wrong: TCP, and TLS with any key.
#pragma once

#include "daemon/net/asio.h"
#include "daemon/net/tls.h"
#include "replication/format/frame.h"

#include <cstdint>
#include <optional>
#include <string>

namespace chapterd::testing {

class RawClient {
 public:
  // Connects to a port on this machine, from one of its addresses.
  explicit RawClient(std::uint16_t port, const std::string& from = "127.0.0.1");

  // The TLS handshake as far as this end can tell: that the other end refuses shows later, in
  // next_frame().
  [[nodiscard]] bool shake_hands(const SigningKey& key, const PublicKey& expected);

  // Encrypted once there was a handshake, as it is before.
  void send(ByteView bytes);

  void send(const Frame& frame) { send(encode(frame)); }

  // The next frame; nothing when the other end hung up or is silent for long.
  [[nodiscard]] std::optional<Frame> next_frame();
  // The code of the BYE that comes, whatever comes before; "" when it hangs up without one.
  [[nodiscard]] std::string bye();
  // Waits until the other end has hung up.
  [[nodiscard]] bool is_hung_up();
  // Whether it has by now; what came before that is thrown away.
  [[nodiscard]] bool has_ended();

 private:
  // False at the end.
  [[nodiscard]] bool receive();
  void flush();

  asio::io_context loop_;
  asio::tcp::socket socket_;
  std::optional<TlsContext> context_;
  std::optional<TlsChannel> tls_;
  FrameParser parser_;
};

}  // namespace chapterd::testing
