// One run of one seed, and the smallest part of it that still fails.
#pragma once

#include "tests/sim/world.h"

#include <optional>
#include <string>

namespace chapterd::sim {

struct Outcome {
  std::string invariant;  // empty: all held
  std::string what;
  std::string trace;  // hash of everything that happened
  Figures figures;

  [[nodiscard]] bool failed() const { return !invariant.empty(); }
};

[[nodiscard]] Outcome run(const Options& options);
// The same in a process of its own, so that a broken contract is an outcome too ("abort").
[[nodiscard]] Outcome run_apart(const Options& options);

// Numbers of the events that are left after dropping all that the failure does not need.
[[nodiscard]] std::vector<int> minimise(const Options& options, const Outcome& failure);

// What repeats a run.
[[nodiscard]] std::string command_for(const Options& options);

}  // namespace chapterd::sim
