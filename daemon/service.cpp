// One datagram a state.
#include "daemon/service.h"

#include <charconv>
#include <cstdlib>
#include <cstring>
#include <string>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace chapterd::service {
namespace {

// Nothing in this program changes the environment once other threads run.
std::string_view variable(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe)
  return value == nullptr ? std::string_view() : value;
}

}  // namespace

void notify(std::string_view state) {
  const std::string_view path = variable("NOTIFY_SOCKET");
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) return;
  if (path.front() != '/' && path.front() != '@') return;
  std::memcpy(address.sun_path, path.data(), path.size());
  if (path.front() == '@') address.sun_path[0] = '\0';  // abstract
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
  const int socket = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return;
  const auto* to = reinterpret_cast<const sockaddr*>(&address);
  static_cast<void>(::sendto(socket, state.data(), state.size(), MSG_NOSIGNAL, to, size));
  ::close(socket);
}

std::optional<std::chrono::milliseconds> watchdog_interval() {
  const std::string_view text = variable("WATCHDOG_USEC");
  std::uint64_t microseconds = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), microseconds);
  if (end.ec != std::errc() || microseconds < 2000) return std::nullopt;
  return std::chrono::milliseconds(microseconds / 2000);
}

}  // namespace chapterd::service
