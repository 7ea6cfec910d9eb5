// Records on the command line: fields, links, steps, and waiting, on a fake node.
#include "tests/e2e/fake_node.h"

#include <gtest/gtest.h>

namespace chapterd {
namespace {

using test::holds;
using test::insight_id;
using test::Json;
using test::Outcome;
using test::Program;
using test::theme_id;
using test::where;
using test::written;

TEST(CommandLine, ASingleTextInBracketsStaysOneText) {
  Program program;
  program.node.answers_to("record.add", written("draft", "chapter"));
  EXPECT_EQ(program.run({"insight", "add", "--title", "[a,b]", "--evidence", "--json"}).exit, 0);
  EXPECT_EQ(program.node.args_of("record.add").at("fields").at("title"), "[a,b]");
  EXPECT_EQ(program.node.args_of("record.add").at("fields").at("evidence"), "--json");
}

TEST(Records, FlagsBecomeFieldsOfTheirType) {
  Program program;
  program.node.answers_to("record.add", written("draft", "chapter"));
  const Outcome outcome =
      program.run({"insight", "add", "--title", "Boats", "--places", "KE-17", "--places", "KE",
                   "--raw-notes", "@@home", "--publish-to", "all"});
  EXPECT_EQ(outcome.exit, 0) << outcome.err;
  const Json fields = program.node.args_of("record.add").at("fields");
  EXPECT_EQ(fields.at("places"), Json({"KE-17", "KE"}));
  EXPECT_EQ(fields.at("raw_notes"), "@home");
  EXPECT_EQ(fields.at("publish_to"), "all");
}

TEST(Records, ATextOfOneLineMayComeFromAFileToo) {
  Program program;
  program.node.answers_to("record.add", written("draft", "chapter"));
  program.in = "Boats kept vaccines moving\n";
  EXPECT_EQ(program.run({"insight", "add", "--title", "@-"}).exit, 0);
  EXPECT_EQ(program.node.args_of("record.add").at("fields").at("title"),
            "Boats kept vaccines moving");
  EXPECT_TRUE(holds(program.run({"insight", "add", "--help"}).out, "@FILE"));
}

TEST(Records, KeyedFieldsTakeTheirKeyInFrontOrInTheName) {
  Program program;
  program.node.answers_to("record.edit", written("started", "chapter"));
  const Outcome outcome = program.run({"assessment", "edit", insight_id, "--response", "P.1.1=3",
                                       "--set", "response/P.1.2=not-applicable", "--set",
                                       "response/P.1.3={\"value\":2,\"comment\":\"so\"}"});
  EXPECT_EQ(outcome.exit, 0) << outcome.err;
  const Json set = program.node.args_of("record.edit").at("edit").at("set");
  EXPECT_EQ(set.at("response/P.1.1"), Json({{"value", 3}}));
  EXPECT_EQ(set.at("response/P.1.2"), Json({{"reason", "not_applicable"}}));
  EXPECT_EQ(set.at("response/P.1.3"), Json({{"value", 2}, {"comment", "so"}}));
}

TEST(Records, TextsWithoutALanguageAreInThatOfTheTerminal) {
  Program program;
  program.environment["LANG"] = "fr_FR.UTF-8";
  program.node.answers_to("record.add", written("proposed", "all"));
  EXPECT_EQ(
      program.run({"theme", "add", "--code", "w", "--title", "Eau", "--title", "en=Water"}).exit,
      0);
  const Json fields = program.node.args_of("record.add").at("fields");
  EXPECT_EQ(fields.at("title/fr"), "Eau");
  EXPECT_EQ(fields.at("title/en"), "Water");
}

TEST(Records, LinksAreFoundByCodeAndExactOnesGetTheirRevision) {
  Program program;
  program.node.answers_to("record.add", written("draft", "chapter"));
  program.node.answers_to(
      "record.list",
      Json{{"rows", {{{"id", theme_id}, {"title", "Water"}, {"fields", {{"code", "water"}}}}}},
           {"next", nullptr}});
  program.node.answers_to("record.show", Json{{"home", "abcd"}, {"revision", "ef01"}});
  EXPECT_EQ(program.run({"insight", "add", "--title", "x", "--themes", "water"}).exit, 0);
  EXPECT_EQ(program.node.args_of("record.add").at("fields").at("themes"),
            Json({"abcd/" + std::string(theme_id)}));
  EXPECT_EQ(program.run({"review", "add", "--target", theme_id, "--decision", "forward"}).exit, 0);
  EXPECT_EQ(program.node.args_of("record.add").at("fields").at("target"),
            "abcd/" + std::string(theme_id) + "@ef01");
}

TEST(Records, AnIdMayBeGivenByEitherEndWhenThatFitsOnlyOne) {
  Program program;
  program.node.answers_to(
      "record.list", Json{{"rows", {{{"id", insight_id}}, {{"id", theme_id}}}}, {"next", nullptr}});
  program.node.answers_to("record.where", where(false, false));
  EXPECT_EQ(program.run({"insight", "where", "4f2a91c7"}).exit, 0);
  EXPECT_EQ(program.node.args_of("record.where").at("id"), insight_id);
  EXPECT_EQ(program.run({"insight", "where", "…91c7"}).exit, 0);
  const Outcome both = program.run({"insight", "where", "019385f0"});
  EXPECT_EQ(both.exit, 2);
  EXPECT_TRUE(holds(both.err, "record.ambiguous"));
  EXPECT_EQ(program.run({"insight", "where", "91c"}).exit, 4);
  EXPECT_EQ(program.run({"insight", "where", "ffff"}).exit, 4);
}

TEST(Records, StepsHaveDashesOnTheLineAndUnderscoresInTheVerb) {
  Program program;
  program.node.answers_to("record.move", written("draft", "chapter"));
  EXPECT_EQ(program.run({"insight", "give-back", insight_id, "--return-reason", "Say where."}).exit,
            0);
  EXPECT_EQ(program.node.args_of("record.move").at("verb"), "give_back");
  EXPECT_EQ(program.node.args_of("record.move").at("fields").at("return_reason"), "Say where.");
}

TEST(Records, ThenTakesSeveralStepsInOneWrite) {
  Program program;
  program.node.answers_to("record.add", written("endorsed", "up"));
  const Outcome outcome = program.run(
      {"-q", "insight", "add", "--title", "x", "--then", "submit", "--then", "endorse"});
  EXPECT_EQ(outcome.exit, 0);
  EXPECT_EQ(outcome.out, std::string(insight_id) + "\n");
  EXPECT_EQ(outcome.err, "");
  EXPECT_EQ(program.node.args_of("record.add").at("then"), Json({"submit", "endorse"}));
}

TEST(Records, AnUnknownStepIsRefusedBeforeAnythingIsWritten) {
  Program program;
  program.node.answers_to("record.add", written("draft", "chapter"));
  const Outcome outcome = program.run({"insight", "add", "--title", "x", "--then", "submitt"});
  EXPECT_EQ(outcome.exit, 2);
  EXPECT_TRUE(holds(outcome.err, "An insight has no step")) << outcome.err;
  EXPECT_TRUE(holds(outcome.err, "submit")) << outcome.err;
  EXPECT_TRUE(program.node.asked.empty());
}

TEST(Records, DeletingAsksAndWithoutATerminalNeedsAYesOnTheLine) {
  Program program;
  program.node.answers_to("record.show", Json{{"title", "Boats"}});
  program.node.answers_to("record.delete", written("", "chapter"));
  EXPECT_EQ(program.run({"insight", "delete", insight_id}).exit, 6);
  EXPECT_EQ(program.run({"insight", "delete", insight_id, "--yes"}).exit, 0);
  program.terminal.in = true;
  program.in = "n\n";
  EXPECT_EQ(program.run({"insight", "delete", insight_id}).exit, 6);
  program.in = "y\n";
  EXPECT_EQ(program.run({"insight", "delete", insight_id}).exit, 0);
}

TEST(Records, NothingSyncedCanSteerTheTerminal) {
  Program program;
  program.node.answers_to("record.show", Json{{"id", insight_id},
                                              {"kind", "insight"},
                                              {"title", "a\033[2Jb\u202Ec"},
                                              {"fields", {{"title", "a\033]0;x\007"}}}});
  const Outcome outcome = program.run({"insight", "show", insight_id});
  EXPECT_EQ(outcome.exit, 0);
  EXPECT_EQ(outcome.out.find('\033'), std::string::npos);
  EXPECT_EQ(outcome.out.find("\u202E"), std::string::npos);
}

TEST(Waiting, EndsWhenTheReceiptIsThere) {
  Program program;
  program.node.answers_to("record.move", written("endorsed", "up"));
  program.node.answers_to("record.where", where(false, false));
  program.node.answers_to("record.where", where(true, false));
  program.node.answers_to("record.where", where(true, true));
  program.node.answers_to("record.show", Json{{"audience", "up"}});
  program.node.answers_to("status", Json{{"daemon", true}});
  const Outcome outcome = program.run({"insight", "endorse", insight_id, "--wait=global"});
  EXPECT_EQ(outcome.exit, 0);
  EXPECT_TRUE(holds(outcome.err, "Received by Global.")) << outcome.err;
}

TEST(Waiting, DoesNotTakeAnEarlierVersionForWhatWasEditedSince) {
  Program program;
  program.node.answers_to("record.edit", written("endorsed", "chapter"));
  Json edited = where(true, false);
  edited["stages"][2]["earlier"] = true;
  edited["kind"] = "insight";
  edited["next"] = {"correct"};
  program.node.answers_to("record.where", edited);
  const Outcome outcome =
      program.run({"insight", "edit", insight_id, "--title", "Boats 2", "--wait=global"});
  EXPECT_EQ(outcome.exit, 8);
  EXPECT_TRUE(holds(outcome.err, "wait.stays-home")) << outcome.err;
  EXPECT_TRUE(holds(outcome.err, "chapterd insight correct")) << outcome.err;
}

TEST(Waiting, GivesUpWithEightAndSaysThatTheWorkIsSafe) {
  Program program;
  program.node.answers_to("record.move", written("endorsed", "up"));
  program.node.answers_to("record.where", where(true, false));
  program.node.answers_to("record.show", Json{{"audience", "up"}});
  program.node.answers_to("status", Json{{"daemon", true}});
  const Outcome late =
      program.run({"insight", "endorse", insight_id, "--wait", "global", "--timeout", "0"});
  EXPECT_EQ(late.exit, 8);
  EXPECT_TRUE(holds(late.err, "no confirmation from Global within 0 s")) << late.err;
  EXPECT_TRUE(holds(late.err, "The work is saved here")) << late.err;
  program.node.answers["status"] = {Json{{"daemon", false}}};
  EXPECT_TRUE(holds(program.run({"insight", "endorse", insight_id, "--wait=global"}).err,
                    "wait.no-daemon"));
  EXPECT_EQ(program.run({"insight", "endorse", insight_id, "--wait=world"}).exit, 2);
}

TEST(Waiting, DoesNotWaitForADraftThatWillNotLeave) {
  Program program;
  program.node.answers_to("record.add", written("draft", "chapter"));
  Json nowhere = where(false, false);
  nowhere["stages"][2]["leaves"] = false;
  program.node.answers_to("record.where", nowhere);
  program.node.answers_to("record.show", Json{{"kind", "insight"}, {"state", "draft"}});
  const Outcome outcome = program.run({"insight", "add", "--title", "x", "--wait=global"});
  EXPECT_EQ(outcome.exit, 8);
  EXPECT_TRUE(holds(outcome.err, "wait.stays-home")) << outcome.err;
}

}  // namespace
}  // namespace chapterd
