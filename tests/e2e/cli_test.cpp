// The command line on a fake node: words into verbs, answers into pages, errors into exit codes.
#include "daemon/cli/commands.h"
#include "daemon/cli/enrol_file.h"
#include "tests/e2e/fake_node.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
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

TEST(Invite, WarnsWhenNobodyElseCanReachItsAddress) {
  Program program;
  program.node.answers_to("invite.create", Json{{"invite", "ABCDE"},
                                                {"addresses", {"127.0.0.1:7468"}},
                                                {"authority", true},
                                                {"reachable", false}});
  const Outcome outcome = program.run({"invite", "create", "KE", "--name", "Kenya"});
  EXPECT_EQ(outcome.out, "ABCDE\n");
  for (const char* part : {"Warning: ", "127.0.0.1:7468", "--address HOST:PORT", "--offline"}) {
    EXPECT_TRUE(holds(outcome.err, part)) << outcome.err;
  }
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

class Joining : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "/chapterd-cli-XXXXXX";
    folder = mkdtemp(name.data());
    program.environment["CHAPTERD_DATA"] = folder + "/data";
    std::filesystem::create_directory(folder + "/data");
  }

  void TearDown() override { std::filesystem::remove_all(folder); }

  std::string folder;
  Program program;
};

TEST_F(Joining, TakesAnInviteInGroupsAsSeveralWords) {
  program.node.answers_to("join_online", Json{{"chapter", "KE"}, {"name", "Kenya"}});
  const Outcome outcome = program.run({"join", "ABCDE", "FGHIJ"});
  EXPECT_EQ(outcome.exit, 0) << outcome.err;
  EXPECT_EQ(program.node.args_of("join_online").at("invite"), "ABCDE FGHIJ ");
  EXPECT_EQ(program.node.args_of("join_online").at("node"), "laptop");
  EXPECT_TRUE(holds(outcome.out, "Kenya (KE)"));
}

TEST_F(Joining, GoesByFilesThereAndBack) {
  program.node.answers_to("prepare_join",
                          Json{{"request", to_base32(as_bytes("please"))}, {"words", "a b c d"}});
  program.node.answers_to(
      "join.answer",
      Json{{"answer", to_base32(as_bytes("welcome"))}, {"code", "KE"}, {"words", "a b c d"}});
  program.node.answers_to("finish_join", Json{{"chapter", "KE"}, {"name", "Kenya"}});
  const std::string request = folder + "/request.txt";
  const std::string answer = folder + "/answer.txt";
  Outcome outcome = program.run({"join", "ABCDE", "--offline", "--out", request});
  EXPECT_EQ(outcome.exit, 0) << outcome.err;
  EXPECT_TRUE(holds(outcome.out, "a b c d"));
  outcome = program.run({"peers", "approve", request, "--out", answer});
  EXPECT_EQ(outcome.exit, 0) << outcome.err;
  EXPECT_EQ(program.node.args_of("join.answer").at("request"), to_base32(as_bytes("please")));
  EXPECT_EQ(program.run({"peers", "approve", answer}).exit, 2);
  EXPECT_EQ(program.run({"join", request}).exit, 2);
  outcome = program.run({"join", answer});
  EXPECT_EQ(outcome.exit, 0) << outcome.err;
  EXPECT_EQ(program.node.args_of("finish_join").at("bytes"), 7);
  EXPECT_EQ(program.run({"join", "ABCDE", "--offline", "--out", request}).exit, 1) << "not twice";
}

TEST_F(Joining, AskingForAResultWithoutAPlaceForItAsksNobody) {
  const std::string nowhere = folder + "/no/such/folder/file";
  std::ofstream(folder + "/request.txt") << enrol_text(EnrolKind::request, "ABCDE", "");
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"invite", "create", "SO", "--name", "x", "--out", nowhere},
        {"join", "ABCDE", "--offline", "--out", nowhere},
        {"peers", "approve", folder + "/request.txt", "--out", nowhere}}) {
    const Outcome outcome = program.run(words);
    EXPECT_EQ(outcome.exit, 4) << words.front();
    EXPECT_TRUE(holds(outcome.err, "cli.no-file")) << outcome.err;
    EXPECT_TRUE(program.node.asked.empty()) << words.front();
  }
}

TEST_F(Joining, NoFileIsLeftWhereNothingCameOfIt) {
  const std::string path = folder + "/invite.txt";
  EXPECT_EQ(program.run({"invite", "create", "SO", "--name", "x", "--out", path}).exit, 4);
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(Joining, KeepsWhereItListensInTheFolder) {
  program.node.answers_to("found", Json{{"recovery_key", "ABC"}});
  EXPECT_EQ(program.run({"init", "--federation", "F", "--listen", "127.0.0.1:7777"}).exit, 0);
  const Outcome outcome = program.run({"--json", "config", "show"});
  EXPECT_EQ(outcome.exit, 0) << outcome.err;
  const Json answer = Json::parse(outcome.out);
  for (const Json& setting : answer.at("settings")) {
    if (setting.at("key") == "sync.listen") {
      EXPECT_EQ(setting.at("value"), "127.0.0.1:7777");
    }
    if (setting.at("key") == "node.data") {
      EXPECT_EQ(setting.at("origin"), "CHAPTERD_DATA");
    }
  }
  EXPECT_EQ(program.run({"init", "--federation", "F", "--listen", "nowhere"}).exit, 2);
}

TEST(EnrolFile, SurvivesEditorsAndMailPrograms) {
  const std::string written = enrol_text(
      EnrolKind::request, to_base32(as_bytes("some bytes of a request")), "Hello.\nYou.");
  std::string mangled = "\xEF\xBB\xBF";
  for (const char c : written) mangled += c == '\n' ? std::string("  \r\n") : std::string(1, c);
  ASSERT_EQ(enrol_kind(mangled), EnrolKind::request);
  const auto base32 = enrol_base32(EnrolKind::request, mangled);
  ASSERT_TRUE(base32);
  const auto bytes = from_base32(*base32);
  ASSERT_TRUE(bytes);
  EXPECT_EQ(as_text(*bytes), "some bytes of a request");
}

TEST(EnrolFile, AChangedLetterIsToldAsDamage) {
  std::string text = enrol_text(EnrolKind::answer, to_base32(as_bytes("some bytes of it")), "");
  char& letter = text[text.find('\n') + 3];
  letter = letter == 'A' ? 'B' : 'A';
  const auto base32 = enrol_base32(EnrolKind::answer, text);
  ASSERT_FALSE(base32);
  EXPECT_EQ(base32.error().code, "enrol.damaged");
  EXPECT_FALSE(base32.error().next.empty());
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
