// The command: runs seeds, says what happened, minimises what failed.
#include "crypto/system_random.h"
#include "tests/sim/report.h"
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
};

[[noreturn]] void usage() {
  std::fprintf(stderr,
               "usage: simulate [--seeds N] [--from S] [--events E] [--seed S] [--trace]\n"
               "                [--faults A,B] [--only 1,2,3] [--control NAME]\n");
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
    {"--bare", false, [](Command& c, std::string_view) { c.options.bare = true; }},
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

int run(const Command& command) {
  Report report;
  for (std::uint64_t i = 0; i < command.seeds; ++i) {
    Options options = command.options;
    options.seed += i;
    World world(options);
    const std::string name = "seed " + std::to_string(options.seed);
    try {
      world.run();
      std::printf("%s ok: %s\n", name.c_str(), sentence(world.figures).c_str());
    } catch (const Failure& failure) {
      ++report.failures;
      std::printf("%s FAILED %s: %s\n", name.c_str(), failure.invariant.c_str(), failure.what());
    }
    add(report, world.figures);
  }
  std::printf("simulate: %s\n", (command.json ? json(report) : sentence(report)).c_str());
  return report.failures == 0 ? 0 : 1;
}

}  // namespace
}  // namespace chapterd::sim

int main(int count, char** words) {
  if (!chapterd::start_crypto()) return 1;
  std::setvbuf(stdout, nullptr, _IOLBF, 0);  // what was said is there when something aborts
  return chapterd::sim::run(chapterd::sim::parse(count, words));
}
