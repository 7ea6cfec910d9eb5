// What a benchmark reports: a figure, the limit measured beside it in the same run, and the goal.
#pragma once

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

namespace chapterd::bench {

struct Figure {
  std::string what;  // "catch-up, 100,000 changes"
  double value = 0;
  std::string unit;      // "changes/s"
  double limit = 0;      // the same done by the machine alone; 0: none
  std::string limit_is;  // "plain SQLite, the same two rows"
  std::string goal;      // "≥ 60,000"
  std::string note;
};

class Stopwatch {
 public:
  [[nodiscard]] double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
  }

 private:
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

// The value below which `share` of the samples lie.
[[nodiscard]] inline double quantile(std::vector<double> samples, double share) {
  if (samples.empty()) return 0;
  std::sort(samples.begin(), samples.end());
  const auto last = static_cast<double>(samples.size() - 1);
  return samples[static_cast<std::size_t>(share * last)];
}

}  // namespace chapterd::bench
