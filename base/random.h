// The only source of chance. The daemon hands in the system's, tests a seeded one.
#pragma once

#include "base/bytes.h"

#include <cstdint>
#include <span>

namespace chapterd {

// Not thread-safe unless an implementation says so.
class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(std::span<std::uint8_t> out) = 0;

  template <class F>
  [[nodiscard]] F fixed() {
    F value;
    fill(value.bytes);
    return value;
  }

  [[nodiscard]] std::uint64_t number() {
    std::uint8_t raw[8];
    fill(raw);
    std::uint64_t value = 0;
    for (const std::uint8_t byte : raw) value = value << 8U | byte;
    return value;
  }
};

}  // namespace chapterd
