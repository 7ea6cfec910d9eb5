// Figures in words.
#include "tests/sim/report.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace chapterd::sim {
namespace {

using Named = std::vector<std::pair<const char*, std::uint64_t>>;

Named named(const Figures& figures) {
  return {{"events", figures.events},
          {"steps", figures.steps},
          {"power_cuts", figures.power_cuts},
          {"kills", figures.kills},
          {"restores", figures.restores},
          {"clones", figures.clones},
          {"wipes", figures.wipes},
          {"rekeys", figures.rekeys},
          {"moves", figures.moves},
          {"rotten", figures.rotten},
          {"struck", figures.struck},
          {"forks", figures.forks},
          {"awaited", figures.awaited},
          {"repeats", figures.repeats},
          {"messages", figures.messages},
          {"bytes", figures.bytes},
          {"commits", figures.commits},
          {"saved", figures.saved},
          {"entries", figures.entries},
          {"nodes", static_cast<std::uint64_t>(figures.nodes)},
          {"fault_kinds", static_cast<std::uint64_t>(figures.fault_kinds)}};
}

Named named(const Report& report) {
  Named all = {{"seeds", report.seeds}};
  for (const auto& each : named(report.sum)) all.push_back(each);
  all.emplace_back("slowest_healing_s",
                   static_cast<std::uint64_t>(report.slowest_healing_ms / 1000));
  all.emplace_back("failures", report.failures);
  return all;
}

std::string words(const Named& all) {
  std::string text;
  for (const auto& [name, value] : all) {
    std::string plain = name;
    std::replace(plain.begin(), plain.end(), '_', ' ');
    text += (text.empty() ? "" : ", ") + std::to_string(value) + " " + plain;
  }
  return text;
}

}  // namespace

void add(Report& report, const Figures& figures) {
  ++report.seeds;
  Figures& sum = report.sum;
  sum.events += figures.events;
  sum.steps += figures.steps;
  sum.power_cuts += figures.power_cuts;
  sum.kills += figures.kills;
  sum.restores += figures.restores;
  sum.clones += figures.clones;
  sum.wipes += figures.wipes;
  sum.rekeys += figures.rekeys;
  sum.moves += figures.moves;
  sum.rotten += figures.rotten;
  sum.struck += figures.struck;
  sum.forks += figures.forks;
  sum.awaited += figures.awaited;
  sum.repeats += figures.repeats;
  sum.messages += figures.messages;
  sum.bytes += figures.bytes;
  sum.commits += figures.commits;
  sum.saved += figures.saved;
  sum.entries += figures.entries;
  sum.nodes = report.seeds == 1 ? figures.nodes : std::min(sum.nodes, figures.nodes);
  sum.fault_kinds =
      report.seeds == 1 ? figures.fault_kinds : std::min(sum.fault_kinds, figures.fault_kinds);
  report.slowest_healing_ms = std::max(report.slowest_healing_ms, figures.healing_ms);
}

std::string sentence(const Report& report) {
  return words(named(report));
}

std::string sentence(const Figures& figures) {
  return words(named(figures)) + ", healed in " + std::to_string(figures.healing_ms / 1000) + " s";
}

std::string json(const Report& report) {
  std::string text;
  for (const auto& [name, value] : named(report))
    text += (text.empty() ? "{\"" : ", \"") + std::string(name) + "\": " + std::to_string(value);
  return text + "}";
}

}  // namespace chapterd::sim
