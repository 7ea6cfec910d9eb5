// Accepting, reading, asking, answering.
#include "daemon/control/control_server.h"

#include "daemon/control/wire.h"
#include "daemon/log.h"
#include "daemon/net/gate.h"

#include <boost/asio/read.hpp>
#include <nlohmann/json.hpp>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <utility>

namespace chapterd {
namespace {

using Local = boost::asio::local::stream_protocol;

constexpr const char* all_safe = "Everything that is stored is safe.";

// The program at the other end runs as this user, or as root.
bool is_ours(Local::socket& socket) {
  ucred peer = {};
  socklen_t size = sizeof peer;
  if (::getsockopt(socket.native_handle(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
    return false;
  return peer.uid == ::geteuid() || peer.uid == 0;
}

Bytes refusal(Errc kind, const char* code, const char* what, const char* next) {
  return control::encode_answer(fail(kind, code, what, "Nothing was changed.", next));
}

Result<void> cannot_listen(const std::string& path, const std::string& why) {
  return fail(Errc::failed, "control.cannot-listen",
              "The control socket " + path + " cannot be made: " + why + ".", all_safe,
              "Set control.socket to a path in a folder that this user may write.");
}

// Makes room for our socket at a path.
Result<void> remove_stale(asio::io_context& loop, const std::string& path) {
  struct stat status = {};
  if (::lstat(path.c_str(), &status) != 0) return {};
  if (!S_ISSOCK(status.st_mode)) {
    return fail(Errc::failed, "control.not-a-socket", path + " exists and is not a socket.",
                all_safe, "Move it away, or set control.socket to another path.");
  }
  asio::error_code error;
  Local::socket probe(loop);
  probe.connect(Local::endpoint(path), error);
  if (!error) {
    return fail(Errc::failed, "control.in-use", "Another daemon listens at " + path + ".", all_safe,
                "Set control.socket to another path.");
  }
  if (::unlink(path.c_str()) != 0) return cannot_listen(path, std::strerror(errno));
  return {};
}

}  // namespace

// One program of this user. Held by the server and by its own coroutine.
class ControlConnection final : public std::enable_shared_from_this<ControlConnection> {
 public:
  ControlConnection(ControlServer& server, Local::socket socket)
      : server_(&server), socket_(std::move(socket)), answered_(server.loop_) {}

  void start() {
    const auto ended = [self = shared_from_this()](const std::exception_ptr& thrown) {
      asio::error_code ignored;
      self->socket_.close(ignored);
      if (self->server_ != nullptr) self->server_->connection_ended(self);
      if (thrown) std::rethrow_exception(thrown);
    };
    asio::co_spawn(socket_.get_executor(), serve(), ended);
  }

  // Ends it once the call under way is answered.
  void stop() {
    stopping_ = true;
    asio::error_code ignored;
    if (!busy_) socket_.close(ignored);
  }

  void cut() {
    asio::error_code ignored;
    socket_.close(ignored);
    answered_.open();
  }

  // The server is gone.
  void forget() {
    server_ = nullptr;
    cut();
  }

 private:
  // Its lifetime is that of start()'s completion handler, which holds the connection.
  asio::awaitable<void> serve() {
    while (!stopping_ && socket_.is_open()) {
      const bool is_read = co_await read_body();
      if (!is_read || server_ == nullptr) co_return;
      ask();
      while (busy_ && socket_.is_open()) co_await answered_.pass();
      if (!socket_.is_open()) co_return;
      const auto whole = asio::buffer(frame_);
      const auto written = co_await asio::async_write(socket_, whole, asio::as_result);
      if (std::get<0>(written) || is_last_) co_return;
    }
  }

  asio::awaitable<bool> read_body() {
    const auto head = asio::buffer(prefix_);
    const auto began = co_await asio::async_read(socket_, head, asio::as_result);
    if (std::get<0>(began)) co_return false;
    const std::size_t size = control::body_bytes(prefix_);
    is_last_ = size > control::most_body_bytes;
    if (is_last_) co_return true;
    body_.resize(size);
    const auto rest = asio::buffer(body_);
    const auto read = co_await asio::async_read(socket_, rest, asio::as_result);
    co_return !std::get<0>(read);
  }

  void ask() {
    if (is_last_) {
      frame_ = refusal(Errc::usage, "control.too-large", "This is more than 8 MiB for one request.",
                       "Split it into smaller parts.");
      return;
    }
    busy_ = true;
    auto executor = socket_.get_executor();
    server_->ask_(std::exchange(body_, {}), [executor, weak = weak_from_this()](Bytes frame) {
      asio::post(executor, [weak, frame = std::move(frame)]() mutable {
        const auto self = weak.lock();
        if (!self) return;
        self->frame_ = std::move(frame);
        self->busy_ = false;
        self->answered_.open();
      });
    });
  }

  ControlServer* server_;
  Local::socket socket_;
  Gate answered_;
  bool busy_ = false;
  bool stopping_ = false;
  bool is_last_ = false;
  std::array<std::uint8_t, control::length_bytes> prefix_{};
  Bytes body_;
  Bytes frame_;
};

ControlServer::ControlServer(asio::io_context& loop, Ask ask)
    : loop_(loop),
      ask_(std::move(ask)),
      acceptor_(loop),
      timer_(loop),
      self_(std::make_shared<ControlServer*>(this)) {}

ControlServer::~ControlServer() {
  *self_ = nullptr;
  asio::error_code ignored;
  acceptor_.close(ignored);
  remove_socket();
  for (const auto& connection : connections_) connection->forget();
}

Result<void> ControlServer::open(const std::string& path) {
  if (path.size() >= sizeof sockaddr_un{}.sun_path) {
    return cannot_listen(path, std::strerror(ENAMETOOLONG));
  }
  if (auto removed = remove_stale(loop_, path); !removed) return removed;
  asio::error_code error;
  acceptor_.open(Local(), error);
  if (error) return cannot_listen(path, error.message());
  const mode_t before = ::umask(0177);
  acceptor_.bind(Local::endpoint(path), error);
  ::umask(before);
  if (!error) acceptor_.listen(Local::acceptor::max_listen_connections, error);
  if (error) return cannot_listen(path, error.message());
  path_ = path;
  accept_next();
  return {};
}

void ControlServer::accept_next() {
  acceptor_.async_accept([self = self_](asio::error_code error, Local::socket socket) {
    if (*self == nullptr || (*self)->stopping_) return;
    if (!error) {
      (*self)->accepted(std::move(socket));
      (*self)->accept_next();
      return;
    }
    // Out of descriptors, most likely.
    log::warn("control.accept", {{"error", error.value()}});
    (*self)->timer_.expires_after(std::chrono::seconds(1));
    (*self)->timer_.async_wait([self](asio::error_code cancelled) {
      if (!cancelled && *self != nullptr) (*self)->accept_next();
    });
  });
}

void ControlServer::accepted(Local::socket socket) {
  const bool ours = is_ours(socket);
  if (ours && connections_.size() < most_connections) {
    auto connection = std::make_shared<ControlConnection>(*this, std::move(socket));
    connections_.insert(connection);
    connection->start();
    return;
  }
  const Bytes answer =
      ours ? refusal(Errc::gave_up, "control.busy", "Too many programs talk to the daemon.",
                     "Try again in a moment.")
           : refusal(Errc::not_allowed, "control.refused", "This user may not talk to the daemon.",
                     "Use the account that the daemon runs as.");
  // It fits the socket's buffer; a caller who is gone has no use for it.
  asio::error_code ignored;
  socket.non_blocking(true, ignored);
  socket.send(asio::buffer(answer), 0, ignored);
}

void ControlServer::connection_ended(const std::shared_ptr<ControlConnection>& connection) {
  connections_.erase(connection);
  finish_when_empty();
}

void ControlServer::stop(std::chrono::milliseconds patience, std::function<void()> done) {
  stopping_ = true;
  stopped_ = std::move(done);
  asio::error_code ignored;
  acceptor_.close(ignored);
  remove_socket();
  for (const auto& connection : std::set(connections_)) connection->stop();
  timer_.expires_after(patience);
  timer_.async_wait([self = self_](asio::error_code cancelled) {
    if (cancelled || *self == nullptr) return;
    for (const auto& connection : std::set((*self)->connections_)) connection->cut();
  });
  finish_when_empty();
}

void ControlServer::finish_when_empty() {
  if (!stopped_ || !connections_.empty()) return;
  timer_.cancel();
  asio::post(loop_, std::exchange(stopped_, nullptr));
}

// While the lock of the data folder is held, whatever stands at the path is ours.
void ControlServer::remove_socket() {
  if (!path_.empty()) ::unlink(path_.c_str());
  path_.clear();
}

}  // namespace chapterd
