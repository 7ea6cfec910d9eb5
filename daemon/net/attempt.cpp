// Names, sockets, patience.
#include "daemon/net/attempt.h"

#include "config/config.h"

#include <utility>

namespace chapterd {
namespace {

constexpr std::int64_t connect_ms = 20'000;

}  // namespace

Attempt::Attempt(asio::io_context& loop, Done done)
    : loop_(loop), done_(std::move(done)), resolver_(loop) {}

void Attempt::start(const std::string& address, Instant now) {
  const HostPort at = split_address(address);
  give_up_at_ = now.plus_ms(connect_ms);
  socket_.emplace(loop_);
  const auto ended = [self = shared_from_this()](const std::exception_ptr& thrown) {
    if (thrown) std::rethrow_exception(thrown);
  };
  asio::co_spawn(loop_, connect(at.host, std::to_string(at.port)), ended);
}

void Attempt::tick(Instant now) {
  if (!socket_ || now < give_up_at_) return;
  resolver_.cancel();
  asio::error_code ignored;  // closed is closed
  socket_->close(ignored);
}

void Attempt::stop() {
  done_ = nullptr;
  resolver_.cancel();
  asio::error_code ignored;              // closed is closed
  if (socket_) socket_->close(ignored);  // not destroyed: what is under way still refers to it
}

asio::awaitable<void> Attempt::connect(std::string host, std::string port) {
  const auto found = co_await resolver_.async_resolve(host, port, asio::as_result);
  asio::error_code error = std::get<0>(found);
  if (!error && socket_) {
    const auto& endpoints = std::get<1>(found);
    const auto made = co_await asio::async_connect(*socket_, endpoints, asio::as_result);
    error = std::get<0>(made);
  }
  finished(error);
}

void Attempt::finished(asio::error_code error) {
  if (!done_ || !socket_) return;  // stopped meanwhile
  asio::tcp::socket socket = std::move(*socket_);
  socket_.reset();
  if (!error && !socket.is_open()) error = asio::error::operation_aborted;
  done_(error, std::move(socket));
}

}  // namespace chapterd
