// What is held of a person, and in which records of others that person may be named.
#include "daemon/operations/finding.h"
#include "tests/daemon/operations_support.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace chapterd::testing {
namespace {

TEST(Finding, ComparesAsPeopleRead) {
  EXPECT_EQ(folded("  ACHIENG \n Odhiambo "), "achieng odhiambo");
  EXPECT_EQ(folded("JOSÉ"), folded("jose\u0301"));
  EXPECT_EQ(folded("Straße"), "strasse");
  EXPECT_EQ(without_gaps("+254 (700) 123-456"), "+254700123456");
}

TEST(Finding, AWordBeginsWhereOneBegins) {
  EXPECT_TRUE(stands_in("told by ann, a nurse", "ann"));
  EXPECT_FALSE(stands_in("the annual plan", "ann"));
  EXPECT_FALSE(stands_in("joanna", "anna"));
  EXPECT_TRUE(stands_in("odhiambos' boat", "odhiambo"));
  EXPECT_TRUE(stands_in("我们和李小明谈", "李小明"));
}

TEST(Subject, IsFoundWhereverItsNameOrNumberStandsAndSaysWhatWasLookedFor) {
  const Place place;
  const Config config = place.config("top");
  found(config);
  const auto add = [&](const std::string& kind, const Json& fields) -> std::string {
    return must(ask(config, "record.add", {{"kind", kind}, {"fields", fields}}))["id"];
  };
  const std::string person = add(
      "member",
      {{"name", "Achieng J Ngo"}, {"email", "Achieng@Example.org"}, {"phone", "+254 700 123456"}});
  std::set<std::string> named;
  for (const char* title : {"Boats, as told by ACHIENG", "Write to achieng@example.org",
                            "Call +254700123456", "A talk with  Ngo"})
    named.insert(add("insight", {{"title", title}}));
  add("insight", {{"title", "Cargo by boat, and the journey of a vaccine"}});
  const Json report = must(ask(config, "report.subject", {{"id", person}}));
  std::set<std::string> mentioned;
  for (const Json& each : report["mentions"]) mentioned.insert(each["id"]);
  EXPECT_EQ(mentioned, named);
  EXPECT_EQ(report["too_short"], Json({"j"}));
  for (const char* word : {"achieng", "ngo", "achieng j ngo", "+254700123456"})
    EXPECT_EQ(std::ranges::count(report["searched"], word), 1) << word;
}

}  // namespace
}  // namespace chapterd::testing
