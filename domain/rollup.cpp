// Counting units per level, and figures made of the counts.
#include "domain/rollup.h"

#include "base/contract.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>
#include <set>

namespace chapterd {
namespace {

using Json = nlohmann::json;

constexpr std::uint64_t count_most = 1'000'000'000;  // units: more is damage or malice

template <class Key>
std::uint64_t total(const std::map<Key, std::uint64_t>& counts) {
  return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0},
                         [](std::uint64_t sum, const auto& item) { return sum + item.second; });
}

std::string key_of(double level) {
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof digits, level);
  return {digits, end.ptr};
}

std::optional<double> level_from(const std::string& key) {
  double level = 0;
  const auto end = std::from_chars(key.data(), key.data() + key.size(), level);
  if (end.ec != std::errc() || end.ptr != key.data() + key.size()) return std::nullopt;
  return level;
}

tl::unexpected<Error> bad_counts(const std::string& what) {
  return fail(Errc::malformed, "aggregate.counts", what, "Other figures are not affected.",
              "Ask the chapter that counted to count again.");
}

Result<std::uint64_t> count_in(const Json& object, const std::string& key) {
  const auto at = object.find(key);
  if (!object.is_object() || at == object.end()) return std::uint64_t{0};
  if (!at->is_number_integer() || *at < 0 || *at > count_most) {
    return bad_counts("“" + key + "” is no count of units.");
  }
  return at->get<std::uint64_t>();
}

Result<IndicatorCounts> counts_from(const Json& part, const Scale& scale) {
  IndicatorCounts counts;
  const Json levels = part.is_object() ? part.value("levels", Json::object()) : Json();
  const Json reasons = part.is_object() ? part.value("reasons", Json::object()) : Json();
  if (!levels.is_object() || !reasons.is_object()) return bad_counts("Counts are no map.");
  for (const auto& item : levels.items()) {
    const auto level = level_from(item.key());
    const auto units = count_in(levels, item.key());
    if (!units) return forward(units);
    if (!level || !scale.holds(*level)) return bad_counts("“" + item.key() + "” is no level.");
    if (*units > 0) counts.levels[*level] += *units;
  }
  for (const auto& item : reasons.items()) {
    const auto units = count_in(reasons, item.key());
    if (!units) return forward(units);
    if (!is_reason(item.key())) return bad_counts("“" + item.key() + "” is no reason.");
    if (*units > 0) counts.reasons[item.key()] += *units;
  }
  return counts;
}

// Levels with what the rule says that units without a value count as.
Levels counted(const Rule& rule, const Scale& scale, const IndicatorCounts& counts) {
  Levels levels = counts.levels;
  for (const auto& [reason, units] : counts.reasons) {
    const Absent how = reason == reason_not_applicable ? rule.not_applicable : rule.missing;
    if (how == Absent::as_least) levels[scale.least] += units;
    if (how == Absent::as_zero) levels[0] += units;
  }
  return levels;
}

double sum_of(const Levels& levels) {
  double sum = 0;
  for (const auto& [level, units] : levels) sum += level * static_cast<double>(units);
  return sum;
}

std::optional<double> geometric_mean(const Levels& levels) {
  double logs = 0;
  for (const auto& [level, units] : levels) {
    if (level <= 0) return std::nullopt;
    logs += std::log(level) * static_cast<double>(units);
  }
  return std::exp(logs / static_cast<double>(total(levels)));
}

// Half-way between the two middle units; of an odd number the middle one itself.
double median_mid(const Levels& levels) {
  const std::uint64_t units = total(levels);
  const double low = *value_at(levels, 0.5);
  if (units % 2 == 1) return low;
  std::uint64_t below = 0;
  for (const auto& [level, count] : levels) {
    below += count;
    if (below > units / 2) return (low + level) / 2;
  }
  return low;
}

double rounded(const Rule& rule, double value) {
  if (!rule.digits) return value;
  const double factor = std::pow(10.0, *rule.digits);
  const double scaled = value * factor;
  switch (rule.rounding) {
    case Rounding::half_up:
      return std::floor(scaled + 0.5) / factor;
    case Rounding::half_even:
      return std::nearbyint(scaled) / factor;
    case Rounding::down:
      return std::floor(scaled) / factor;
    case Rounding::up:
      return std::ceil(scaled) / factor;
  }
  UNREACHABLE("all ways to round are listed");
}

// `levels` is not empty.
std::optional<double> by_method(const Rule& rule, const Levels& levels) {
  switch (rule.method) {
    case Method::distribution:
      return std::nullopt;
    case Method::median_low:
      return median_low(levels);
    case Method::median_mid:
      return median_mid(levels);
    case Method::min:
      return levels.begin()->first;
    case Method::max:
      return levels.rbegin()->first;
    case Method::mean:
      return sum_of(levels) / static_cast<double>(total(levels));
    case Method::geometric_mean:
      return geometric_mean(levels);
    case Method::sum:
      return sum_of(levels);
    case Method::share_at_or_above:
      return share_at_or_above(levels, rule.at_or_above);
  }
  UNREACHABLE("all methods are listed");
}

void set_value(Figure& figure, const Rule& rule, const Levels& levels) {
  if (rule.method == Method::distribution) return;
  const double coverage = figure.expected == 0 ? 1.0
                                               : static_cast<double>(figure.reporting) /
                                                     static_cast<double>(figure.expected);
  if (total(levels) < std::max<std::uint64_t>(rule.min_units, 1)) {
    figure.withheld = "too_few_units";
  } else if (coverage < rule.min_coverage) {
    figure.withheld = "coverage";
  } else if (const auto value = by_method(rule, levels); value) {
    figure.value = rounded(rule, *value);
  } else {
    figure.withheld = "not_positive";
  }
}

}  // namespace

