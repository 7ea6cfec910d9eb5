// Figures made of counts: how many units stand at each level. Counts add up, medians do not, so
// what travels up is the counts, and the figure of the whole world is still exact.
#pragma once

#include "base/result.h"
#include "domain/framework.h"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace chapterd {

using Levels = std::map<double, std::uint64_t>;  // value → units

struct IndicatorCounts {
  Levels levels;
  std::map<std::string, std::uint64_t> reasons;  // units without a value

  [[nodiscard]] std::uint64_t answered() const;
  [[nodiscard]] std::uint64_t without_value() const;

  friend bool operator==(const IndicatorCounts&, const IndicatorCounts&) = default;
};

// What is known of all units of a round: for every indicator, levels and reasons add up to
// `reporting`.
struct Distribution {
  std::uint64_t expected = 0;   // units, the denominator N
  std::uint64_t reporting = 0;  // units counted, n
  std::map<std::string, IndicatorCounts> indicators;

  // One unit more, as Framework::check_all() made its scores.
  void add_unit(const std::map<std::string, Score>& scores);
  // The units of another chapter. The same framework version is the caller's business.
  void add(const Distribution& other);

  friend bool operator==(const Distribution&, const Distribution&) = default;
};

// The fields `expected`, `reporting` and `counts` of an aggregate record, and back. Back is strict
// (Errc::malformed, aggregate.counts): only indicators, levels and reasons that the framework has,
// and sums that are right. An indicator left out has no answers.
[[nodiscard]] nlohmann::json to_json(const Distribution& distribution);
[[nodiscard]] Result<Distribution> distribution_from(const nlohmann::json& fields,
                                                     const Framework& framework);

struct UnitScores {
  std::string unit;
  std::map<std::string, Score> scores;
};

// Own assessments plus what children sent. Errors: rollup.twice (one unit assessed twice).
[[nodiscard]] Result<Distribution> roll_up(std::span<const UnitScores> own,
                                           std::span<const Distribution> children,
                                           std::uint64_t expected);

// --- figures ---

// The value that stands at the given share of all units, counted from below: the ⌈n·share⌉-th of n
// (Hyndman and Fan 1996, type 1). Nothing for no units. 0.5 gives the lower median.
[[nodiscard]] std::optional<double> value_at(const Levels& levels, double share);
[[nodiscard]] std::optional<double> median_low(const Levels& levels);
// Share of units with at least this value, 0 to 1.
[[nodiscard]] std::optional<double> share_at_or_above(const Levels& levels, double least);

inline constexpr std::uint64_t quartile_units = 5;  // fewer have no quartiles worth showing

// One indicator of one chapter's units. Always shown with the counts beside it.
struct Figure {
  std::uint64_t expected = 0;
  std::uint64_t reporting = 0;
  std::uint64_t answered = 0;
  std::uint64_t not_applicable = 0;
  std::uint64_t missing = 0;    // reporting, and neither answered nor not applicable
  std::optional<double> value;  // by the rule's method; none for `distribution`
  std::string withheld;         // why there is none: "too_few_units", "coverage", "not_positive"
  std::optional<double> lower_quartile;
  std::optional<double> median;  // the lower one, of what was answered
  std::optional<double> upper_quartile;
};

// By the rule of the framework. `indicator` must be one of it.
[[nodiscard]] Figure figure_of(const Framework& framework,
                               const Distribution& distribution,
                               const Indicator& indicator);

}  // namespace chapterd
