// The command line on a fake node: words into verbs, answers into pages, errors into exit codes.
#include "daemon/cli/commands.h"
#include "tests/e2e/fake_node.h"

#include <gtest/gtest.h>

#include <set>

namespace chapterd {
namespace {

using test::holds;
using test::insight_id;
using test::Json;
using test::Outcome;
using test::Program;
using test::where;

TEST(CommandLine, NamesTheNearestCommandOptionAndField) {
  Program program;
  Outcome outcome = program.run({"insigt", "add"});
  EXPECT_EQ(outcome.exit, 2);
  EXPECT_TRUE(holds(outcome.err, "Did you mean “chapterd insight”?")) << outcome.err;
  outcome = program.run({"insight", "ad"});
  EXPECT_TRUE(holds(outcome.err, "“chapterd insight add”")) << outcome.err;
  outcome = program.run({"insight", "add", "--titel", "x"});
  EXPECT_EQ(outcome.exit, 2);
  EXPECT_TRUE(holds(outcome.err, "Did you mean --title?")) << outcome.err;
  outcome = program.run({"insight", "add", "--set", "titel=x"});
  EXPECT_EQ(outcome.exit, 2);
  EXPECT_TRUE(holds(outcome.err, "Did you mean “title”?")) << outcome.err;
  EXPECT_TRUE(program.node.asked.empty());
}

TEST(CommandLine, ErrorsHaveFourPartsAndLeaveStdoutEmpty) {
  Program program;
  const Outcome outcome = program.run({"where"});
  EXPECT_EQ(outcome.out, "");
  for (const char* part : {"chapterd: ID is missing", "Safe: ", "Next: ", "Code: cli.missing-"}) {
    EXPECT_TRUE(holds(outcome.err, part)) << outcome.err;
  }
}

TEST(CommandLine, ErrorsAreJsonWhereJsonIsAskedForEvenWhenTheLineIsWrong) {
  Program program;
  const Outcome outcome = program.run({"--json", "nonsense"});
  const Json error = Json::parse(outcome.err).at("error");
  EXPECT_EQ(error.at("kind"), "usage");
  EXPECT_EQ(error.at("exit"), 2);
  for (const char* part : {"code", "what", "safe", "next"}) EXPECT_NE(error.at(part), "");
}

TEST(CommandLine, EveryClassOfErrorHasItsExitCode) {
  const std::map<Errc, int> codes{
      {Errc::failed, 1},      {Errc::malformed, 1},     {Errc::disk, 1},
      {Errc::usage, 2},       {Errc::unreachable, 3},   {Errc::not_found, 4},
      {Errc::not_allowed, 5}, {Errc::needs_person, 6},  {Errc::check_failed, 7},
      {Errc::gave_up, 8},     {Errc::not_compatible, 9}};
  for (const auto& [kind, code] : codes) {
    Program program;
    program.node.answers_to("status", fail(kind, "some.code", "It happened."));
    EXPECT_EQ(program.run({"status"}).exit, code);
  }
}

TEST(CommandLine, HintsNameTheFolderThatTheCommandWorkedOn) {
  Program program;
  program.node.answers_to(
      "status", fail(Errc::failed, "some.code", "It happened.", "All is safe.",
                     "Start it: chapterd run. See 'chapterd peers list', not chapterd --data x. "
                     "Install the newer chapterd again. At the other one, there: chapterd run"));
  const std::string shown = program.run({"--data", "/ke's", "status"}).err;
  EXPECT_TRUE(holds(shown, "Start it: chapterd --data '/ke'\\''s' run. ")) << shown;
  EXPECT_TRUE(holds(shown, "'chapterd --data '/ke'\\''s' peers list'")) << shown;
  EXPECT_TRUE(holds(shown, "not chapterd --data x. Install the newer chapterd again.")) << shown;
  EXPECT_TRUE(holds(shown, "there: chapterd run")) << shown;
  EXPECT_TRUE(holds(program.run({"status"}).err, "Start it: chapterd run. ")) << "the default one";
}

TEST(CommandLine, RefusesWordsThatAreNotUtf8) {
  Program program;
  const Outcome outcome = program.run({"where", "\xff\xfe"});
  EXPECT_EQ(outcome.exit, 2);
  EXPECT_TRUE(holds(outcome.err, "cli.bad-utf8"));
}

TEST(CommandLine, EveryCommandHasHelpAndNoTwoShareAPath) {
  const auto kinds = Kinds::load();
  ASSERT_TRUE(kinds);
  std::set<std::vector<std::string>> paths;
  for (const Command& command : command_table(*kinds)) {
    EXPECT_TRUE(paths.insert(command.path).second) << spoken(command);
    std::vector<std::string> words = command.path;
    words.emplace_back("--help");
    Program program;
    const Outcome outcome = program.run(words);
    EXPECT_EQ(outcome.exit, 0) << spoken(command) << outcome.err;
    EXPECT_TRUE(holds(outcome.out, spoken(command))) << outcome.out;
    EXPECT_TRUE(command.help.ends_with('.')) << spoken(command);
  }
}

TEST(CommandLine, HelpIsJsonWhereJsonIsAskedFor) {
  Program program;
  const Json help = Json::parse(program.run({"--json", "status", "--help"}).out);
  EXPECT_TRUE(holds(help.at("help"), "chapterd status"));
}

TEST(CommandLine, NarrationCannotSteerTheTerminal) {
  Program program;
  program.node.answers_to("invite.create", Json{{"invite", "ABCDE"}});
  const Outcome outcome = program.run({"invite", "create", "KE", "--name", "a\u202Eb\033[2J"});
  EXPECT_EQ(outcome.err.find("\u202E"), std::string::npos);
  EXPECT_EQ(outcome.err.find('\033'), std::string::npos);
}

TEST(CommandLine, AFolderInPlaceOfAFileIsToldInWords) {
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"join", "/"},
        {"peers", "approve", "."},
        {"insight", "add", "--title", "x", "--fields", "."},
        {"insight", "add", "--title", "x", "--what-happened", "@."},
        {"jee", "import", ".", "--round", insight_id},
        {"jee", "framework", "."},
        {"--config", ".", "status"}}) {
    Program program;
    const Outcome outcome = program.run(words);
    EXPECT_EQ(outcome.exit, 2) << words.front();
    for (const char* part : {"is a folder", "Safe: ", "Next: ", "Code: cli.no-file"}) {
      EXPECT_TRUE(holds(outcome.err, part)) << outcome.err;
    }
  }
}