std::uint64_t IndicatorCounts::answered() const {
  return total(levels);
}

std::uint64_t IndicatorCounts::without_value() const {
  return total(reasons);
}

void Distribution::add_unit(const std::map<std::string, Score>& scores) {
  ++reporting;
  for (const auto& [code, score] : scores) {
    IndicatorCounts& counts = indicators[code];
    if (score.value) {
      ++counts.levels[*score.value];
    } else {
      ++counts.reasons[score.reason];
    }
  }
}

void Distribution::add(const Distribution& other) {
  expected += other.expected;
  reporting += other.reporting;
  for (const auto& [code, counts] : other.indicators) {
    IndicatorCounts& mine = indicators[code];
    for (const auto& [level, units] : counts.levels) mine.levels[level] += units;
    for (const auto& [reason, units] : counts.reasons) mine.reasons[reason] += units;
  }
}

Json to_json(const Distribution& distribution) {
  Json counts = Json::object();
  for (const auto& [code, indicator] : distribution.indicators) {
    Json& part = counts[code] = Json::object();
    for (const auto& [level, units] : indicator.levels) part["levels"][key_of(level)] = units;
    for (const auto& [reason, units] : indicator.reasons) part["reasons"][reason] = units;
  }
  return {{"expected", distribution.expected},
          {"reporting", distribution.reporting},
          {"counts", std::move(counts)}};
}

Result<Distribution> distribution_from(const Json& fields, const Framework& framework) {
  Distribution distribution;
  const auto expected = count_in(fields, "expected");
  if (!expected) return forward(expected);
  const auto reporting = count_in(fields, "reporting");
  if (!reporting) return forward(reporting);
  distribution.expected = *expected;
  distribution.reporting = *reporting;
  const Json all = fields.is_object() ? fields.value("counts", Json::object()) : Json();
  if (!all.is_object()) return bad_counts("Counts are no map.");
  for (const auto& item : all.items()) {
    const Indicator* indicator = framework.indicator(item.key());
    if (indicator == nullptr) return bad_counts("“" + item.key() + "” is no indicator here.");
    auto counts = counts_from(item.value(), framework.scale_of(*indicator));
    if (!counts) return forward(counts);
    if (counts->answered() + counts->without_value() != *reporting) {
      return bad_counts("The counts of " + item.key() + " do not add up to the units reporting.");
    }
    distribution.indicators[item.key()] = std::move(*counts);
  }
  for (const Indicator& indicator : framework.indicators()) {
    if (*reporting == 0 || distribution.indicators.contains(indicator.code)) continue;
    distribution.indicators[indicator.code].reasons[std::string(reason_not_answered)] = *reporting;
  }
  return distribution;
}

Result<Distribution> roll_up(std::span<const UnitScores> own,
                             std::span<const Distribution> children,
                             std::uint64_t expected) {
  Distribution all;
  std::set<std::string_view> seen;
  for (const UnitScores& unit : own) {
    if (!seen.insert(unit.unit).second) {
      return fail(Errc::needs_person, "rollup.twice",
                  "“" + unit.unit + "” was assessed twice in this round.",
                  "Both assessments are kept.", "Choose the one that counts.");
    }
    all.add_unit(unit.scores);
  }
  for (const Distribution& child : children) all.add(child);
  all.expected = expected;
  return all;
}

std::optional<double> value_at(const Levels& levels, double share) {
  const std::uint64_t units = total(levels);
  if (units == 0) return std::nullopt;
  const auto place = static_cast<std::uint64_t>(std::ceil(static_cast<double>(units) * share));
  std::uint64_t below = 0;
  for (const auto& [level, count] : levels) {
    below += count;
    if (below >= std::max<std::uint64_t>(place, 1)) return level;
  }
  return levels.rbegin()->first;
}

std::optional<double> median_low(const Levels& levels) {
  return value_at(levels, 0.5);
}

std::optional<double> share_at_or_above(const Levels& levels, double least) {
  const std::uint64_t units = total(levels);
  if (units == 0) return std::nullopt;
  std::uint64_t above = 0;
  for (const auto& [level, count] : levels) above += level >= least ? count : 0;
  return static_cast<double>(above) / static_cast<double>(units);
}

Figure figure_of(const Framework& framework,
                 const Distribution& distribution,
                 const Indicator& indicator) {
  Figure figure;
  figure.expected = distribution.expected;
  figure.reporting = distribution.reporting;
  const auto at = distribution.indicators.find(indicator.code);
  const IndicatorCounts counts =
      at == distribution.indicators.end() ? IndicatorCounts{} : at->second;
  figure.answered = counts.answered();
  const auto not_applicable = counts.reasons.find(std::string(reason_not_applicable));
  if (not_applicable != counts.reasons.end()) figure.not_applicable = not_applicable->second;
  figure.missing = counts.without_value() - figure.not_applicable;
  const Scale& scale = framework.scale_of(indicator);
  if (scale.type == ScaleType::nominal) return figure;  // names have no middle
  set_value(figure, framework.rule(), counted(framework.rule(), scale, counts));
  figure.median = median_low(counts.levels);
  if (figure.answered >= quartile_units) {
    figure.lower_quartile = value_at(counts.levels, 0.25);
    figure.upper_quartile = value_at(counts.levels, 0.75);
  }
  return figure;
}

}  // namespace chapterd
