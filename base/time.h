// The only way to learn the time: an Instant handed in, or a Clock that the composition root owns.
#pragma once

#include <compare>
#include <cstdint>

namespace chapterd {

// Milliseconds since 1970-01-01 UTC, as this machine believes them. May be wildly wrong: nothing
// may be refused, lost or reordered because of it (docs/architecture.md).
struct Instant {
  std::int64_t ms = 0;

  [[nodiscard]] constexpr Instant plus_ms(std::int64_t more) const { return Instant{ms + more}; }

  friend constexpr auto operator<=>(const Instant&, const Instant&) = default;
};

// Thread-safe in every implementation.
class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual Instant now() const = 0;
};

}  // namespace chapterd