TEST(CommandLine, AFileWithoutEndIsNotReadForEver) {
  Program program;
  EXPECT_EQ(program.run({"jee", "framework", "/dev/zero"}).exit, 2);
  EXPECT_TRUE(holds(program.run({"jee", "framework", "/dev/zero"}).err, "cli.too-large"));
}

TEST(Where, ShowsEachStationAndWhatNeverLeaves) {
  Program program;
  program.node.answers_to("record.where", where(true, false));
  const Outcome outcome = program.run({"where", insight_id});
  EXPECT_TRUE(holds(outcome.out, "● Saved at Kisumu")) << outcome.out;
  EXPECT_TRUE(holds(outcome.out, "● Received by Kenya")) << outcome.out;
  EXPECT_TRUE(holds(outcome.out, "○ Not yet received by Global")) << outcome.out;
  EXPECT_TRUE(holds(outcome.out, "Never leaves Kisumu: Raw notes")) << outcome.out;
}

TEST(Where, SaysThatWhatWasEditedSinceWaitsHereAndHowItGoesOn) {
  Program program;
  Json edited = where(true, false);
  for (Json& stage : edited["stages"]) {
    if (stage["at"] == "saved") continue;
    stage["reached"] = false;
    stage["earlier"] = true;
  }
  edited["kind"] = "insight";
  edited["waits"] = {"title"};
  edited["next"] = {"correct"};
  program.node.answers_to("record.where", edited);
  const Outcome outcome = program.run({"where", insight_id});
  EXPECT_FALSE(holds(outcome.out, "● Received")) << outcome.out;
  for (const char* part :
       {"○ An earlier version was received by Global",
        "Changed here since, and not carried on: Title", "chapterd insight correct 019385f0"}) {
    EXPECT_TRUE(holds(outcome.out, part)) << outcome.out;
  }
}

TEST(Colour, OnlyOnATerminalAndNotWhereItIsNotWanted) {
  Program program;
  program.node.answers_to("record.where", where(true, false));
  EXPECT_EQ(program.run({"where", insight_id}).out.find('\033'), std::string::npos);
  program.terminal.out = true;
  EXPECT_NE(program.run({"where", insight_id}).out.find('\033'), std::string::npos);
  program.terminal.colour = false;
  EXPECT_EQ(program.run({"where", insight_id}).out.find('\033'), std::string::npos);
}

TEST(Status, TellsStationsPeersAndWhatNeedsAPerson) {
  Program program;
  program.node.answers_to(
      "status",
      Json{{"chapter", {{"code", "KE-17"}, {"name", "Kisumu"}}},
           {"federation", {{"name", "Learning Collaborative"}}},
           {"node", {{"name", "field laptop"}, {"fingerprint", "0badcafe"}}},
           {"daemon", true},
           {"work",
            {{{"at", "saved"}, {"chapter", "KE-17"}, {"held", 12}},
             {{"at", "parent"}, {"name", "Kenya"}, {"held", 12}, {"state", "up to date"}},
             {{"at", "global"},
              {"name", "Global"},
              {"held", 9},
              {"waiting", 3},
              {"state", "waiting"}}}},
           {"peers",
            {{{"code", "KE"},
              {"name", "Kenya"},
              {"state", "offline"},
              {"heard_ms_ago", 6 * 3600 * 1000}}}},
           {"needs_person", {{{"code", "clock.wrong"}, {"text", "The clock is wrong."}}}}});
  const Outcome outcome = program.run({"status"});
  for (const char* part :
       {"● On this computer  12 entries of yours", "● Kenya  12 entries of yours",
        "Kenya has confirmed all that goes there.", "○ Global  9 entries",
        "3 entries wait until Global confirms.", "last heard 6 h ago", "! The clock is wrong."}) {
    EXPECT_TRUE(holds(outcome.out, part)) << part << "\n" << outcome.out;
  }
  EXPECT_FALSE(holds(outcome.out, "0badcafe"));
}

