// Drafts: what is checked, what goes to which layer, what is superseded.
#include "domain/drafts.h"

#include "held_record.h"
#include "replication/format/limits.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace chapterd {
namespace {

using testing::a_whole_insight;
using testing::an_insight;
using testing::chapter;
using testing::finds;
using testing::HeldRecord;
using testing::Json;
using testing::key;
using testing::kind;
using testing::link_text;
using testing::told;

HeldRecord an_endorsed_insight() {
  HeldRecord insight(kind("insight"));
  insight.create(a_whole_insight()).step("submit").step("endorse");
  return insight;
}

TEST(Draft, ANewInsightStaysInTheChapterAsADraft) {
  const Draft draft = draft_create(kind("insight"), key(7), an_insight());
  ASSERT_EQ(draft.changes.size(), 1U) << told(draft.findings);
  EXPECT_EQ(draft.changes[0].audience, Audience::chapter);
  EXPECT_EQ(draft.changes[0].change.kind, "insight");
  HeldRecord insight(kind("insight"));
  insight.take(draft);
  EXPECT_EQ(insight.view().state(), "draft");
  EXPECT_EQ(title_of(insight.view(), insight.kind), "Generators before the flood season");
}

TEST(Draft, AnUnknownFieldIsNamedWithASuggestion) {
  const Draft draft = draft_create(kind("insight"), key(7), {{"titel", "x"}});
  EXPECT_TRUE(draft.changes.empty());
  ASSERT_TRUE(finds(draft, "titel", "field.unknown"));
  EXPECT_NE(told(draft.findings).find("“title”"), std::string::npos);
}

TEST(Draft, SubmittingSaysEverythingThatIsMissingAtOnce) {
  HeldRecord insight(kind("insight"));
  insight.create(an_insight());
  const Draft draft = draft_transition(insight.kind, insight.view(), "submit", Json::object());
  for (const char* field : {"what_happened", "what_was_learned", "places", "period", "themes",
                            "confidence", "attribution_consent", "publish_to"}) {
    EXPECT_TRUE(finds(draft, field, "field.required")) << field;
  }
  const auto refused = accepted(draft);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().kind, Errc::usage);
  EXPECT_NE(refused.error().what.find("themes"), std::string::npos);
  EXPECT_FALSE(refused.error().safe.empty());
  EXPECT_FALSE(refused.error().next.empty());
}

TEST(Draft, AValueOfTheWrongTypeIsAFindingOfItsField) {
  const auto refuses = [](const char* name, const Json& value, const char* code) {
    Json fields = an_insight();
    fields[name] = value;
    const Draft draft = draft_create(kind("insight"), key(7), fields);
    EXPECT_TRUE(finds(draft, name, code)) << name << " " << value << "\n" << told(draft.findings);
  };
  refuses("title", 7, "field.type");
  refuses("title", "  ", "field.empty");
  refuses("title", "two\nlines", "field.text");
  refuses("title", std::string(201, 'x'), "field.length");
  refuses("title", "\xC3\x28", "field.text");
  refuses("confidence", "hihg", "field.choice");
  refuses("period", "2024-13", "field.form");
  refuses("period", "2024-05/2024-04", "field.form");
  refuses("places", "KE", "field.type");
  refuses("places", Json{"Kenya"}, "field.form");
  refuses("themes", Json{"not an id"}, "field.form");
  refuses("title/fr", "x", "field.key");
  refuses("language", "French", "field.form");
}

TEST(Draft, ARuleThatConcernsTwoFieldsIsKept) {
  Json fields = a_whole_insight();
  fields["attribution_consent"] = "named";
  const Draft draft = draft_create(kind("insight"), key(7), fields);
  EXPECT_TRUE(finds(draft, "attribution", "field.required")) << told(draft.findings);
}

TEST(Draft, EndorsingPublishesAndClearsTheDraft) {
  HeldRecord insight(kind("insight"));
  insight.create(a_whole_insight()).step("submit");
  const Draft draft = draft_transition(insight.kind, insight.view(), "endorse", Json::object());
  ASSERT_EQ(draft.changes.size(), 2U) << told(draft.findings);
  EXPECT_EQ(draft.changes[0].audience, Audience::chapter);
  EXPECT_EQ(draft.changes[1].audience, Audience::up);
  insight.take(draft);
  EXPECT_EQ(insight.view().state(), "endorsed");
  EXPECT_EQ(insight.view_from_outside().state(), "endorsed");
  EXPECT_EQ(insight.fields_outside()["what_happened"], "Two clinics lost power.");
  EXPECT_EQ(insight.fields_outside()["places"], (Json{"KE-30", "KE"}));
  const RecordView view = insight.view();
  const SeenLayer* left = view.layer({Audience::chapter, {}});
  ASSERT_NE(left, nullptr);
  ASSERT_EQ(left->fields.size(), 2U);
  EXPECT_EQ(left->fields[0].name, "raw_notes");
  EXPECT_EQ(left->fields[1].name, "source_identity");
}

