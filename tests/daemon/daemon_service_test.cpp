// What the service manager hears.
#include "daemon/service.h"
#include "tests/daemon/operations_support.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace chapterd::testing {
namespace {

class ServiceManager {
 public:
  explicit ServiceManager(const std::string& path) : socket_(::socket(AF_UNIX, SOCK_DGRAM, 0)) {
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    EXPECT_EQ(::bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    setenv("NOTIFY_SOCKET", path.c_str(), 1);
  }

  ~ServiceManager() {
    unsetenv("NOTIFY_SOCKET");
    ::close(socket_);
  }

  ServiceManager(const ServiceManager&) = delete;
  ServiceManager& operator=(const ServiceManager&) = delete;

  std::string heard() {
    char text[64];
    const ssize_t count = ::recv(socket_, text, sizeof text, 0);
    return {text, count > 0 ? static_cast<std::size_t>(count) : 0};
  }

 private:
  int socket_;
};

TEST(Service, HearsReadyWatchdogAndStopping) {
  const Place place;
  const Config config = place.config("top");
  found(config);
  ServiceManager manager(place.path("notify"));
  setenv("WATCHDOG_USEC", "20000", 1);
  {
    RunningDaemon daemon(config);
    EXPECT_EQ(manager.heard(), "WATCHDOG=1");
    EXPECT_EQ(manager.heard(), "READY=1");
    EXPECT_EQ(manager.heard(), "WATCHDOG=1");
    EXPECT_TRUE(daemon.stop());
  }
  unsetenv("WATCHDOG_USEC");
  std::string last;
  do {
    last = manager.heard();
  } while (last == "WATCHDOG=1");
  EXPECT_EQ(last, "STOPPING=1");
}

TEST(Service, WithoutAManagerNothingIsSaid) {
  unsetenv("NOTIFY_SOCKET");
  service::notify("READY=1");
  EXPECT_FALSE(service::watchdog_interval());
}

}  // namespace
}  // namespace chapterd::testing
