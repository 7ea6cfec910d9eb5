// What a run says of itself: figures added up, as a sentence or as JSON.
#pragma once

#include "tests/sim/world.h"

#include <string>

namespace chapterd::sim {

struct Report {
  std::uint64_t seeds = 0;
  std::uint64_t failures = 0;
  Figures sum;  // over all seeds; `nodes` and `fault_kinds` are the least of any
  std::int64_t slowest_healing_ms = 0;
};

void add(Report& report, const Figures& figures);
[[nodiscard]] std::string sentence(const Report& report);
[[nodiscard]] std::string json(const Report& report);
[[nodiscard]] std::string sentence(const Figures& figures);

}  // namespace chapterd::sim
