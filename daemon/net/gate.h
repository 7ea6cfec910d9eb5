// Where one coroutine waits until something else lets it go on. Loop thread only.
#pragma once

#include "daemon/net/asio.h"

namespace chapterd {

class Gate {
 public:
  explicit Gate(asio::io_context& loop) : timer_(loop, asio::steady_timer::time_point::max()) {}

  // Lets the one who waits go on, or the next one who comes.
  void open() {
    is_open_ = true;
    timer_.cancel();
  }

  // The gate is shut again behind whoever passes. One at a time; the gate must outlive it.
  asio::awaitable<void> pass() {
    while (!is_open_) co_await timer_.async_wait(asio::as_result);
    is_open_ = false;
  }

 private:
  asio::steady_timer timer_;
  bool is_open_ = false;
};

}  // namespace chapterd
