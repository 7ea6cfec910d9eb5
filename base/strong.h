// Counters that cannot be mixed up with each other or with plain integers.
#pragma once

#include <compare>
#include <cstdint>

namespace chapterd {

template <class Tag>
struct Strong {
  std::uint64_t value = 0;

  constexpr Strong() = default;

  constexpr explicit Strong(std::uint64_t value_) : value(value_) {}

  [[nodiscard]] constexpr Strong next() const { return Strong(value + 1); }

  [[nodiscard]] constexpr Strong plus(std::uint64_t count) const { return Strong(value + count); }

  friend constexpr auto operator<=>(const Strong&, const Strong&) = default;
  friend constexpr bool operator==(const Strong&, const Strong&) = default;
};

}  // namespace chapterd
