// Gathering what a round's figures are made of.
#include "daemon/operations/rounds.h"

#include "crypto/hash.h"
#include "daemon/operations/arguments.h"
#include "domain/value.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>

namespace chapterd {
namespace {

using Json = nlohmann::json;

// The record that a link field points at; nothing when it is empty or of another form.
std::optional<Link> link_in(const Json& fields, const char* name, const ChapterId& own) {
  const auto at = fields.find(name);
  if (at == fields.end() || !at->is_string()) return std::nullopt;
  return link_from(at->get_ref<const std::string&>(), own);
}

const Json& member(const Json& fields, const char* name) {
  static const Json none = Json::object();
  const auto at = fields.find(name);
  return at != fields.end() && at->is_object() ? *at : none;
}

// One kind of record, those of a round only, with their fields.
template <class Visit>
void for_each_of_round(Reader& reader,
                       const Directory& directory,
                       const Kinds& kinds,
                       const char* kind,
                       const RecordKey& round,
                       Visit visit) {
  for_each_record(reader, directory, kinds, kind, [&](const RecordView& view) {
    const Json fields = fields_json(view, kinds.find(kind));
    const auto link = link_in(fields, "round", view.key.home);
    if (link && link->record == round) visit(view, fields);
    return true;
  });
}

class Counting {
 public:
  Counting(Reader& reader, const Directory& directory, const Kinds& kinds, const Round& round)
      : reader_(reader), directory_(directory), kinds_(kinds), round_(round) {}

  Result<Counted> count() {
    take_own();
    take_below();
    const std::uint64_t known = assessed_ + below_expected_;
    const bool ours = round_.view.key.home == directory_.chapter();
    const std::uint64_t expected =
        ours && round_.expected_units > 0 ? round_.expected_units : known;
    auto distribution = roll_up(own_, children_, expected);
    if (!distribution) return forward(distribution);
    counted_.distribution = std::move(*distribution);
    std::ranges::sort(sources_);
    Hasher hasher("chapterd/counted/1");
    for (const std::string& source : sources_) hasher.u64(source.size()).add(as_bytes(source));
    counted_.content_hash = to_hex(hasher.finish().view());
    return std::move(counted_);
  }

 private:
  void take_own() {
    for_each_of_round(reader_, directory_, kinds_, "assessment", round_.view.key,
                      [&](const RecordView& view, const Json& fields) {
                        if (view.key.home == directory_.chapter()) take_assessment(view, fields);
                      });
  }

  void take_assessment(const RecordView& view, const Json& fields) {
    ++assessed_;
    auto scores = round_.framework.check_all(member(fields, "response"));
    if (!scores) return leave_out(view, scores.error().code);
    own_.push_back({fields.value("unit", std::string()), std::move(*scores)});
    if (view.state() == "started") ++counted_.unfinished;
    sources_.push_back(exact_text(view));
  }

  void take_below() {
    std::map<ChapterId, Found> by_home;
    for_each_of_round(reader_, directory_, kinds_, "aggregate", round_.view.key,
                      [&](const RecordView& view, const Json& fields) {
                        Found& found = by_home[view.key.home];
                        if (found.view.layers.empty() || found.view.updated < view.updated)
                          found = {view, fields};
                      });
    for (const auto& [home, found] : by_home) {
      if (is_topmost(home, by_home)) take_aggregate(found);
    }
  }

  struct Found {
    RecordView view;
    Json fields;
  };

  // Below this chapter, and no chapter in between has counted it in already.
  [[nodiscard]] bool is_topmost(const ChapterId& home,
                                const std::map<ChapterId, Found>& by_home) const {
    const ChapterPath path = directory_.authority().path_of(home);
    const auto own = std::ranges::find(path.above, directory_.chapter());
    if (own == path.above.end()) return false;
    return std::none_of(own + 1, path.above.end(),
                        [&](const ChapterId& between) { return by_home.contains(between); });
  }

  void take_aggregate(const Found& found) {
    auto child = distribution_from(found.fields, round_.framework);
    if (!child) return leave_out(found.view, child.error().code);
    below_expected_ += child->expected;
    children_.push_back(std::move(*child));
    sources_.push_back(exact_text(found.view));
  }

  void leave_out(const RecordView& view, const std::string& reason) {
    counted_.left_out.push_back({to_text(view.key.id), reason});
  }

  static std::string exact_text(const RecordView& view) {
    return to_text(Link{view.key, view.revision});
  }

