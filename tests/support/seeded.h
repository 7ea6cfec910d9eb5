// Chance and time that tests hold in their hand.
#pragma once

#include "base/random.h"
#include "base/time.h"

#include <atomic>

namespace chapterd::testing {

// splitmix64 (Steele, Lea, Flood, 2014): the same seed gives the same bytes.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : state_(seed) {}

  void fill(std::span<std::uint8_t> out) override {
    for (std::uint8_t& byte : out) byte = static_cast<std::uint8_t>(next() >> 24U);
  }

  std::uint64_t next() {
    state_ += 0x9E3779B97F4A7C15ULL;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31U);
  }

  // 0 … bound - 1.
  std::size_t below(std::size_t bound) { return static_cast<std::size_t>(next() % bound); }

 private:
  std::uint64_t state_;
};

class SetClock final : public Clock {
 public:
  [[nodiscard]] Instant now() const override { return Instant{ms_.load()}; }

  void set(Instant now) { ms_ = now.ms; }

  void advance_ms(std::int64_t ms) { ms_ += ms; }

 private:
  std::atomic<std::int64_t> ms_{1'780'000'000'000};
};

}  // namespace chapterd::testing