TEST(Status, ClaimsNothingThatWasNotProved) {
  Program program;
  program.node.answers_to("status",
                          Json{{"chapter", {{"code", "KE"}, {"name", "Kenya"}}},
                               {"authority", false},
                               {"work",
                                {{{"at", "saved"}, {"chapter", "KE"}, {"held", 1}},
                                 {{"at", "global"}, {"name", "Global"}, {"state", "unknown"}}}},
                               {"peers", {{{"code", "GLOBAL"}, {"state", "never heard"}}}}});
  const std::string out = program.run({"status"}).out;
  EXPECT_FALSE(holds(out, "has confirmed all")) << out;
  for (const char* part : {"Not known yet: Global has not confirmed anything.",
                           "GLOBAL: never heard\n", "authority key is not here"}) {
    EXPECT_TRUE(holds(out, part)) << out;
  }
}

TEST(Sync, DoesNotWaitForWhatOnlyAPersonMends) {
  Program program;
  program.node.answers_to("sync.now", Json::object());
  program.node.answers_to(
      "sync.status",
      Json{{"idle", false}, {"blocked", {{"code", "node.revoked"}, {"text", "Revoked: stolen."}}}});
  Outcome outcome = program.run({"sync", "now", "--until-done"});
  EXPECT_EQ(outcome.exit, 6);
  EXPECT_TRUE(holds(outcome.err, "Revoked: stolen.")) << outcome.err;
  program.node.answers["sync.status"] = {Json{{"idle", false}, {"paused", true}}};
  outcome = program.run({"sync", "now", "--until-done"});
  EXPECT_EQ(outcome.exit, 6);
  EXPECT_TRUE(holds(outcome.err, "sync resume")) << outcome.err;
}

TEST(Sync, SaysWhatStillWaitsFurtherUp) {
  Program program;
  program.node.answers_to("sync.now", Json::object());
  program.node.answers_to("sync.status",
                          Json{{"idle", true},
                               {"work",
                                {{{"at", "saved"}, {"waiting", 0}},
                                 {{"at", "parent"}, {"name", "Kenya"}, {"waiting", 0}},
                                 {{"at", "global"}, {"name", "Global"}, {"waiting", 3}}}}});
  EXPECT_TRUE(holds(program.run({"sync", "now", "--until-done"}).out,
                    "3 entries still wait until Global confirms."));
}

TEST(Rollup, ShowsCountsAsABarWithMedianAndDenominators) {
  Program program;
  program.node.answers_to("rollup.show", Json{{"units", 80},
                                              {"expected", 82},
                                              {"framework", "JEE 1"},
                                              {"cut_off_ms", 1767225600000},
                                              {"published", false},
                                              {"indicators",
                                               {{{"code", "P.1.1"},
                                                 {"label", "Legislation"},
                                                 {"n", 79},
                                                 {"expected", 82},
                                                 {"not_applicable", 1},
                                                 {"median", 2.0},
                                                 {"levels",
                                                  {{{"value", 1}, {"count", 20}},
                                                   {{"value", 2}, {"count", 40}},
                                                   {{"value", 3}, {"count", 0}}}}}}}});
  program.node.answers_to("status", Json{{"chapter", {{"name", "Kenya"}}}});
  const Outcome outcome = program.run({"rollup", "show", insight_id});
  EXPECT_EQ(outcome.exit, 0) << outcome.err;
  for (const char* part : {"80/82", "JEE 1", "2026-01-01 00:00 UTC", "As known at Kenya", "▄█·",
                           "79/82", "Provisional"}) {
    EXPECT_TRUE(holds(outcome.out, part)) << part << "\n" << outcome.out;
  }
}

TEST(Verify, PrintsFaultsAndEndsWithSeven) {
  Program program;
  program.node.answers_to("verify",
                          Json{{"ok", false},
                               {"feeds", 2},
                               {"entries", 9},
                               {"faults", {{{"feed", "ab"}, {"seq", 4}, {"what", "hash"}}}}});
  const Outcome outcome = program.run({"verify"});
  EXPECT_EQ(outcome.exit, 7);
  EXPECT_TRUE(holds(outcome.out, "number 4: hash"));
}

TEST(Words, CutWrapAndCountByWhatATerminalShows) {
  EXPECT_EQ(columns_of("किसुमू"), 4U);
  EXPECT_EQ(columns_of("水"), 2U);
  EXPECT_EQ(shortened("abcdef", 4), "abc…");
  EXPECT_EQ(wrapped("one two three", 2, 9), "  one two\n  three\n");
  EXPECT_EQ(ago(std::int64_t{6} * 3600 * 1000), "6 h ago");
  EXPECT_EQ(ago(500), "just now");
  EXPECT_EQ(date_of(0), "1970-01-01 00:00 UTC");
  EXPECT_EQ(bytes_of(1536), "1.5 KiB");
}

}  // namespace
}  // namespace chapterd
