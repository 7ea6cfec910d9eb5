// The command: runs seeds, says what happened, minimises what failed.
#include "crypto/system_random.h"
#include "tests/sim/report.h"
#include "tests/sim/world.h"

#include <charconv>
#include <cstdio>
#include <cstring>
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

Command parse(int count, char** words) {
  Command command;
  for (int i = 1; i < count; ++i) {
    const std::string_view word = words[i];
    const auto value = [&]() -> std::string_view {
      if (i + 1 >= count) usage();
      return words[++i];
    };
    if (word == "--seeds")
      command.seeds = number(value());
    else if (word == "--from" || word == "--seed")
      command.options.seed = number(value());
    else if (word == "--events")
      command.options.events = static_cast<int>(number(value()));
    else if (word == "--trace")
      command.options.trace = true;
    else if (word == "--json")
      command.json = true;
    else if (word == "--faults")
      command.options.faults = parts(value());
    else if (word == "--only") {
      for (const std::string& each : parts(value()))
        command.options.only.push_back(static_cast<int>(number(each)));
    } else if (word == "--control") {
      const auto control = control_named(value());
      if (!control) usage();
      command.options.control = *control;
    } else
      usage();
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
  return chapterd::sim::run(chapterd::sim::parse(count, words));
}
