// Importing scores, counting, publishing, showing: on the real data set.
#include "daemon/operations/node_caller.h"
#include "tests/daemon/operations_support.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

namespace chapterd::testing {
namespace {

class Figures : public ::testing::Test {
 protected:
  Figures() {
    found(config_);
    caller_ = std::move(*NodeCaller::open(config_));
    framework_ = must(call("jee.framework", Json::object()))["id"];
    must(call("record.move", {{"id", framework_}, {"verb", "pilot"}}));
    const Json fields = {{"title", "JEE"},
                         {"framework", framework_},
                         {"expected_units", {"Kenya", "Uganda", "Benin"}}};
    round_ = must(call("record.add", {{"kind", "round"}, {"fields", fields}}))["id"];
  }

  Result<Json> call(const std::string& verb, const Json& args) { return caller_->call(verb, args); }

  static std::string scores() {
    std::ifstream in(CHAPTERD_SOURCE_DIR "/data/jee_scores_2016_2018.csv");
    return {std::istreambuf_iterator<char>(in), {}};
  }

  Json import(const Json& areas) {
    return must(call("jee.import", {{"csv", scores()}, {"round", round_}, {"areas", areas}}));
  }

  Place place_;
  Config config_ = place_.config("top");
  std::unique_ptr<Caller> caller_;
  std::string framework_;
  std::string round_;
};

TEST_F(Figures, ImportMakesAnAssessmentForEachWantedArea) {
  const Json made = import({"KE", "UG"});
  ASSERT_EQ(made["assessments"].size(), 2U);
  const Json shown = must(call("record.show", {{"id", made["assessments"][0]["id"]}}));
  EXPECT_EQ(shown["kind"], "assessment");
  EXPECT_EQ(shown["fields"]["unit"], made["assessments"][0]["area"]);
  EXPECT_NE(shown["fields"]["framework"].get<std::string>().find('@'), std::string::npos);
  EXPECT_FALSE(made["refused"].empty());  // the 2.5 on a scale from 1 to 5
}

TEST_F(Figures, ImportOfAllButSomeTakesTheRest) {
  const Json made =
      must(call("jee.import", {{"csv", scores()}, {"round", round_}, {"except", {"KE"}}}));
  EXPECT_EQ(made["assessments"].size(), 81U);
}

TEST_F(Figures, CountsAddUpToTheUnitsReporting) {
  import({"KE", "UG"});
  const Json computed = must(call("rollup.compute", {{"round", round_}}));
  EXPECT_EQ(computed["units"], 2);
  EXPECT_EQ(computed["expected"], 3);
  EXPECT_EQ(computed["state"], "provisional");
  const Json shown = must(call("rollup.show", {{"round", round_}}));
  EXPECT_EQ(shown["published"], false);
  EXPECT_EQ(shown["framework"]["changed"], false);
  EXPECT_EQ(shown["indicators"].size(), 48U);
  for (const Json& indicator : shown["indicators"]) {
    std::uint64_t units = 0;
    for (const Json& level : indicator["levels"]) units += level["count"].get<std::uint64_t>();
    EXPECT_EQ(units, indicator["n"]) << indicator.dump();
    EXPECT_EQ(indicator["expected"], 3);
  }
}

TEST_F(Figures, CountingAgainChangesTheSameRecord) {
  import({"KE"});
  const Json first = must(call("rollup.compute", {{"round", round_}}));
  import({"UG"});
  const Json second = must(call("rollup.compute", {{"round", round_}}));
  EXPECT_EQ(second["id"], first["id"]);
  EXPECT_EQ(second["units"], 2);
  EXPECT_EQ(must(call("rollup.show", {{"round", round_}}))["units"], 2);
}

TEST_F(Figures, PublishedFiguresAreForAllAndDoNotChange) {
  import({"KE"});
  const Json published = must(call("rollup.publish", {{"round", round_}}));
  EXPECT_EQ(published["state"], "published");
  EXPECT_EQ(must(call("record.show", {{"id", published["id"]}}))["audience"], "all");
  EXPECT_EQ(must(call("rollup.show", {{"round", round_}}))["published"], true);
  import({"UG"});
  EXPECT_EQ(code_of(call("rollup.compute", {{"round", round_}})), "rollup.published");
  EXPECT_EQ(code_of(call("rollup.publish", {{"round", round_}})), "rollup.published");
  EXPECT_EQ(must(call("rollup.show", {{"round", round_}}))["units"], 1);
  const Json restated =
      must(call("rollup.publish", {{"round", round_}, {"because", "Uganda came late."}}));
  EXPECT_EQ(restated["state"], "restated");
  EXPECT_EQ(must(call("rollup.show", {{"round", round_}}))["units"], 2);
}

TEST_F(Figures, NothingCountedAndForeignRecordsAreToldApart) {
  EXPECT_EQ(code_of(call("rollup.show", {{"round", round_}})), "rollup.none");
  EXPECT_EQ(code_of(call("rollup.show", {{"round", framework_}})), "round.other-kind");
  EXPECT_EQ(code_of(call("rollup.show", {{"round", round_}, {"chapter", "XX"}})),
            "chapter.unknown");
  EXPECT_EQ(
      code_of(call("jee.import", {{"csv", scores()}, {"round", round_}, {"framework", round_}})),
      "framework.other-kind");
}

}  // namespace
}  // namespace chapterd::testing
