// Accepts connections, never more strangers at a time than the options allow.
#pragma once

#include "base/result.h"
#include "daemon/net/asio.h"
#include "daemon/net/gate.h"
#include "daemon/net/peers.h"

#include <memory>
#include <string>

namespace chapterd {

// Loop thread only. Held by shared_ptr for its coroutine.
class Listener final : public std::enable_shared_from_this<Listener> {
 public:
  explicit Listener(Peers& owner);

  // Errors: net.address (Errc::usage), net.listen (Errc::failed).
  [[nodiscard]] Result<void> open(const std::string& address);
  void close();

  // Tries again, after the system could not give a connection.
  void look_again() { gate_.open(); }

  [[nodiscard]] std::string address() const;

 private:
  asio::awaitable<void> accept_loop();
  void take(asio::tcp::socket socket);

  Peers* owner_;  // null after close()
  asio::tcp::acceptor acceptor_;
  Gate gate_;
};

}  // namespace chapterd
