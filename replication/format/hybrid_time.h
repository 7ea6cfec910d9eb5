// Hybrid logical time: 48 bits of milliseconds, 16 bits of counter. Orders what is shown, decides
// nothing.
#pragma once

#include "base/time.h"

#include <compare>
#include <cstdint>

namespace chapterd {

struct HybridTime {
  std::uint64_t value = 0;  // milliseconds since 1970 << 16 | counter

  [[nodiscard]] Instant instant() const { return Instant{static_cast<std::int64_t>(value >> 16U)}; }

  friend auto operator<=>(const HybridTime&, const HybridTime&) = default;
};

// The next time of a node whose newest known time is `last` and whose clock says `now`. Never goes
// back; a clock before 1970 or past the year 10889 only stops moving the upper part.
// (Kulkarni et al., "Logical Physical Clocks", 2014.)
[[nodiscard]] inline HybridTime next_time(HybridTime last, Instant now) {
  constexpr std::int64_t most = (1LL << 48) - 1;
  const std::int64_t clamped = now.ms < 0 ? 0 : now.ms > most ? most : now.ms;
  const std::uint64_t wall = static_cast<std::uint64_t>(clamped) << 16U;
  if (wall > last.value) return HybridTime{wall};
  return HybridTime{last.value == UINT64_MAX ? last.value : last.value + 1};
}

}  // namespace chapterd
