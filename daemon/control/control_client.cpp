// Blocking calls over a Unix socket.
#include "daemon/control/control_client.h"

#include "daemon/control/wire.h"

#include <nlohmann/json.hpp>

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <span>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace chapterd {
namespace {

using Json = nlohmann::json;

constexpr int connect_ms = 2000;

Error not_running() {
  return {Errc::unreachable, "daemon.not-running", "No daemon is running for this folder.",
          "Everything that was saved is safe.", "Start it with: chapterd run"};
}

Error socket_trouble(int code) {
  if (code == ENOENT || code == ECONNREFUSED) return not_running();
  if (code == EACCES || code == EPERM) {
    return {Errc::not_allowed, "control.refused", "This user may not talk to the daemon.",
            "Nothing was changed.", "Use the account that the daemon runs as."};
  }
  return {Errc::failed, "control.socket",
          std::string("The control socket cannot be used: ") + std::strerror(code) + ".",
          "Nothing was changed.", "Look at control.socket with: chapterd config show"};
}

Error gone() {
  return {Errc::unreachable, "daemon.gone", "The daemon went away before it answered.",
          "What it had confirmed is safe. Whether this was done is not known.",
          "See whether it runs, then look before you do it again."};
}

// 0, or the error number.
int connect_to(int socket, const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return ENAMETOOLONG;
  std::memcpy(address.sun_path, path.data(), path.size());
  const auto* at = reinterpret_cast<const sockaddr*>(&address);
  if (::connect(socket, at, sizeof address) == 0) return 0;
  // A Unix socket answers at once, or says EAGAIN while its queue is full.
  if (errno != EINPROGRESS) return errno;
  pollfd ready = {socket, POLLOUT, 0};
  if (::poll(&ready, 1, connect_ms) != 1) return ETIMEDOUT;
  int code = 0;
  socklen_t size = sizeof code;
  return ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &code, &size) == 0 ? code : errno;
}

// Tries again while the daemon's queue of callers is full.
int connect_in_time(int socket, const std::string& path) {
  constexpr int pause_ms = 20;
  for (int waited = 0;; waited += pause_ms) {
    const int code = connect_to(socket, path);
    if (code != EAGAIN || waited >= connect_ms) return code;
    ::poll(nullptr, 0, pause_ms);
  }
}

bool send_all(int socket, ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
  return true;
}

bool receive_all(int socket, std::span<std::uint8_t> into) {
  while (!into.empty()) {
    const ssize_t count = ::recv(socket, into.data(), into.size(), 0);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    into = into.subspan(static_cast<std::size_t>(count));
  }
  return true;
}

}  // namespace

Result<std::unique_ptr<Caller>> ControlClient::connect(const std::string& socket_path) {
  const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (socket < 0) return fail(socket_trouble(errno));
  std::unique_ptr<Caller> client(new ControlClient(socket));
  if (const int code = connect_in_time(socket, socket_path); code != 0)
    return fail(socket_trouble(code));
  const int flags = ::fcntl(socket, F_GETFL);
  if (flags < 0 || ::fcntl(socket, F_SETFL, flags & ~O_NONBLOCK) != 0)
    return fail(socket_trouble(errno));
  return client;
}

ControlClient::~ControlClient() {
  ::close(socket_);
}

Result<Json> ControlClient::call(std::string_view verb, const Json& args) {
  const auto request = control::encode_call(verb, args);
  if (!request) return forward(request);
  // A daemon that refuses this connection answers before it has read: so read in any case.
  const bool sent = send_all(socket_, *request);
  std::uint8_t prefix[control::length_bytes];
  if (!receive_all(socket_, prefix)) return fail(gone());
  const std::size_t size = control::body_bytes(prefix);
  if (size > control::most_body_bytes) return control::decode_answer({});
  Bytes body(size);
  if (!receive_all(socket_, body)) return fail(gone());
  auto answer = control::decode_answer(body);
  if (!sent && answer) return fail(gone());
  return answer;
}

}  // namespace chapterd