  Reader& reader_;
  const Directory& directory_;
  const Kinds& kinds_;
  const Round& round_;
  std::vector<UnitScores> own_;
  std::vector<Distribution> children_;
  std::uint64_t assessed_ = 0;
  std::uint64_t below_expected_ = 0;
  std::vector<std::string> sources_;
  Counted counted_;
};

std::string label_of(const std::map<std::string, std::string>& titles, const std::string& code) {
  if (const auto english = titles.find("en"); english != titles.end()) return english->second;
  return titles.empty() ? code : titles.begin()->second;
}

// Every level of the scale, also those that nobody has.
Json levels_json(const Scale& scale, const Levels& levels) {
  constexpr double most_shown = 100;
  std::map<double, std::uint64_t> all = levels;
  const bool whole = scale.type == ScaleType::ordinal || scale.type == ScaleType::binary;
  if (whole && scale.most - scale.least <= most_shown) {
    const auto steps = static_cast<int>(scale.most - scale.least);
    for (int step = 0; step <= steps; ++step) all.try_emplace(scale.least + step, 0);
  }
  Json json = Json::array();
  for (const auto& [level, units] : all) {
    const auto label =
        whole_number(level) ? scale.labels.find(json_number(level).dump()) : scale.labels.end();
    json.push_back({{"value", json_number(level)},
                    {"count", units},
                    {"label", label == scale.labels.end() ? std::string() : label->second}});
  }
  return json;
}

Json number_or_null(const std::optional<double>& number) {
  return number ? json_number(*number) : Json();
}

}  // namespace

Result<Round> round_of(Reader& reader,
                       const Directory& directory,
                       const Kinds& kinds,
                       std::string_view id) {
  const auto record = find_record(reader, directory, id);
  if (!record) return forward(record);
  if (record->kind != "round") {
    return fail(Errc::usage, "round.other-kind", shown(id) + " is no round.",
                "Nothing was changed.", "See the rounds with: chapterd round list");
  }
  RecordView view = view_of(*record, kinds);
  const Json fields = fields_json(view, kinds.find("round"));
  const auto link = link_in(fields, "framework", view.key.home);
  const HeldRecord held = link ? held_record(reader, directory, link->record) : HeldRecord{};
  if (held.layers.empty()) {
    return fail(Errc::not_found, "round.no-framework",
                "The framework of this round has not come here yet.", "Nothing was changed.",
                "Synchronise, then try again.");
  }
  const RecordView framework_view = view_of(held, kinds);
  auto framework = Framework::parse(fields_json(framework_view, kinds.find("framework")));
  if (!framework) return forward(framework);
  Round round{std::move(view), {}, title_of(framework_view, kinds), *link, std::move(*framework)};
  round.title = title_of(round.view, kinds);
  round.framework_changed = link->revision && *link->revision != framework_view.revision;
  const auto expected = fields.find("expected_units");
  if (expected != fields.end() && expected->is_array()) round.expected_units = expected->size();
  return round;
}

Result<Counted> count_round(Reader& reader,
                            const Directory& directory,
                            const Kinds& kinds,
                            const Round& round) {
  return Counting(reader, directory, kinds, round).count();
}

RecordView aggregate_of(Reader& reader,
                        const Directory& directory,
                        const Kinds& kinds,
                        const RecordKey& round,
                        const ChapterId& home) {
  RecordView newest;
  for_each_of_round(reader, directory, kinds, "aggregate", round,
                    [&](const RecordView& view, const Json&) {
                      if (view.key.home != home) return;
                      if (newest.layers.empty() || newest.updated < view.updated) newest = view;
                    });
  return newest;
}

Json figures_json(const Framework& framework, const Distribution& distribution) {
  Json indicators = Json::array();
  for (const Indicator& indicator : framework.indicators()) {
    const Figure figure = figure_of(framework, distribution, indicator);
    const auto counts = distribution.indicators.find(indicator.code);
    const Levels levels =
        counts == distribution.indicators.end() ? Levels{} : counts->second.levels;
    Json json = {{"code", indicator.code},
                 {"label", label_of(indicator.title, indicator.code)},
                 {"n", figure.answered},
                 {"expected", figure.expected},
                 {"not_applicable", figure.not_applicable},
                 {"missing", figure.missing},
                 {"levels", levels_json(framework.scale_of(indicator), levels)},
                 {"median", number_or_null(figure.median)},
                 {"quartiles", nullptr},
                 {"value", number_or_null(figure.value)},
                 {"withheld", figure.withheld}};
    if (figure.lower_quartile && figure.upper_quartile) {
      json["quartiles"] = {number_or_null(figure.lower_quartile),
                           number_or_null(figure.upper_quartile)};
    }
    indicators.push_back(std::move(json));
  }
  return {{"indicators", std::move(indicators)},
          {"units", distribution.reporting},
          {"expected", distribution.expected}};
}

}  // namespace chapterd
