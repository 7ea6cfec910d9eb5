// The command: runs seeds, says what happened, minimises what failed.
#include "crypto/system_random.h"
#include "tests/sim/report.h"
#include "tests/sim/run.h"
#include "tests/sim/world.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace chapterd::sim {
namespace {

struct Command {
  Options options;
  std::uint64_t seeds = 1;
  bool json = false;
  bool minimise = false;
  bool quiet = false;
  bool twice = false;
  bool controls = false;
};

[[noreturn]] void usage() {
  std::fprintf(stderr,
               "usage: simulate [--seeds N] [--from S] [--events E] [--json] [--quiet]\n"
               "       simulate --seed S [--events E] [--only 1,2,3] [--trace] [--minimise]\n"
               "       simulate --twice --seeds N       each seed twice: the same trace?\n"
               "       simulate --controls              is every deliberate fault caught?\n"
               "       more: --faults A,B (instead of the seed's choice), --control NAME\n");
  std::exit(2);
}

std::uint64_t number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) usage();
  return value;
}

std::vector<std::string> parts(std::string_view list) {
  std::vector<std::string> all;
  while (!list.empty()) {
    const auto comma = std::min(list.find(','), list.size());
    all.emplace_back(list.substr(0, comma));
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return all;
}

struct Flag {
  const char* name;
  bool takes_value;
  void (*set)(Command& command, std::string_view value);
};

const Flag flags[] = {
    {"--seeds", true, [](Command& c, std::string_view v) { c.seeds = number(v); }},
    {"--from", true, [](Command& c, std::string_view v) { c.options.seed = number(v); }},
    {"--seed", true, [](Command& c, std::string_view v) { c.options.seed = number(v); }},
    {"--events", true,
     [](Command& c, std::string_view v) { c.options.events = static_cast<int>(number(v)); }},
    {"--faults", true, [](Command& c, std::string_view v) { c.options.faults = parts(v); }},
    {"--only", true,
     [](Command& c, std::string_view v) {
       for (const std::string& each : parts(v))
         c.options.only.push_back(static_cast<int>(number(each)));
     }},
    {"--control", true,
     [](Command& c, std::string_view v) {
       const auto control = control_named(v);
       if (!control) usage();
       c.options.control = *control;
     }},
    {"--trace", false, [](Command& c, std::string_view) { c.options.trace = true; }},
    {"--minimise", false, [](Command& c, std::string_view) { c.minimise = true; }},
    {"--quiet", false, [](Command& c, std::string_view) { c.quiet = true; }},
    {"--twice", false, [](Command& c, std::string_view) { c.twice = true; }},
    {"--controls", false, [](Command& c, std::string_view) { c.controls = true; }},
    {"--json", false, [](Command& c, std::string_view) { c.json = true; }},
};

Command parse(int count, char** words) {
  Command command;
  for (int i = 1; i < count; ++i) {
    const auto* flag = std::find_if(std::begin(flags), std::end(flags), [&](const Flag& each) {
      return std::string_view(each.name) == words[i];
    });
    if (flag == std::end(flags) || (flag->takes_value && i + 1 >= count)) usage();
    flag->set(command, flag->takes_value ? words[++i] : "");
  }
  return command;
}

// What to do about a failure: the command that repeats it, as short as can be.
void explain(const Command& command, Options options, const Outcome& outcome) {
  if (command.minimise) {
    options.only = minimise(options, outcome);
    std::printf("  %zu events are left\n", options.only.size());
  }
  std::printf("  repeat: %s --trace\n", command_for(options).c_str());
}

// Every control must be caught, by an invariant that is meant to, within its number of seeds.
int run_controls(const Command& command) {
  int missed = 0;
  for (const ControlInfo& each : controls()) {
    Options options = command.options;
    options.control = each.control;
    std::string by;
    int seeds = 0;
    while (by.empty() && seeds < each.seeds) {
      options.seed = command.options.seed + static_cast<std::uint64_t>(seeds++);
      by = run_apart(options).invariant;
    }
    const bool meant = (std::string(each.caught_by) + " ").find(by + " ") != std::string::npos;
    const bool caught = !by.empty() && meant;
    missed += caught ? 0 : 1;
    std::printf("%-20s %s %s after %d of at most %d seeds (%s)\n", each.name,
                caught ? "caught by" : "NOT CAUGHT", by.c_str(), seeds, each.seeds, each.caught_by);
  }
  std::printf("simulate: %zu controls, %d not caught\n", controls().size(), missed);
  return missed == 0 ? 0 : 1;
}

// I26: each seed twice.
int run_twice(const Command& command) {
  int differing = 0;
  for (std::uint64_t i = 0; i < command.seeds; ++i) {
    Options options = command.options;
    options.seed += i;
    const std::string first = run(options).trace;
    const bool same = run(options).trace == first;
    if (same) continue;
    ++differing;
    std::printf("seed %s FAILED I26: two runs differ\n", std::to_string(options.seed).c_str());
  }
  std::printf("simulate: %s seeds twice, %d differ\n", std::to_string(command.seeds).c_str(),
              differing);
  return differing == 0 ? 0 : 1;
}

int run_seeds(const Command& command) {
  Report report;
  for (std::uint64_t i = 0; i < command.seeds; ++i) {
    Options options = command.options;
    options.seed += i;
    const Outcome outcome = run(options);
    add(report, outcome.figures);
    const std::string name = "seed " + std::to_string(options.seed);
    if (!outcome.failed()) {
      if (!command.quiet) std::printf("%s: %s\n", name.c_str(), sentence(outcome.figures).c_str());
      continue;
    }
    ++report.failures;
    std::printf("%s FAILED %s: %s\n", name.c_str(), outcome.invariant.c_str(),
                outcome.what.c_str());
    explain(command, options, outcome);
  }
  if (command.json) {
    std::printf("%s\n", json(report).c_str());
  } else {
    std::printf("simulate: %s\n", sentence(report).c_str());
  }
  return report.failures == 0 ? 0 : 1;
}

int run_command(const Command& command) {
  if (command.controls) return run_controls(command);
  if (command.twice) return run_twice(command);
  return run_seeds(command);
}

}  // namespace
}  // namespace chapterd::sim

int main(int count, char** words) {
  if (!chapterd::start_crypto()) return 1;
  std::setvbuf(stdout, nullptr, _IOLBF, 0);  // what was said is there when something aborts
  return chapterd::sim::run_command(chapterd::sim::parse(count, words));
}
