// One version of an assessment framework: what may be answered, and what an answer counts as.
#pragma once

#include "base/result.h"

#include <nlohmann/json_fwd.hpp>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace chapterd {

enum class ScaleType { binary, nominal, ordinal, ratio, count };

struct Scale {
  std::string code;
  ScaleType type = ScaleType::ordinal;
  double least = 0;
  double most = 0;
  std::map<std::string, std::string> labels;  // by level

  // On the scale: within its ends, and whole unless the type is ratio.
  [[nodiscard]] bool holds(double value) const;
};

struct Indicator {
  std::string code;
  std::string domain;
  std::string scale;
  std::map<std::string, std::string> title;  // by language
  std::int64_t order = 0;
  bool optional = false;
};

struct FrameworkDomain {
  std::string code;
  std::string parent;
  std::map<std::string, std::string> title;  // by language
  std::int64_t order = 0;
};

enum class Method {
  distribution,
  median_low,
  median_mid,
  min,
  max,
  mean,
  geometric_mean,
  sum,
  share_at_or_above,
};

// What an answer without a value counts as.
enum class Absent { leave_out, as_least, as_zero };
enum class SecondSector { lower, higher, first };
enum class Rounding { half_up, half_even, down, up };

// How answers become figures: data of the version, never of the program.
struct Rule {
  Method method = Method::distribution;
  Absent missing = Absent::leave_out;
  Absent not_applicable = Absent::leave_out;
  SecondSector second_sector = SecondSector::lower;
  double at_or_above = 0;       // the level of share_at_or_above
  std::uint64_t min_units = 1;  // fewer: no figure is published
  double min_coverage = 0;      // share of expected units; less: no figure is published
  std::optional<int> digits;    // of a final figure; not rounded when absent
  Rounding rounding = Rounding::half_up;
};

[[nodiscard]] std::string_view name_of(Method method);

inline constexpr std::string_view reason_not_answered = "not_answered";
inline constexpr std::string_view reason_not_applicable = "not_applicable";

// One of the four reasons for having no value.
[[nodiscard]] bool is_reason(std::string_view text);

// What one response counts as: a value, or a reason for none. Both sectors' scores are kept.
struct Score {
  std::optional<double> value;  // as combined by the version's rule
  std::string reason;           // exactly when there is no value
  std::optional<double> first;
  std::optional<double> second;

  friend bool operator==(const Score&, const Score&) = default;
};

class Framework {
 public:
  // From the fields of a framework record (fields_json()). Errors: framework.form,
  // framework.unknown (an indicator on a scale that is not there), framework.method (a rule this
  // version cannot carry out: refused, never guessed).
  [[nodiscard]] static Result<Framework> parse(const nlohmann::json& fields);

  // What a response (value or reason, second_value …) counts as. A value outside its scale is
  // refused (score.scale), and so are an unknown indicator (score.unknown) and a response that is
  // neither or both (score.form). Reasons never become numbers here.
  [[nodiscard]] Result<Score> check_response(std::string_view indicator,
                                             const nlohmann::json& response) const;

  // All responses of an assessment: {indicator: response}. An indicator without a response counts
  // as not answered. An error names the indicator.
  [[nodiscard]] Result<std::map<std::string, Score>> check_all(
      const nlohmann::json& responses) const;

  [[nodiscard]] const std::vector<Indicator>& indicators() const { return indicators_; }

  [[nodiscard]] const std::vector<FrameworkDomain>& domains() const { return domains_; }

  [[nodiscard]] const Indicator* indicator(std::string_view code) const;
  [[nodiscard]] const Scale* scale(std::string_view code) const;
  // Of an indicator that is known.
  [[nodiscard]] const Scale& scale_of(const Indicator& indicator) const;

  [[nodiscard]] const Rule& rule() const { return rule_; }

 private:
  std::vector<FrameworkDomain> domains_;  // by order, then code
  std::vector<Indicator> indicators_;     // by order, then code
  std::map<std::string, Scale, std::less<>> scales_;
  Rule rule_;
};

}  // namespace chapterd