TEST(Draft, AnEditAfterEndorsementWaitsUntilItIsCarriedOn) {
  HeldRecord insight = an_endorsed_insight();
  insight.edit({{"set", {{"title", "Fuel before the flood"}, {"evidence", "A report"}}},
                {"add", {{"places", "UG"}}},
                {"clear", {"what_was_learned"}}});
  EXPECT_EQ(insight.fields()["title"], "Fuel before the flood");
  EXPECT_EQ(insight.fields()["places"], (Json{"KE", "UG", "KE-30"}));
  EXPECT_FALSE(insight.fields().contains("what_was_learned"));
  EXPECT_EQ(insight.fields_outside()["title"], "Generators before the flood season");
  EXPECT_EQ(insight.fields_outside()["places"], (Json{"KE-30", "KE"}));
  EXPECT_TRUE(insight.fields_outside().contains("what_was_learned"));

  insight.step("correct");
  EXPECT_EQ(insight.fields_outside()["title"], "Fuel before the flood");
  EXPECT_EQ(insight.fields_outside()["evidence"], "A report");
  EXPECT_EQ(insight.fields_outside()["places"].size(), 3U);
  EXPECT_FALSE(insight.fields_outside().contains("what_was_learned"));
  EXPECT_EQ(insight.view().layer({Audience::chapter, {}})->fields.size(), 2U);
}

TEST(Draft, ADraftThatReturnsToWhatIsSharedDisappears) {
  HeldRecord insight = an_endorsed_insight();
  insight.edit({{"set", {{"title", "Other"}, {"places", {"UG"}}, {"evidence", "x"}}}});
  insight.edit(
      {{"set", {{"title", "Generators before the flood season"}, {"places", {"KE", "KE-30"}}}},
       {"clear", {"evidence"}}});
  EXPECT_EQ(insight.view().layer({Audience::chapter, {}})->fields.size(), 2U);
}

TEST(Draft, AnEditWithoutEffectMakesNoChange) {
  HeldRecord insight(kind("insight"));
  insight.create(a_whole_insight());
  const Draft draft = draft_edit(insight.kind, insight.view(),
                                 {{"set", {{"confidence", "high"}, {"places", {"KE", "KE-30"}}}},
                                  {"remove", {{"places", "UG"}}}});
  EXPECT_TRUE(draft.changes.empty());
  EXPECT_TRUE(draft.findings.empty());
}

TEST(Draft, WritesApartStandBesideEachOtherUntilOneIsChosen) {
  HeldRecord insight(kind("insight"));
  insight.create(a_whole_insight());
  const RecordView before = insight.view();
  insight.take(draft_edit(insight.kind, before, {{"set", {{"title", "One"}}}}));
  insight.take(draft_edit(insight.kind, before, {{"set", {{"title", "Other"}}}}));
  EXPECT_TRUE(insight.view().has_conflict());
  insight.step("submit");
  const Draft blocked = draft_transition(insight.kind, insight.view(), "endorse", Json::object());
  EXPECT_TRUE(finds(blocked, "title", "field.conflict")) << told(blocked.findings);
  EXPECT_EQ(accepted(blocked).error().kind, Errc::needs_person);
  insight.edit({{"set", {{"title", "One"}}}}).step("endorse");
  EXPECT_FALSE(insight.view().has_conflict());
  EXPECT_EQ(insight.fields_outside()["title"], "One");
}

TEST(Draft, StatesMovedOnApartBlockTransitionsUntilOneIsChosen) {
  HeldRecord insight(kind("insight"));
  insight.create(a_whole_insight()).step("submit");
  const RecordView before = insight.view();
  const Draft endorsed = draft_transition(insight.kind, before, "endorse", Json::object());
  const Draft back =
      draft_transition(insight.kind, before, "give_back", {{"return_reason", "Too short"}});
  insight.take(endorsed).take(back);
  EXPECT_TRUE(insight.view().state_conflict());
  EXPECT_TRUE(next_steps(insight.kind, insight.view()).empty());
  const Draft blocked = draft_transition(insight.kind, insight.view(), "correct", Json::object());
  EXPECT_TRUE(finds(blocked, "state", "state.conflict")) << told(blocked.findings);
  EXPECT_TRUE(finds(draft_edit(insight.kind, insight.view(), {{"set", {{"state", "draft"}}}}), "",
                    "state.narrows"));
  insight.edit({{"set", {{"state", "endorsed"}}}});
  EXPECT_EQ(insight.view().state(), "endorsed");
}

