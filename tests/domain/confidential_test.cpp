// Over all kinds and all their ways: a confidential field is never written outside the chapter
// layer.
#include "held_record.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <rapidcheck/gtest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

namespace chapterd {
namespace {

using testing::all_kinds;
using testing::chapter;
using testing::HeldRecord;
using testing::Json;
using testing::key;
using testing::link_text;

constexpr std::string_view canary = "canary";

Json value_for(const Field& field, const std::string& text);

Json part_for(const Kind& part) {
  Json value = Json::object();
  for (const Field& field : part.fields) {
    const bool first_of_group = part.one_of.empty() || field.name != part.one_of.front().back();
    if (first_of_group) value[field.name] = value_for(field, "part");
  }
  return value;
}

Json one_value(const Field& field, const std::string& text) {
  switch (field.type) {
    case FieldType::number:
    case FieldType::integer:
    case FieldType::score:
      return field.least.value_or(1) < 1 ? 1 : field.least.value_or(1);
    case FieldType::date:
    case FieldType::period:
      return "2024-04";
    case FieldType::boolean:
      return true;
    case FieldType::choice:
      return field.choices.front().name;
    case FieldType::link:
      return link_text(3, chapter(9));
    case FieldType::place:
      return "KE";
    case FieldType::language:
      return "fr";
    case FieldType::email:
      return text + "@example.org";
    case FieldType::url:
      return "https://example.org/" + text;
    case FieldType::doi:
      return "10.1000/" + text;
    case FieldType::part:
      return part_for(*field.part);
    default:
      return text;
  }
}

Json value_for(const Field& field, const std::string& text) {
  const Json value = one_value(field, text);
  if (field.many) return Json::array({value});
  if (field.keyed == Keyed::language) return {{"fr", value}};
  if (field.keyed == Keyed::code) return {{"A.1", value}};
  return value;
}

// Every field filled; confidential ones with the canary.
Json everything(const Kind& kind) {
  Json fields = Json::object();
  for (const Field& field : kind.fields) {
    fields[field.name] = value_for(field, std::string(field.confidential ? canary : "open"));
  }
  return fields;
}

void expect_private(const Draft& draft, const Kind& kind, const std::string& where) {
  for (const LayerChange& change : draft.changes) {
    if (change.audience == Audience::chapter) continue;
    for (const Operation& operation : change.change.operations) {
      const Field* field = kind.field(operation.field);
      EXPECT_FALSE(field != nullptr && field->confidential) << where << " " << operation.field;
    }
    const Bytes payload = encode(change.change);
    EXPECT_EQ(as_text(payload).find(canary), std::string_view::npos) << where;
  }
}

// Takes the verb of this number among those possible, with an edit of everything before it.
void go_on(HeldRecord& record, std::size_t choice) {
  const auto steps = next_steps(record.kind, record.view());
  if (steps.empty()) return;
  const Transition& step = *steps[choice % steps.size()];
  const std::string where = record.kind.name + " " + step.verb;
  const Draft edit = draft_edit(record.kind, record.view(), {{"set", everything(record.kind)}});
  expect_private(edit, record.kind, where + " edit");
  if (edit.findings.empty()) record.take(edit);
  Json needs = Json::object();
  for (const std::string& name : step.needs)
    needs[name] = value_for(*record.kind.field(name), "open");
  const Draft moved = draft_transition(record.kind, record.view(), step.verb, needs);
  expect_private(moved, record.kind, where);
  if (moved.findings.empty()) record.take(moved);
}

RC_GTEST_PROP(Confidential, NeverLeavesTheChapterOnAnyWay, (const std::vector<std::uint8_t>& way)) {
  for (const Kind* kind : all_kinds().records()) {
    HeldRecord record(*kind);
    const Draft created = draft_create(*kind, key(7), everything(*kind));
    expect_private(created, *kind, kind->name);
    record.take(created);
    for (std::size_t i = 0; i < way.size() && i < 8; ++i) go_on(record, way[i]);
    RC_ASSERT(!::testing::Test::HasFailure());
  }
}

// Verbs that lead from the first state to this one, as few as possible.
std::vector<std::string> way_to(const Kind& kind, const std::string& state) {
  std::map<std::string, std::vector<std::string>> ways{{kind.states.front().name, {}}};
  for (std::size_t round = 0; round < kind.states.size(); ++round) {
    for (const Transition& step : kind.transitions) {
      for (const std::string& from : step.from) {
        if (!ways.contains(from) || ways.contains(step.to)) continue;
        ways[step.to] = ways[from];
        ways[step.to].push_back(step.verb);
      }
    }
  }
  return ways[state];
}

TEST(Confidential, EveryTransitionOfEveryKindCanBeTaken) {
  for (const Kind* kind : all_kinds().records()) {
    for (const Transition& step : kind->transitions) {
      for (const std::string& from : step.from) {
        HeldRecord record(*kind);
        record.create(everything(*kind));
        for (const std::string& verb : way_to(*kind, from)) record.step(verb);
        ASSERT_EQ(record.view().state(), from) << kind->name;
        const Draft moved = draft_transition(*kind, record.view(), step.verb, Json::object());
        EXPECT_TRUE(moved.findings.empty()) << kind->name << " " << step.verb << "\n"
                                            << testing::told(moved.findings);
        expect_private(moved, *kind, kind->name + " " + step.verb);
      }
    }
  }
}

TEST(Confidential, AFieldOfANewerVersionStaysInTheChapterToo) {
  HeldRecord insight(testing::kind("insight"));
  insight.create(testing::a_whole_insight());
  Change newer{
      insight.record.id, "insight", 2, {{"phone_of_source", Action::set, {0x61, 'x'}, {}}}};
  insight.take({{{Audience::chapter, {}, newer}}, {}});
  insight.step("submit").step("endorse");
  EXPECT_EQ(insight.fields()["phone_of_source"], "x");
  EXPECT_FALSE(insight.fields_outside().contains("phone_of_source"));
}

}  // namespace
}  // namespace chapterd
