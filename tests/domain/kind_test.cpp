// Kind files: what is embedded is sound, and what is wrong in a file is said with its name.
#include "domain/kind.h"

#include "held_record.h"

#include <gtest/gtest.h>

#include <array>
#include <set>

namespace chapterd {
namespace {

using testing::all_kinds;
using testing::finds;
using testing::HeldRecord;
using testing::Json;
using testing::key;

constexpr std::string_view water_point = R"({
  "kind": "water_point", "version": 1, "group": "field", "help": "A place to fetch water.",
  "titled_by": ["name"], "writers": ["editor"],
  "fields": [
    {"name": "name", "type": "text", "required": true, "help": "What people call it."},
    {"name": "litres", "type": "integer", "least": 0, "help": "Litres an hour."},
    {"name": "uses", "type": "tags", "help": "What it is used for."},
    {"name": "keeper", "type": "text", "confidential": true, "help": "Who has the key."}
  ],
  "states": [
    {"name": "seen", "audience": "chapter", "help": "Somebody saw it."},
    {"name": "confirmed", "audience": "up", "help": "Checked on site."}
  ],
  "transitions": [
    {"verb": "confirm", "from": ["seen"], "to": "confirmed", "who": ["coordinator"],
     "needs": ["litres"], "help": "Share it upwards."}
  ]
})";

// The water point with one piece of its text replaced.
std::string broken(const std::string& piece, const std::string& by) {
  std::string text(water_point);
  const std::size_t at = text.find(piece);
  EXPECT_NE(at, std::string::npos) << piece;
  return text.replace(at, piece.size(), by);
}

std::string fault_in(const std::string& text) {
  const std::array files{KindFile{"water_point.json", text}};
  const auto kinds = Kinds::parse(files);
  if (kinds) return "nothing is wrong";
  EXPECT_NE(kinds.error().what.find("water_point.json"), std::string::npos) << kinds.error().what;
  EXPECT_EQ(kinds.error().code, "kind.file");
  return kinds.error().what;
}

TEST(Kind, EveryEmbeddedFileLoadsAndExplainsItself) {
  ASSERT_GE(all_kinds().records().size(), 10U);
  for (const Kind* kind : all_kinds().all()) {
    EXPECT_FALSE(kind->help.empty()) << kind->name;
    for (const Field& field : kind->fields) EXPECT_FALSE(field.help.empty()) << field.name;
    for (const State& state : kind->states) EXPECT_FALSE(state.help.empty()) << state.name;
    for (const Transition& step : kind->transitions) EXPECT_FALSE(step.help.empty()) << step.verb;
  }
}

TEST(Kind, TheKindsOfTheFirstReleaseAreThere) {
  for (const char* name : {"insight", "review", "release", "synthesis", "adaptation", "framework",
                           "round", "assessment", "theme", "member", "aggregate"}) {
    ASSERT_NE(all_kinds().find(name), nullptr) << name;
    EXPECT_TRUE(all_kinds().find(name)->part_of.empty()) << name;
  }
  EXPECT_EQ(all_kinds().find("response")->part_of, "assessment");
}

TEST(Kind, EveryStateCanBeReachedFromTheFirst) {
  for (const Kind* kind : all_kinds().records()) {
    std::set<std::string> reached{kind->states.front().name};
    for (std::size_t i = 0; i < kind->states.size(); ++i) {
      for (const Transition& step : kind->transitions) {
        for (const std::string& from : step.from) {
          if (reached.contains(from)) reached.insert(step.to);
        }
      }
    }
    EXPECT_EQ(reached.size(), kind->states.size()) << kind->name;
  }
}

TEST(Kind, ANewKindWorksFromItsFileAlone) {
  std::vector<KindFile> files(embedded_kinds().begin(), embedded_kinds().end());
  files.push_back({"water_point.json", water_point});
  const auto kinds = Kinds::parse(files);
  ASSERT_TRUE(kinds.has_value()) << kinds.error().what;
  const Kind* kind = kinds->find("water_point");
  ASSERT_NE(kind, nullptr);

  HeldRecord point(*kind);
  point.create({{"name", "Old well"}, {"uses", {"drinking"}}, {"keeper", "Mary"}});
  EXPECT_EQ(point.view().state(), "seen");
  EXPECT_TRUE(finds(draft_transition(*kind, point.view(), "confirm", Json::object()), "litres",
                    "field.required"));
  point.edit({{"set", {{"litres", 40}}}, {"add", {{"uses", "cattle"}}}});
  point.step("confirm");
  EXPECT_EQ(point.fields_outside(),
            (Json{{"name", "Old well"}, {"litres", 40}, {"uses", {"drinking", "cattle"}}}));
  EXPECT_EQ(point.fields()["keeper"], "Mary");
}

TEST(Kind, AMisspeltMemberIsNamedWithItsPlaceAndAGuess) {
  const std::string fault = fault_in(broken("\"required\"", "\"requierd\""));
  EXPECT_NE(fault.find("field 1 (name)"), std::string::npos) << fault;
  EXPECT_NE(fault.find("Did you mean “required”?"), std::string::npos) << fault;
}

TEST(Kind, WhatPointsNowhereIsRefused) {
  EXPECT_NE(fault_in(broken("\"integer\"", "\"integr\"")).find("integr"), std::string::npos);
  EXPECT_NE(fault_in(broken("[\"seen\"]", "[\"sene\"]")).find("sene"), std::string::npos);
  EXPECT_NE(fault_in(broken("\"to\": \"confirmed\"", "\"to\": \"x\"")).find("unknown state"),
            std::string::npos);
  EXPECT_NE(fault_in(broken("\"up\"", "\"upp\"")).find("unknown audience"), std::string::npos);
  EXPECT_NE(fault_in(broken("\"up\"", "\"auth\"")).find("unknown audience"), std::string::npos);
  EXPECT_NE(fault_in(broken("[\"litres\"]", "[\"liters\"]")).find("unknown field"),
            std::string::npos);
  EXPECT_NE(fault_in(broken("[\"coordinator\"]", "[\"boss\"]")).find("unknown role"),
            std::string::npos);
  EXPECT_NE(fault_in(broken("\"tags\"", "\"link\", \"of\": [\"nobody\"]")).find("unknown kind"),
            std::string::npos);
}

TEST(Kind, WhatIsNotSoundIsRefused) {
  EXPECT_NE(fault_in("{"), "nothing is wrong");
  EXPECT_NE(fault_in("[]"), "nothing is wrong");
  EXPECT_NE(fault_in(broken("\"litres\",", "\"name\",")).find("two fields"), std::string::npos);
  EXPECT_NE(fault_in(broken("\"litres\",", "\"state\",")).find("reserved"), std::string::npos);
  EXPECT_NE(fault_in(broken("\"litres\",", "\"Litres\",")).find("snake_case"), std::string::npos);
  EXPECT_NE(fault_in(broken("\"help\": \"Litres an hour.\"", "\"help\": \"\"")).find("help"),
            std::string::npos);
  EXPECT_NE(fault_in(broken("\"tags\"", "\"choice\"")).find("no choices"), std::string::npos);
}

TEST(Kind, ATransitionThatWouldTakeARecordFromThoseWhoHaveItIsRefused) {
  std::string text = broken("\"audience\": \"chapter\"", "\"audience\": \"down\"");
  const std::array files{KindFile{"water_point.json", text}};
  const auto kinds = Kinds::parse(files);
  ASSERT_FALSE(kinds.has_value());
  EXPECT_NE(kinds.error().what.find("from down to up"), std::string::npos) << kinds.error().what;
}

}  // namespace
}  // namespace chapterd
