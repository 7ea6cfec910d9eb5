// What the daemon says to systemd, without its library (sd_notify(3), "Standalone
// Implementations").
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace chapterd::service {

// Sends "READY=1", "STOPPING=1" or "WATCHDOG=1" to $NOTIFY_SOCKET. Does nothing without one; that
// nobody listens is no failure. Any thread.
void notify(std::string_view state);

// How often systemd wants to hear WATCHDOG=1: half of $WATCHDOG_USEC. None when it does not.
[[nodiscard]] std::optional<std::chrono::milliseconds> watchdog_interval();

}  // namespace chapterd::service
