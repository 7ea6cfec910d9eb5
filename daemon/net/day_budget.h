// What the links of this node may move in a day, and what they have moved of it.
#pragma once

#include "base/byte_stream.h"
#include "base/time.h"

#include <cstdint>

namespace chapterd {

namespace stored_name {
inline constexpr const char* day_budget = "net/day-budget";  // day u64 | bytes u64
}  // namespace stored_name

// Days are those of UTC, by the clock that is handed in: one that jumps begins another day. One
// thread.
class DayBudget {
 public:
  // 0: no limit.
  explicit DayBudget(std::uint64_t limit_bytes) : limit_(limit_bytes) {}

  // What value() gave before; anything else counts for nothing.
  void restore(ByteView stored) {
    ByteReader in(stored);
    const std::uint64_t day = in.u64();
    const std::uint64_t used = in.u64();
    if (!in.finished()) return;
    day_ = day;
    used_ = noted_ = used;
  }

  [[nodiscard]] Bytes value() const {
    ByteWriter out;
    return out.u64(day_).u64(used_).take();
  }

  void add(std::uint64_t bytes, Instant date) {
    turn_page(date);
    used_ += bytes;
  }

  [[nodiscard]] bool is_spent(Instant date) {
    turn_page(date);
    return limit_ != 0 && used_ >= limit_;
  }

  [[nodiscard]] std::uint64_t limit_bytes() const { return limit_; }

  [[nodiscard]] std::uint64_t used_bytes() const { return used_; }

  // True now and then, when value() is worth storing: a crash forgets at most a sixty-fourth.
  [[nodiscard]] bool is_worth_noting() {
    constexpr std::uint64_t parts = 64;
    if (limit_ == 0 || used_ - noted_ <= limit_ / parts) return false;
    noted_ = used_;
    return true;
  }

 private:
  void turn_page(Instant date) {
    constexpr std::int64_t day_ms = 24LL * 3600 * 1000;
    const auto day = static_cast<std::uint64_t>(date.ms / day_ms);
    if (day == day_) return;
    day_ = day;
    used_ = noted_ = 0;
  }

  const std::uint64_t limit_;
  std::uint64_t day_ = 0;
  std::uint64_t used_ = 0;
  std::uint64_t noted_ = 0;  // of used_, as it was stored last
};

}  // namespace chapterd