TEST(Draft, AStateIsMovedOnByVerbsOnly) {
  HeldRecord insight(kind("insight"));
  insight.create(an_insight());
  EXPECT_TRUE(finds(draft_edit(insight.kind, insight.view(), {{"set", {{"state", "endorsed"}}}}),
                    "state", "state.verb"));
  EXPECT_TRUE(finds(draft_transition(insight.kind, insight.view(), "endorse", Json::object()),
                    "state", "state.from"));
  const Draft unknown = draft_transition(insight.kind, insight.view(), "submitt", Json::object());
  EXPECT_TRUE(finds(unknown, "", "verb.unknown"));
  EXPECT_NE(told(unknown.findings).find("“submit”"), std::string::npos);
}

TEST(Draft, WithdrawingBlanksTheTextForEverybodyAndLocksTheRecord) {
  HeldRecord insight = an_endorsed_insight();
  insight.step("withdraw");
  EXPECT_EQ(insight.view_from_outside().state(), "withdrawn");
  EXPECT_FALSE(insight.fields_outside().contains("what_happened"));
  EXPECT_EQ(insight.fields_outside()["title"], "Generators before the flood season");
  const Draft locked = draft_edit(insight.kind, insight.view(), {{"set", {{"title", "x"}}}});
  EXPECT_TRUE(finds(locked, "title", "state.locked"));
  EXPECT_EQ(accepted(locked).error().kind, Errc::not_allowed);
  insight.edit({{"set", {{"raw_notes", "Why it was withdrawn"}}}});
}

TEST(Draft, AReviewGoesToTheHomeOfItsTarget) {
  const Json fields = {{"target", link_text(3, chapter(9))}, {"decision", "forward"}};
  const Draft draft = draft_create(kind("review"), key(7), fields);
  ASSERT_EQ(draft.changes.size(), 1U) << told(draft.findings);
  EXPECT_EQ(draft.changes[0].audience, Audience::to);
  EXPECT_EQ(draft.changes[0].target, chapter(9));
  const Draft reasonless = draft_create(
      kind("review"), key(7), {{"target", link_text(3, chapter(9))}, {"decision", "decline"}});
  EXPECT_TRUE(finds(reasonless, "reason", "field.required"));
  const std::string inexact = to_text(key(3).id);
  EXPECT_TRUE(
      finds(draft_create(kind("review"), key(7), {{"target", inexact}, {"decision", "forward"}}),
            "target", "field.revision"));
}

TEST(Draft, AReleaseReachesWhomItSaysAndNeverFewerLater) {
  const Json fields = {{"of", link_text(3)}, {"title", "T"}, {"what_was_learned", "L"}};
  HeldRecord release(kind("release"));
  release.create(fields);
  EXPECT_EQ(release.view().current_layer().audience, Audience::down);
  release.edit({{"set", {{"reach", "all"}, {"correction_note", "wider"}}}}).step("correct");
  EXPECT_EQ(release.view().current_layer().audience, Audience::all);
  release.edit({{"set", {{"reach", "down"}}}});
  EXPECT_TRUE(finds(draft_transition(release.kind, release.view(), "correct", Json::object()), "",
                    "state.narrows"));
}

TEST(Draft, ACardShowsWhatThePersonAgreedToAndNothingElse) {
  HeldRecord member(kind("member"));
  member.create({{"name", "A. Otieno"},
                 {"country", "KE"},
                 {"expertise", {"surge staff"}},
                 {"email", "a@example.org"},
                 {"show_on_card", {"country", "expertise"}}});
  member.step("admit").step("show_card");
  EXPECT_EQ(member.fields_outside(), (Json{{"country", "KE"}, {"expertise", {"surge staff"}}}));
  member.edit({{"remove", {{"show_on_card", "expertise"}}}, {"add", {{"show_on_card", "name"}}}});
  member.step("show_card");
  EXPECT_EQ(member.fields_outside(), (Json{{"country", "KE"}, {"name", "A. Otieno"}}));
  member.step("leave");
  EXPECT_EQ(member.fields_outside(), Json::object());
  EXPECT_EQ(member.fields()["email"], "a@example.org");
}

TEST(Draft, LanguagesOfOneFieldDoNotDisturbEachOther) {
  HeldRecord theme(kind("theme"));
  theme.create({{"code", "finance"}, {"title", {{"en", "Health finance"}}}});
  const RecordView before = theme.view();
  theme.take(draft_edit(theme.kind, before, {{"set", {{"title/fr", "Financement"}}}}));
  theme.take(draft_edit(theme.kind, before, {{"set", {{"title", {{"es", "Finanzas"}}}}}}));
  EXPECT_EQ(theme.fields()["title"].size(), 3U);
  EXPECT_FALSE(theme.view().has_conflict());
  EXPECT_TRUE(finds(draft_edit(theme.kind, theme.view(), {{"set", {{"title", "x"}}}}), "title",
                    "field.type"));
  EXPECT_TRUE(finds(draft_edit(theme.kind, theme.view(), {{"clear", {"title"}}}), "title",
                    "field.required"));
}

