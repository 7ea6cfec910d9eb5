// One attempt to reach an address at a time: looks its name up, connects, gives up in time.
#pragma once

#include "base/time.h"
#include "daemon/net/asio.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace chapterd {

// Loop thread only. Held by shared_ptr: looking up a name cannot be cut short, and may end after
// everything else has.
class Attempt final : public std::enable_shared_from_this<Attempt> {
 public:
  // Connected, or not; once for each start(), and not after stop().
  using Done = std::function<void(asio::error_code error, asio::tcp::socket socket)>;

  Attempt(asio::io_context& loop, Done done);

  // host:port. Only while none is under way.
  void start(const std::string& address, Instant now);
  // Ends what takes too long.
  void tick(Instant now);
  void stop();

  [[nodiscard]] bool is_under_way() const { return socket_.has_value(); }

 private:
  asio::awaitable<void> connect(std::string host, std::string port);
  void finished(asio::error_code error);

  asio::io_context& loop_;
  Done done_;  // empty after stop()
  asio::tcp::resolver resolver_;
  std::optional<asio::tcp::socket> socket_;
  Instant give_up_at_;
};

}  // namespace chapterd
