// Running, in this process or apart from it, and minimising by halves (Zeller and Hildebrandt,
// "Simplifying and Isolating Failure-Inducing Input", 2002).
#include "tests/sim/run.h"

#include "tests/sim/plan.h"

#include <algorithm>
#include <numeric>
#include <sys/wait.h>
#include <unistd.h>

namespace chapterd::sim {
namespace {

constexpr int most_trials = 150;

std::string joined(const std::vector<int>& numbers) {
  std::string text;
  for (const int number : numbers) text += (text.empty() ? "" : ",") + std::to_string(number);
  return text;
}

// The parent's half of run_apart().
Outcome read_outcome(int from, pid_t child) {
  std::string text;
  char buffer[4096];
  for (ssize_t count = 0; (count = ::read(from, buffer, sizeof buffer)) > 0;)
    text.append(buffer, static_cast<std::size_t>(count));
  ::close(from);
  int status = 0;
  ::waitpid(child, &status, 0);
  Outcome outcome;
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    outcome.invariant = "abort";
    outcome.what = "the process ended by itself: a broken contract or worse";
    return outcome;
  }
  const std::size_t line = std::min(text.find('\n'), text.size());
  outcome.invariant = text.substr(0, line);
  outcome.what = text.substr(std::min(line + 1, text.size()));
  return outcome;
}

}  // namespace

Outcome run(const Options& options) {
  Outcome outcome;
  World world(options);
  try {
    world.tell(command_for(options));
    world.run();
  } catch (const Failure& failure) {
    outcome.invariant = failure.invariant;
    outcome.what = failure.what();
  }
  outcome.figures = world.figures;
  outcome.trace = to_hex(world.trace_hash.finish().view());
  return outcome;
}

Outcome run_apart(const Options& options) {
  int ends[2] = {};
  if (::pipe(ends) != 0) return run(options);
  const pid_t child = ::fork();
  if (child != 0) {
    ::close(ends[1]);
    return read_outcome(ends[0], child);
  }
  const Outcome outcome = run(options);
  const std::string text = outcome.invariant + "\n" + outcome.what;
  const bool written =
      ::write(ends[1], text.data(), text.size()) == static_cast<ssize_t>(text.size());
  ::_exit(written ? 0 : 1);
}

std::vector<int> minimise(const Options& options, const Outcome& failure) {
  std::vector<int> kept = options.only;
  if (kept.empty()) {
    kept.resize(static_cast<std::size_t>(options.events));
    std::iota(kept.begin(), kept.end(), 0);
  }
  int trials = 0;
  for (std::size_t size = kept.size() / 2; size > 0; size /= 2) {
    for (std::size_t at = 0; at < kept.size() && trials < most_trials;) {
      std::vector<int> fewer = kept;
      const auto begin = fewer.begin() + static_cast<std::ptrdiff_t>(at);
      fewer.erase(begin, begin + static_cast<std::ptrdiff_t>(std::min(size, kept.size() - at)));
      Options trial = options;
      trial.trace = false;
      trial.only = fewer;
      ++trials;
      if (!fewer.empty() && run_apart(trial).invariant == failure.invariant) {
        kept = std::move(fewer);
      } else {
        at += size;
      }
    }
  }
  return kept;
}

std::string command_for(const Options& options) {
  std::string text = "scripts/simulate --seed " + std::to_string(options.seed) + " --events " +
                     std::to_string(options.events);
  if (options.control != Control::none) {
    for (const ControlInfo& each : controls())
      if (each.control == options.control) text += std::string(" --control ") + each.name;
  }
  // Named, so that it draws the same when there are more kinds.
  std::string names;
  for (const std::string& name : faults_of(options)) names += (names.empty() ? "" : ",") + name;
  text += " --faults " + names;
  if (!options.only.empty()) text += " --only " + joined(options.only);
  return text;
}

}  // namespace chapterd::sim