TEST(Draft, ADeletedRecordIsRestoredOnlyWhole) {
  HeldRecord insight = an_endorsed_insight();
  insight.take(draft_delete(insight.kind, insight.view()));
  EXPECT_TRUE(insight.view_from_outside().deleted);
  EXPECT_EQ(insight.fields(), Json::object());
  EXPECT_TRUE(draft_delete(insight.kind, insight.view()).changes.empty());
  EXPECT_TRUE(finds(draft_edit(insight.kind, insight.view(), {{"set", {{"title", "x"}}}}), "",
                    "record.deleted"));
  EXPECT_TRUE(finds(draft_edit(insight.kind, insight.view(), {{"set", {{"deleted", false}}}}),
                    "title", "field.required"));
  insight.edit({{"set", {{"deleted", false}, {"state", "endorsed"}, {"title", "Back"}}}});
  EXPECT_FALSE(insight.view_from_outside().deleted);
  EXPECT_EQ(insight.fields_outside()["title"], "Back");
}

TEST(Draft, MuchIsCarriedOnInSeveralChangesWithTheStateInTheLast) {
  HeldRecord insight(kind("insight"));
  Json fields = a_whole_insight();
  const std::string much(20'000, 'x');
  for (const char* name : {"what_happened", "what_was_learned", "evidence", "raw_notes"})
    fields[name] = much;
  insight.create(fields).step("submit");
  const Draft draft = draft_transition(insight.kind, insight.view(), "endorse", Json::object());
  ASSERT_TRUE(draft.findings.empty()) << told(draft.findings);
  std::vector<const LayerChange*> up;
  for (const LayerChange& change : draft.changes) {
    EXPECT_LE(encode(change.change).size(), limits::payload_bytes);
    if (change.audience == Audience::up) up.push_back(&change);
  }
  ASSERT_EQ(up.size(), 2U);
  EXPECT_EQ(up.back()->change.operations.back().field, state_field);
  for (const Operation& operation : up.front()->change.operations)
    EXPECT_NE(operation.field, state_field);
  insight.take(draft);
  EXPECT_EQ(insight.view_from_outside().state(), "endorsed");
  EXPECT_EQ(insight.fields_outside()["evidence"], much);
}

TEST(Draft, AFieldThatIsTooLargeByItselfIsNamed) {
  HeldRecord insight(kind("insight"));
  insight.create(an_insight());
  std::string much;
  for (int i = 0; i < 20'000; ++i) much += "क";
  const Draft draft =
      draft_edit(insight.kind, insight.view(), {{"set", {{"evidence", much}, {"title", "x"}}}});
  EXPECT_TRUE(draft.changes.empty());
  EXPECT_TRUE(finds(draft, "evidence", "size.too-large"));
}

TEST(Draft, WordsThatAreNoEditAreRefused) {
  HeldRecord insight(kind("insight"));
  insight.create(an_insight());
  for (const Json& wrong :
       {Json(1), Json{{"sett", Json::object()}}, Json{{"set", 1}}, Json{{"clear", {1}}},
        Json{{"add", {{"title", "x"}}}}, Json{{"set", {{"", 1}}}}, Json{{"set", {{"/", 1}}}}}) {
    EXPECT_FALSE(draft_edit(insight.kind, insight.view(), wrong).findings.empty()) << wrong;
  }
}

TEST(Draft, AResponseIsAValueOrAReason) {
  HeldRecord assessment(kind("assessment"));
  assessment.create(
      {{"unit", "Kenya"},
       {"response", {{"P.1.1", {{"value", 3.0}}}, {"P.1.2", {{"reason", "not_applicable"}}}}}});
  assessment.edit({{"set",
                    {{"response/P.2.1", {{"value", 2}, {"second_value", 3}}},
                     {"evidence", {{"P.1.1", "Visit to the ministry"}}}}}});
  EXPECT_EQ(assessment.fields()["response"]["P.1.1"], (Json{{"value", 3}}));
  for (const Json& wrong : {Json{{"value", 1}, {"reason", "not_known"}}, Json::object(), Json(3),
                            Json{{"valeu", 1}}, Json{{"value", "1"}}}) {
    EXPECT_FALSE(
        draft_edit(assessment.kind, assessment.view(), {{"set", {{"response/P.1.1", wrong}}}})
            .findings.empty())
        << wrong;
  }
  EXPECT_FALSE(draft_create(kind("response"), key(8), {{"value", 1}}).findings.empty());
}

}  // namespace
}  // namespace chapterd
