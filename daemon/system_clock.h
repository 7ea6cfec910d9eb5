// The system's clocks: the one place that asks the operating system for the time.
#pragma once

#include "base/time.h"

#include <chrono>
#include <ctime>

namespace chapterd {

// What this machine believes the date to be; it may jump at any moment. For what is written down
// and shown. Thread-safe.
class SystemClock final : public Clock {
 public:
  [[nodiscard]] Instant now() const override {
    using std::chrono::duration_cast;
    using std::chrono::milliseconds;
    const auto since = std::chrono::system_clock::now().time_since_epoch();
    return Instant{duration_cast<milliseconds>(since).count()};
  }
};

// Starts at the system's date and from there moves evenly, whatever is done to the date, also while
// the machine sleeps: for time-outs, back-off and how long ago something was. Thread-safe.
class EvenClock final : public Clock {
 public:
  [[nodiscard]] Instant now() const override {
    using std::chrono::duration_cast;
    using std::chrono::milliseconds;
    return start_.plus_ms(duration_cast<milliseconds>(since_boot() - began_).count());
  }

 private:
  // std::chrono::steady_clock stands still while a laptop sleeps.
  [[nodiscard]] static std::chrono::nanoseconds since_boot() {
    timespec time{};
    ::clock_gettime(CLOCK_BOOTTIME, &time);
    return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
  }

  std::chrono::nanoseconds began_ = since_boot();
  Instant start_ = SystemClock().now();
};

}  // namespace chapterd
