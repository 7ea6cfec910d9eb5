// Reading a framework version, and checking responses against it.
#include "domain/framework.h"

#include "base/contract.h"
#include "domain/names.h"
#include "domain/value.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <tuple>
#include <utility>

namespace chapterd {
namespace {

using Json = nlohmann::json;

template <class T, std::size_t N>
using Words = std::array<std::pair<std::string_view, T>, N>;

constexpr Words<ScaleType, 5> scale_types{{{"binary", ScaleType::binary},
                                           {"nominal", ScaleType::nominal},
                                           {"ordinal", ScaleType::ordinal},
                                           {"ratio", ScaleType::ratio},
                                           {"count", ScaleType::count}}};
constexpr Words<Method, 9> methods{{{"distribution", Method::distribution},
                                    {"median_low", Method::median_low},
                                    {"median_mid", Method::median_mid},
                                    {"min", Method::min},
                                    {"max", Method::max},
                                    {"mean", Method::mean},
                                    {"geometric_mean", Method::geometric_mean},
                                    {"sum", Method::sum},
                                    {"share_at_or_above", Method::share_at_or_above}}};
constexpr Words<Absent, 3> absents{{{"leave_out", Absent::leave_out},
                                    {"as_least", Absent::as_least},
                                    {"as_zero", Absent::as_zero}}};
constexpr Words<SecondSector, 3> sectors{{{"lower", SecondSector::lower},
                                          {"higher", SecondSector::higher},
                                          {"first", SecondSector::first}}};
constexpr Words<Rounding, 4> roundings{{{"half_up", Rounding::half_up},
                                        {"half_even", Rounding::half_even},
                                        {"down", Rounding::down},
                                        {"up", Rounding::up}}};
constexpr std::array<std::string_view, 4> reasons{"not_answered", "not_applicable", "not_known",
                                                  "withheld"};

// Reads members of nested maps and remembers the first fault; what is faulty reads as nothing.
class FrameworkReader {
 public:
  void read(const Json& fields) {
    for (const auto& item : parts(fields, "domain").items()) {
      domains.push_back({item.key(), text(item.value(), "parent"), texts(item.value(), "title"),
                         order_of(item.value())});
    }
    for (const auto& item : parts(fields, "scale").items()) {
      scales.emplace(item.key(), read_scale(item.key(), item.value()));
    }
    for (const auto& item : parts(fields, "indicator").items()) {
      const Json& part = item.value();
      indicators.push_back({item.key(), text(part, "domain"), text(part, "scale"),
                            texts(part, "title"), order_of(part),
                            member(part, "optional") == true});
    }
    read_rule(member(fields, "rule"));
  }

  static const Json& member(const Json& object, const char* key) {
    static const Json nothing;
    const auto at = object.find(key);
    return object.is_object() && at != object.end() ? *at : nothing;
  }

  std::vector<FrameworkDomain> domains;
  std::vector<Indicator> indicators;
  std::map<std::string, Scale, std::less<>> scales;
  Rule rule;
  std::optional<Error> fault;

 private:
  void complain(std::string what, std::string code = "framework.form") {
    if (fault) return;
    fault.emplace(Errc::usage, std::move(code), std::move(what), "No score was changed.",
                  "Correct the framework; see docs/kinds.md.");
  }

  std::string text(const Json& object, const char* key) {
    const Json& value = member(object, key);
    if (value.is_string()) return value.get<std::string>();
    if (!value.is_null()) complain(std::string("“") + key + "” must be a text.");
    return {};
  }

  double number(const Json& object, const char* key, double otherwise) {
    const Json& value = member(object, key);
    if (value.is_number()) return value.get<double>();
    if (!value.is_null()) complain(std::string("“") + key + "” must be a number.");
    return otherwise;
  }

  template <class T, std::size_t N>
  T word(const Json& object, const char* key, const Words<T, N>& words) {
    const std::string value = text(object, key);
    if (value.empty()) return words.front().second;
    std::vector<std::string> known;
    for (const auto& [name, meaning] : words) {
      if (name == value) return meaning;
      known.emplace_back(name);
    }
    complain("This version does not know the " + std::string(key) + " “" + value + "”." +
                 did_you_mean(value, known),
             "framework.method");
    return words.front().second;
  }

  std::map<std::string, std::string> texts(const Json& object, const char* key) {
    std::map<std::string, std::string> all;
    for (const auto& item : parts(object, key).items()) {
      if (!item.value().is_string()) complain(std::string("“") + key + "” must be a map of texts.");
      if (item.value().is_string()) all[item.key()] = item.value().get<std::string>();
    }
    return all;
  }

  const Json& parts(const Json& object, const char* key) {
    static const Json nothing;
    const Json& all = member(object, key);
    if (all.is_object()) return all;
    if (!all.is_null()) complain(std::string("“") + key + "” must be a map.");
    return nothing;
  }

  std::int64_t order_of(const Json& part) {
    return static_cast<std::int64_t>(std::clamp(number(part, "order", 0), 0.0, 1e9));
  }

  Scale read_scale(const std::string& code, const Json& part) {
    Scale scale{code, word(part, "type", scale_types), number(part, "least", 0),
                number(part, "most", 0), texts(part, "labels")};
    if (!(scale.least <= scale.most)) complain("The scale " + code + " ends before it begins.");
    return scale;
  }

