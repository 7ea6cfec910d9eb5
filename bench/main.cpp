// Runs the rows and prints them as a table or as JSON.
#include "bench/rows.h"
#include "daemon/log.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cstdio>
#include <cstring>
#include <exception>
#include <functional>
#include <iterator>

namespace chapterd::bench {
namespace {

struct Options {
  bool json = false;
  bool large = false;   // the row of a million changes too
  std::string records;  // a JSON-lines file instead of made-up changes
  std::string only;     // rows whose name contains this
};

void print(const Figure& figure) {
  std::string limit;
  if (figure.limit > 0) {
    limit = fmt::format("  limit {:.2f} ({}), ratio {:.2f}", figure.limit, figure.limit_is,
                        figure.value / figure.limit);
  }
  fmt::print("{:<58} {:>12.2f} {:<10} goal {}{}{}\n", figure.what, figure.value, figure.unit,
             figure.goal, limit, figure.note.empty() ? "" : "  [" + figure.note + "]");
  std::fflush(stdout);
}

nlohmann::json to_json(const Figure& figure) {
  return {{"what", figure.what},   {"value", figure.value},       {"unit", figure.unit},
          {"limit", figure.limit}, {"limit_is", figure.limit_is}, {"goal", figure.goal},
          {"note", figure.note}};
}

void run(const Options& options) {
  constexpr std::size_t count = 100'000;
  constexpr std::size_t large = 1'000'000;
  const Lines lines = options.records.empty() ? make_lines(count, 42) : read_lines(options.records);
  const std::pair<const char*, std::function<std::vector<Figure>()>> rows[] = {
      {"catch-up", [&] { return catch_up(lines, 3); }},
      {"little-new", [&] { return little_new(lines); }},
      {"lost-cursor", [] { return lost_cursor(); }},
      {"local", [] { return local_writes(); }},
      {"live", [] { return live(500); }},
      {"million",
       [&] { return options.large ? catch_up(make_lines(large, 42), 1) : std::vector<Figure>(); }},
  };
  nlohmann::json all = nlohmann::json::array();
  for (const auto& [name, row] : rows) {
    if (!options.only.empty() && std::string(name).find(options.only) == std::string::npos)
      continue;
    for (const Figure& figure : row()) {
      if (options.json) {
        all.push_back(to_json(figure));
      } else {
        print(figure);
      }
    }
  }
  if (options.json) fmt::print("{}\n", all.dump(2));
}

}  // namespace
}  // namespace chapterd::bench

int main(int argc, char** argv) {
  chapterd::bench::Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--json") {
      options.json = true;
    } else if (argument == "--large") {
      options.large = true;
    } else if (argument == "--records" && i + 1 < argc) {
      options.records = argv[++i];
    } else if (argument == "--only" && i + 1 < argc) {
      options.only = argv[++i];
    } else {
      fmt::print(stderr,
                 "usage: chapterd_bench [--json] [--large] [--records FILE] [--only ROW]\n");
      return 2;
    }
  }
  try {
    chapterd::bench::run(options);
  } catch (const std::exception& error) {
    fmt::print(stderr, "the benchmark failed: {}\n", error.what());
    return 1;
  }
  return 0;
}
