// Virtual time and the one queue of everything that is going to happen.
#pragma once

#include "base/time.h"

#include <cstdint>
#include <functional>
#include <queue>
#include <vector>

namespace chapterd::sim {

class Agenda {
 public:
  [[nodiscard]] Instant now() const { return now_; }

  // Events of one instant happen in the order in which they were put here.
  void at(Instant when, std::function<void()> what) {
    queue_.push({when < now_ ? now_ : when, next_++, std::move(what)});
  }

  void after_ms(std::int64_t ms, std::function<void()> what) {
    at(now_.plus_ms(ms), std::move(what));
  }

  // Lets the next event happen. False: there is none before `end`, which it is then.
  bool step(Instant end) {
    if (queue_.empty() || queue_.top().when > end) {
      now_ = end;
      return false;
    }
    // The queue gives only const access to what is about to be removed.
    Event event = std::move(const_cast<Event&>(queue_.top()));
    queue_.pop();
    now_ = event.when;
    ++steps_;
    event.what();
    return true;
  }

  [[nodiscard]] std::uint64_t steps() const { return steps_; }

 private:
  struct Event {
    Instant when;
    std::uint64_t order = 0;
    std::function<void()> what;

    friend bool operator<(const Event& a, const Event& b) {
      return a.when != b.when ? a.when > b.when : a.order > b.order;
    }
  };

  Instant now_{1'000'000};  // since some machine was started; not a date
  std::uint64_t next_ = 0;
  std::uint64_t steps_ = 0;
  std::priority_queue<Event> queue_;
};

}  // namespace chapterd::sim
