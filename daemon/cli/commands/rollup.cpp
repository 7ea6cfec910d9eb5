// rollup: how many units stand at each level, computed, published and shown.
#include "daemon/cli/answers.h"
#include "daemon/cli/commands.h"
#include "daemon/cli/context.h"
#include "daemon/cli/record_ids.h"
#include "daemon/cli/waiting.h"

#include <algorithm>
#include <array>

namespace chapterd {
namespace {

const Argument the_round{.name = "ROUND", .help = "Id of the round, or characters of one end."};

// "3", "2.5", "–" for none.
std::string figure(const Json& value) {
  if (!value.is_number()) return "–";
  std::string words = value.dump();
  if (words.ends_with(".0")) words.resize(words.size() - 2);
  return words;
}

struct Level {
  std::string name;
  std::uint64_t units = 0;
};

std::vector<Level> levels_of(const Json& indicator) {
  std::vector<Level> levels;
  for (const Json& level : list(indicator, "levels")) {
    levels.push_back({figure(member(level, "value")), count(level, "count")});
  }
  return levels;
}

// One block a level, as high as its share of the largest; a blank for nobody.
std::string bar(const std::vector<Level>& levels) {
  constexpr std::array<std::string_view, 8> blocks{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  std::uint64_t most = 1;
  for (const Level& level : levels) most = std::max(most, level.units);
  std::string text;
  for (const Level& level : levels) {
    if (level.units == 0) {
      text += "·";
      continue;
    }
    text += blocks[(level.units * blocks.size() - 1) / most];
  }
  return text;
}

Table indicator_table(const Json& indicators) {
  std::vector<std::string> headings{"Code", "Indicator"};
  const std::vector<Level> first =
      indicators.empty() ? std::vector<Level>() : levels_of(indicators.front());
  for (const Level& level : first) headings.push_back(level.name);
  const std::size_t after = headings.size();
  for (const char* heading : {"", "Median", "n/N", "N/A"}) headings.emplace_back(heading);
  Table table(headings);
  for (std::size_t i = 2; i < headings.size(); ++i) {
    if (i != after) table.right(i);
  }
  for (const Json& indicator : indicators) {
    constexpr std::size_t label_columns = 34;
    const std::vector<Level> levels = levels_of(indicator);
    std::vector<std::string> cells{plain(text(indicator, "code")),
                                   shortened(plain(text(indicator, "label")), label_columns)};
    for (const Level& level : levels) cells.push_back(std::to_string(level.units));
    cells.resize(after);
    cells.push_back(bar(levels));
    cells.push_back(figure(member(indicator, "median")));
    cells.push_back(std::to_string(count(indicator, "n")) + "/" +
                    std::to_string(count(indicator, "expected")));
    cells.push_back(std::to_string(count(indicator, "not_applicable")));
    table.row(std::move(cells));
  }
  return table;
}

std::string named(const Json& json, std::string_view name) {
  const Json& value = member(json, name);
  if (value.is_string()) return plain(value.get<std::string>());
  for (const char* inner : {"title", "name", "code"}) {
    if (std::string words = text(value, inner); !words.empty()) return plain(words);
  }
  return {};
}

std::string page_of(const Output& output, const Json& figures, const std::string& here) {
  const std::string round = named(figures, "round");
  const std::string framework = named(figures, "framework");
  std::string page = output.paint(Shade::strong, round.empty() ? "Level counts" : round) + "\n";
  if (!framework.empty()) page += "Framework: " + framework + "\n";
  if (const std::string whose = text(figures, "home_code"); !whose.empty()) {
    page += "Counted by " + plain(whose) + ". ";
  }
  page += "Units reporting / expected: " + std::to_string(count(figures, "units")) + "/" +
          std::to_string(count(figures, "expected"));
  if (const auto cut_off = number(figures, "cut_off_ms")) {
    page += ". Cut-off: " + date_of(*cut_off);
  }
  page += is_true(figures, "published") ? ". Published.\n" : ". Provisional.\n";
  page += "As known at " + (here.empty() ? "this node" : here) + ".\n\n";
  page += indicator_table(list(figures, "indicators")).text(output);
  return page + "\nNumbers under 1, 2, … are units at that level; N/A: does not apply there.\n";
}

Result<void> show_figures(Context& context) {
  const auto round = find_record(context, context.given.text("ROUND"), {"round"});
  if (!round) return forward(round);
  Json args = {{"round", *round}};
  if (context.given.has("chapter")) args["chapter"] = context.given.text("chapter");
  const auto answer = context.call("rollup.show", args);
  if (!answer) return forward(answer);
  if (context.output.answer(*answer)) return {};
  const auto status = context.call("status", Json::object());
  const std::string here = status ? plain(text(member(*status, "chapter"), "name")) : "";
  context.output.print(page_of(context.output, *answer, here));
  return {};
}

Result<void> write_figures(Context& context, const char* verb, const std::string& done) {
  auto waiting = check_waiting(context);
  if (!waiting) return waiting;
  const auto round = find_record(context, context.given.text("ROUND"), {"round"});
  if (!round) return forward(round);
  Json args = {{"round", *round}};
  if (context.given.has("because")) args["because"] = context.given.text("because");
  const auto answer = context.call(verb, args);
  if (!answer) return forward(answer);
  const std::string id = text(*answer, "id");
  Output& output = context.output;
  if (!output.answer(*answer)) {
    output.print(output.manner().quiet
                     ? id
                     : done + " " + std::to_string(count(*answer, "units")) + " of " +
                           std::to_string(count(*answer, "expected")) + " expected units.");
  }
  return id.empty() ? Result<void>() : wait_for(context, {id});
}

Result<void> compute(Context& context) {
  return write_figures(context, "rollup.compute", "Counted and shared with the chapters above:");
}

Result<void> publish(Context& context) {
  return write_figures(context, "rollup.publish", "Published to all chapters:");
}

}  // namespace

std::vector<Command> rollup_commands() {
  const auto row = [](const char* verb, const char* help, Result<void> (*run)(Context&)) {
    return Command{.path = {"rollup", verb},
                   .help = help,
                   .group = command_group::figures,
                   .arguments = {the_round},
                   .run = run};
  };
  Command computed = row("compute", "Count own and received units; the counts go up.", compute);
  computed.flags = waiting_flags();
  Command published = row("publish", "Count, and publish the figures to all chapters.", publish);
  published.flags = waiting_flags();
  published.flags.push_back(Flag{.name = "because",
                                 .value = "TEXT",
                                 .help = "Why published figures are changed, which all will see."});
  Command shown = row("show", "Level counts, median, n/N and N/A of each indicator.", show_figures);
  shown.flags = {Flag{.name = "chapter",
                      .value = "CODE",
                      .help = "The figures of that chapter; else this chapter's own."}};
  return {computed, published, shown};
}

}  // namespace chapterd