  void read_rule(const Json& part) {
    if (text(part, "method").empty()) {
      return complain("The rule names no method: how scores are summed up must be said.");
    }
    rule.method = word(part, "method", methods);
    rule.missing = word(part, "missing", absents);
    rule.not_applicable = word(part, "not_applicable", absents);
    rule.second_sector = word(part, "second_sector", sectors);
    rule.at_or_above = number(part, "at_or_above", 0);
    rule.min_units = static_cast<std::uint64_t>(std::clamp(number(part, "min_units", 1), 1.0, 1e9));
    rule.min_coverage = std::clamp(number(part, "min_coverage", 0), 0.0, 1.0);
    rule.rounding = word(part, "rounding", roundings);
    if (!member(part, "digits").is_null()) {
      rule.digits = static_cast<int>(std::clamp(number(part, "digits", 0), 0.0, 9.0));
    }
  }
};

template <class T>
void sort_by_order(std::vector<T>& items) {
  std::sort(items.begin(), items.end(), [](const T& a, const T& b) {
    return std::tie(a.order, a.code) < std::tie(b.order, b.code);
  });
}

std::string shown(double value) {
  return json_number(value).dump();
}

// A value of the response on the scale, nothing when it is not given.
Result<std::optional<double>> value_on(const Scale& scale,
                                       const Json& response,
                                       const char* key,
                                       std::string_view indicator) {
  const Json& value = FrameworkReader::member(response, key);
  if (value.is_null()) return std::optional<double>();
  const std::string code(indicator);
  if (!value.is_number()) {
    return fail(Errc::usage, "score.form",
                "The " + std::string(key) + " of " + code + " must be a number.");
  }
  const auto real = value.get<double>();
  if (scale.holds(real)) return std::optional<double>(real);
  return fail(Errc::usage, "score.scale",
              value.dump() + " is not on the scale of " + code + ", which goes from " +
                  shown(scale.least) + " to " + shown(scale.most) +
                  (scale.type == ScaleType::ratio ? "." : " in whole steps."));
}

double combined(SecondSector how, double first, double second) {
  switch (how) {
    case SecondSector::lower:
      return std::min(first, second);
    case SecondSector::higher:
      return std::max(first, second);
    case SecondSector::first:
      return first;
  }
  UNREACHABLE("all ways to combine sectors are listed");
}

}  // namespace

bool Scale::holds(double value) const {
  if (!std::isfinite(value) || value < least || value > most) return false;
  return type == ScaleType::ratio || value == std::floor(value);
}

bool is_reason(std::string_view text) {
  return std::find(reasons.begin(), reasons.end(), text) != reasons.end();
}

std::string_view name_of(Method method) {
  for (const auto& [name, known] : methods) {
    if (known == method) return name;
  }
  return "?";
}

Result<Framework> Framework::parse(const Json& fields) {
  FrameworkReader reader;
  reader.read(fields);
  if (reader.fault) return fail(std::move(*reader.fault));
  Framework framework;
  framework.domains_ = std::move(reader.domains);
  framework.indicators_ = std::move(reader.indicators);
  framework.scales_ = std::move(reader.scales);
  framework.rule_ = reader.rule;
  for (const Indicator& indicator : framework.indicators_) {
    if (framework.scales_.contains(indicator.scale)) continue;
    return fail(Errc::usage, "framework.unknown",
                indicator.code + " is on the unknown scale “" + indicator.scale + "”.");
  }
  sort_by_order(framework.domains_);
  sort_by_order(framework.indicators_);
  return framework;
}

Result<Score> Framework::check_response(std::string_view code, const Json& response) const {
  const Indicator* known = indicator(code);
  if (known == nullptr) {
    return fail(Errc::usage, "score.unknown",
                "“" + std::string(code) + "” is no indicator of this framework.");
  }
  const Scale& scale = scale_of(*known);
  const auto first = value_on(scale, response, "value", code);
  if (!first) return forward(first);
  const auto second = value_on(scale, response, "second_value", code);
  if (!second) return forward(second);
  const Json& reason = FrameworkReader::member(response, "reason");
  const bool given = reason.is_string();
  if (given == first->has_value() || (given && second->has_value())) {
    return fail(Errc::usage, "score.form",
                std::string(code) + " needs either a value or a reason for having none.");
  }
  if (given) {
    const auto& name = reason.get_ref<const std::string&>();
    if (!is_reason(name)) {
      return fail(Errc::usage, "score.form", "“" + name + "” is no reason for having no value.");
    }
    return Score{std::nullopt, name, std::nullopt, std::nullopt};
  }
  const double value =
      second->has_value() ? combined(rule_.second_sector, **first, **second) : **first;
  return Score{value, {}, *first, *second};
}

Result<std::map<std::string, Score>> Framework::check_all(const Json& responses) const {
  std::map<std::string, Score> scores;
  for (const Indicator& indicator : indicators_) {
    scores[indicator.code].reason = reason_not_answered;
  }
  if (!responses.is_object() && !responses.is_null()) {
    return fail(Errc::usage, "score.form", "Responses must be a map of indicators.");
  }
  for (const auto& item : responses.items()) {
    auto score = check_response(item.key(), item.value());
    if (!score) return forward(score);
    scores[item.key()] = std::move(*score);
  }
  return scores;
}

const Indicator* Framework::indicator(std::string_view code) const {
  const auto at = std::find_if(indicators_.begin(), indicators_.end(),
                               [&](const Indicator& known) { return known.code == code; });
  return at == indicators_.end() ? nullptr : &*at;
}

const Scale* Framework::scale(std::string_view code) const {
  const auto at = scales_.find(code);
  return at == scales_.end() ? nullptr : &at->second;
}

const Scale& Framework::scale_of(const Indicator& indicator) const {
  const Scale* found = scale(indicator.scale);
  CHECK(found != nullptr);
  return *found;
}

}  // namespace chapterd
