// Figures: counts add up, the median of the counts is the median of the leaves, rules are data.
#include "domain/rollup.h"

#include "domain/jee.h"
#include "held_record.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>

namespace chapterd {
namespace {

using testing::HeldRecord;
using testing::Json;
using testing::kind;

std::string file(const std::string& name) {
  std::ifstream in(CHAPTERD_SOURCE_DIR "/" + name, std::ios::binary);
  EXPECT_TRUE(in.good()) << name;
  return {std::istreambuf_iterator<char>(in), {}};
}

const ImportPlan& jee() {
  static const Result<ImportPlan> plan = import_jee_csv(file("data/jee_scores_2016_2018.csv"));
  if (!plan) ADD_FAILURE() << plan.error().what;
  return *plan;
}

std::vector<UnitScores> score_jee() {
  std::vector<UnitScores> units;
  for (const JeeAssessment& assessment : jee().assessments) {
    auto scores = jee().framework.check_all(responses_json(assessment));
    EXPECT_TRUE(scores.has_value()) << scores.error().what;
    units.push_back({assessment.area, std::move(*scores)});
  }
  return units;
}

const std::vector<UnitScores>& jee_units() {
  static const std::vector<UnitScores> units = score_jee();
  return units;
}

// A framework of one indicator `A`, 1 to 5, with this rule.
Framework small(const Json& rule) {
  auto framework =
      Framework::parse({{"scale", {{"s", {{"type", "ordinal"}, {"least", 1}, {"most", 5}}}}},
                        {"indicator", {{"A", {{"scale", "s"}, {"domain", "d"}}}}},
                        {"rule", rule}});
  EXPECT_TRUE(framework.has_value()) << framework.error().what;
  return std::move(*framework);
}

Distribution of_scores(const std::vector<int>& scores) {
  Distribution all;
  for (const int score : scores) {
    all.add_unit({{"A", score == 0 ? Score{std::nullopt, "not_applicable", {}, {}}
                                   : Score{static_cast<double>(score), {}, {}, {}}}});
  }
  all.expected = all.reporting;
  return all;
}

Figure figure(const Json& rule, const std::vector<int>& scores) {
  const Framework framework = small(rule);
  return figure_of(framework, of_scores(scores), *framework.indicator("A"));
}

TEST(Jee, TheRealFileIsReadWhole) {
  EXPECT_EQ(jee().rows, 3936U);
  EXPECT_EQ(jee().assessments.size(), 82U);
  EXPECT_EQ(jee().framework.indicators().size(), 48U);
  EXPECT_EQ(jee().framework.domains().size(), 19U + 4U);
  std::size_t taken = 0;
  std::size_t not_applicable = 0;
  std::size_t two_sectors = 0;
  for (const JeeAssessment& assessment : jee().assessments) {
    taken += assessment.responses.size();
    for (const auto& [code, response] : assessment.responses) {
      not_applicable += response.reason == "not_applicable" ? 1 : 0;
      two_sectors += response.second ? 1 : 0;
    }
  }
  EXPECT_EQ(taken, 3935U);
  EXPECT_EQ(not_applicable, 12U);
  EXPECT_EQ(two_sectors, 7U);
}

TEST(Jee, TheScoreBetweenTwoLevelsIsRefusedByItsLine) {
  ASSERT_EQ(jee().refused.size(), 1U);
  EXPECT_EQ(jee().refused[0].line, 3529U);
  EXPECT_NE(jee().refused[0].reason.find("2.5"), std::string::npos);
  EXPECT_NE(jee().refused[0].reason.find("P.4.2"), std::string::npos);
}

TEST(Jee, BothSectorsAreKeptAndTheLowerCounts) {
  const auto found =
      std::find_if(jee().assessments.begin(), jee().assessments.end(),
                   [](const JeeAssessment& assessment) { return assessment.iso2 == "TZ"; });
  ASSERT_NE(found, jee().assessments.end());
  const auto scores = *jee().framework.check_all(responses_json(*found));
  EXPECT_EQ(scores.at("D.4.2"), (Score{2.0, "", 4.0, 2.0}));
  EXPECT_EQ(scores.at("D.4.3"), (Score{2.0, "", 2.0, 3.0}));
}

TEST(Jee, AnAreaWithoutACodeHasNone) {
  EXPECT_EQ(jee().assessments.front().area, "Zanzibar");
  EXPECT_EQ(jee().assessments.front().iso2, "");
  EXPECT_FALSE(assessment_fields(jee().assessments.front()).contains("place"));
}

TEST(Jee, FrameworkAndAssessmentsAreRecordsOfTheirKinds) {
  HeldRecord framework(kind("framework"));
  framework.create(Json::parse(jee_framework_fields())).step("pilot").step("ratify");
  EXPECT_TRUE(Framework::parse(framework.fields_outside()).has_value());
  for (const JeeAssessment& assessment : jee().assessments) {
    HeldRecord record(kind("assessment"));
    record.create(assessment_fields(assessment)).step("score").step("validate");
    EXPECT_EQ(record.fields()["response"], responses_json(assessment)) << assessment.area;
  }
}

TEST(Jee, RowsThatCannotBeAreRefusedWithTheirReason) {
  const auto plan = import_jee_csv(
      "iso2,area,year,month,indicator,score,second_sector_score\n"
      "KE,Kenya,2017,2,P.1.1,3,\nKE,Kenya,2017,2,P.1.1,3,\nKE,Kenya,2017,2,P.9.9,3,\n"
      "KE,Kenya,2017,13,P.1.2,3,\nKE,Kenya,x,2,P.1.2,3,\nKE,Kenya,2017,2,P.1.2,six,\n"
      "KE,Kenya,2017,2,P.1.2,6,\nKE,Kenya,2017,2,P.1.2,N/A,3\nKE,,2017,2,P.1.2,3,\nKE\n");
  ASSERT_TRUE(plan.has_value());
  EXPECT_EQ(plan->assessments.size(), 1U);
  EXPECT_EQ(plan->refused.size(), 9U);
  EXPECT_EQ(import_jee_csv("iso2,area\n").error().code, "jee.columns");
}

TEST(Rollup, CountsOfTheRealFileAddUp) {
  const auto all = roll_up(jee_units(), {}, 82);
  ASSERT_TRUE(all.has_value());
  std::uint64_t answered = 0;
  std::uint64_t without = 0;
  for (const auto& [code, counts] : all->indicators) {
    answered += counts.answered();
    without += counts.without_value();
    EXPECT_EQ(counts.answered() + counts.without_value(), 82U) << code;
  }
  EXPECT_EQ(answered, 3923U);
  EXPECT_EQ(without, 13U);
}

TEST(Rollup, AUnitAssessedTwiceIsForAPersonToSettle) {
  const std::vector<UnitScores> twice{{"Kenya", {}}, {"Kenya", {}}};
  EXPECT_EQ(roll_up(twice, {}, 2).error().code, "rollup.twice");
}

// Counted as the definition says, from the scores themselves.
std::optional<double> median_of_leaves(std::vector<double> values) {
  if (values.empty()) return std::nullopt;
  std::sort(values.begin(), values.end());
  return values[(values.size() - 1) / 2];
}

std::vector<double> leaves(const std::vector<UnitScores>& units, const std::string& code) {
  std::vector<double> values;
  for (const UnitScores& unit : units) {
    if (const auto& value = unit.scores.at(code).value; value) values.push_back(*value);
  }
  return values;
}

RC_GTEST_PROP(Rollup,
              TheMedianFromTheChildrensCountsIsTheMedianOfTheLeaves,
              (const std::vector<std::uint8_t>& split)) {
  const std::vector<UnitScores>& units = jee_units();
  std::vector<std::vector<UnitScores>> parts(
      4);  // the first one assesses itself, three are children
  for (std::size_t i = 0; i < units.size(); ++i) {
    parts[split.empty() ? i % 4 : split[i % split.size()] % 4U].push_back(units[i]);
  }
  std::vector<Distribution> children;
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const auto child = roll_up(parts[i], {}, parts[i].size());
    const auto sent = distribution_from(to_json(*child), jee().framework);
    RC_ASSERT(sent.has_value());
    children.push_back(*sent);
  }
  const auto all = roll_up(parts[0], children, 82);
  RC_ASSERT(all.has_value());
  RC_ASSERT(*all == *roll_up(units, {}, 82));
  for (const Indicator& indicator : jee().framework.indicators()) {
    const Figure figure = figure_of(jee().framework, *all, indicator);
    RC_ASSERT(figure.median == median_of_leaves(leaves(units, indicator.code)));
    RC_ASSERT(figure.value == figure.median);
  }
}

RC_GTEST_PROP(Rollup,
              MediansOfAnyCountsAreThoseOfTheLeaves,
              (const std::vector<std::uint8_t>& one, const std::vector<std::uint8_t>& other)) {
  std::vector<double> all;
  Distribution sum;
  for (const auto* part : {&one, &other}) {
    std::vector<int> scores;
    for (const std::uint8_t byte : *part) {
      scores.push_back(1 + byte % 5);
      all.push_back(scores.back());
    }
    sum.add(of_scores(scores));
  }
  RC_ASSERT(median_low(sum.indicators["A"].levels) == median_of_leaves(all));
}

TEST(Rollup, AnAggregateIsARecordThatComesBack) {
  const auto all = roll_up(jee_units(), {}, 82);
  Json fields = to_json(*all);
  fields["unit"] = "Everybody";
  fields["round"] = testing::link_text(3);
  HeldRecord aggregate(kind("aggregate"));
  aggregate.create(fields);
  EXPECT_EQ(aggregate.view().current_layer().audience, Audience::up);
  const auto back = distribution_from(aggregate.fields_outside(), jee().framework);
  ASSERT_TRUE(back.has_value()) << back.error().what;
  EXPECT_EQ(*back, *all);
}

TEST(Rollup, CountsThatCannotBeAreRefused) {
  const Framework framework = small({{"method", "median_low"}});
  const auto refused = [&](const Json& counts) {
    const auto read = distribution_from({{"reporting", 2}, {"counts", counts}}, framework);
    return !read && read.error().code == "aggregate.counts";
  };
  EXPECT_FALSE(refused({{"A", {{"levels", {{"1", 2}}}}}}));
  EXPECT_TRUE(refused({{"A", {{"levels", {{"1", 3}}}}}}));
  EXPECT_TRUE(refused({{"A", {{"levels", {{"6", 2}}}}}}));
  EXPECT_TRUE(refused({{"A", {{"levels", {{"1.5", 2}}}}}}));
  EXPECT_TRUE(refused({{"A", {{"levels", {{"1", -2}}}}}}));
  EXPECT_TRUE(refused({{"A", {{"levels", {{"1", 1e30}}}}}}));
  EXPECT_TRUE(refused({{"A", {{"reasons", {{"lost", 2}}}}}}));
  EXPECT_TRUE(refused({{"B", {{"levels", {{"1", 2}}}}}}));
  EXPECT_TRUE(refused({{"A", 2}}));
  EXPECT_TRUE(refused(2));
}

TEST(Figures, EveryMethodIsDataOfTheRule) {
  const std::vector<int> scores{1, 2, 4, 4, 0, 5};
  EXPECT_EQ(figure({{"method", "median_low"}}, scores).value, 4);
  EXPECT_EQ(figure({{"method", "median_mid"}}, {1, 2, 4, 5}).value, 3);
  EXPECT_EQ(figure({{"method", "min"}}, scores).value, 1);
  EXPECT_EQ(figure({{"method", "max"}}, scores).value, 5);
  EXPECT_EQ(figure({{"method", "sum"}}, scores).value, 16);
  EXPECT_EQ(figure({{"method", "mean"}, {"digits", 1}}, scores).value, 3.2);
  EXPECT_EQ(
      figure({{"method", "mean"}, {"digits", 1}, {"not_applicable", "as_zero"}}, scores).value,
      2.7);
  EXPECT_EQ(figure({{"method", "geometric_mean"}, {"digits", 0}}, {2, 2, 4, 4}).value, 3);
  EXPECT_EQ(figure({{"method", "share_at_or_above"}, {"at_or_above", 4}}, scores).value, 0.6);
  EXPECT_FALSE(figure({{"method", "distribution"}}, scores).value);
}

TEST(Figures, AreWithheldWhenTooFewReport) {
  const Figure few = figure({{"method", "median_low"}, {"min_units", 5}}, {1, 2, 3, 4});
  EXPECT_FALSE(few.value);
  EXPECT_EQ(few.withheld, "too_few_units");
  EXPECT_FALSE(few.lower_quartile);
  const Figure enough = figure({{"method", "median_low"}, {"min_units", 5}}, {1, 2, 3, 4, 5});
  EXPECT_EQ(enough.value, 3);
  EXPECT_EQ(enough.lower_quartile, 2);
  EXPECT_EQ(enough.upper_quartile, 4);
}

TEST(Figures, StandBesideHowManyAnswered) {
  const Figure shown = figure({{"method", "median_low"}}, {1, 0, 0, 3});
  EXPECT_EQ(shown.reporting, 4U);
  EXPECT_EQ(shown.answered, 2U);
  EXPECT_EQ(shown.not_applicable, 2U);
  EXPECT_EQ(shown.missing, 0U);
}

TEST(Framework, ARuleItCannotCarryOutIsRefused) {
  Json fields = Json::parse(jee_framework_fields());
  fields["rule"]["method"] = "weighted_mean";
  EXPECT_EQ(Framework::parse(fields).error().code, "framework.method");
  fields["rule"].erase("method");
  EXPECT_EQ(Framework::parse(fields).error().code, "framework.form");
  fields = Json::parse(jee_framework_fields());
  fields["indicator"]["P.1.1"]["scale"] = "other";
  EXPECT_EQ(Framework::parse(fields).error().code, "framework.unknown");
  EXPECT_FALSE(Framework::parse(Json(7)).has_value());
}

TEST(Framework, AResponseIsHeldAgainstItsScale) {
  const Framework& framework = jee().framework;
  EXPECT_EQ(framework.check_response("P.1.1", {{"value", 5}})->value, 5);
  for (const Json& wrong : {Json{{"value", 2.5}}, Json{{"value", 0}}, Json{{"value", 6}}}) {
    EXPECT_EQ(framework.check_response("P.1.1", wrong).error().code, "score.scale") << wrong;
  }
  for (const Json& wrong : {Json::object(), Json{{"value", 1}, {"reason", "withheld"}}, Json(1),
                            Json{{"reason", "lost"}}, Json{{"value", "1"}}}) {
    EXPECT_EQ(framework.check_response("P.1.1", wrong).error().code, "score.form") << wrong;
  }
  EXPECT_EQ(framework.check_response("X", {{"value", 1}}).error().code, "score.unknown");
  EXPECT_EQ(framework.check_response("P.1.1", {{"reason", "withheld"}})->reason, "withheld");
}

}  // namespace
}  // namespace chapterd
