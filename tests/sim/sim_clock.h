// What a node believes the date to be: drifts, jumps, stands still.
#pragma once

#include "tests/sim/agenda.h"

namespace chapterd::sim {

inline constexpr Instant year_1970{0};
inline constexpr Instant year_2026{1'780'000'000'000};
inline constexpr Instant year_2038{2'147'483'647'500};  // half a second before 32 bits run over
inline constexpr Instant year_2106{4'294'967'295'500};  // the same for 32 bits without sign

class SimClock final : public Clock {
 public:
  explicit SimClock(const Agenda& agenda) : agenda_(&agenda), since_(agenda.now()) {}

  [[nodiscard]] Instant now() const override {
    const std::int64_t passed = agenda_->now().ms - since_.ms;
    return date_.plus_ms(passed + passed * drift_ppm_ / 1'000'000);
  }

  // -1,000,000: stands still.
  void set(Instant date, std::int64_t drift_ppm) {
    date_ = date;
    since_ = agenda_->now();
    drift_ppm_ = drift_ppm;
  }

 private:
  const Agenda* agenda_;
  Instant since_;
  Instant date_ = year_2026;
  std::int64_t drift_ppm_ = 0;
};

}  // namespace chapterd::sim
