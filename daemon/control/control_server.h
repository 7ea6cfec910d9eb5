// The daemon's end of the control socket: takes frames of this user's programs, hands back answers.
#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "daemon/net/asio.h"

#include <boost/asio/local/stream_protocol.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <set>
#include <string>

namespace chapterd {

class ControlConnection;

// Loop thread only.
class ControlServer {
 public:
  // Called on the loop with the body of a call; must not block. `done` takes a whole frame
  // (control::encode_answer) and may be called on any thread, once.
  using Ask = std::function<void(Bytes body, std::function<void(Bytes frame)> done)>;

  static constexpr std::size_t most_connections = 64;

  // `loop` must outlive it.
  ControlServer(asio::io_context& loop, Ask ask);
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;
  ~ControlServer();

  // Makes the socket with mode 0600. A socket that a dead daemon left is replaced: call this only
  // while holding the lock of the data folder. Errors: control.in-use (somebody answers there),
  // control.not-a-socket, control.cannot-listen.
  [[nodiscard]] Result<void> open(const std::string& path);

  // Takes no more calls, answers those under way, removes the socket. `done` is called on the loop
  // once no connection is left, at most `patience` after that.
  void stop(std::chrono::milliseconds patience, std::function<void()> done);

 private:
  friend class ControlConnection;

  void accept_next();
  void accepted(boost::asio::local::stream_protocol::socket socket);
  void connection_ended(const std::shared_ptr<ControlConnection>& connection);
  void finish_when_empty();
  void remove_socket();

  asio::io_context& loop_;
  const Ask ask_;
  std::string path_;  // empty: not listening
  boost::asio::local::stream_protocol::acceptor acceptor_;
  asio::steady_timer timer_;  // patience, and a pause after a failed accept
  std::set<std::shared_ptr<ControlConnection>> connections_;
  bool stopping_ = false;
  std::function<void()> stopped_;
  std::shared_ptr<ControlServer*> self_;  // for handlers; points at null once this is gone
};

}  // namespace chapterd
