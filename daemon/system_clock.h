// The system's clocks: the one place that asks the operating system for the time.
#pragma once

#include "base/time.h"

#include <chrono>

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

// Starts at the system's date and from there moves evenly, whatever is done to the date: for
// time-outs and back-off. Thread-safe.
class EvenClock final : public Clock {
 public:
  [[nodiscard]] Instant now() const override {
    using std::chrono::duration_cast;
    using std::chrono::milliseconds;
    const auto passed = std::chrono::steady_clock::now() - began_;
    return start_.plus_ms(duration_cast<milliseconds>(passed).count());
  }

 private:
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  Instant start_ = SystemClock().now();
};

}  // namespace chapterd
