// Founding, inviting and joining on the command line, on a fake node.
#include "daemon/cli/enrol_file.h"
#include "tests/e2e/fake_node.h"

#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sys/resource.h>

namespace chapterd {
namespace {

using test::holds;
using test::Json;
using test::Outcome;
using test::Program;

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

// Two computers of one chapter, and another chapter that one of them shares its name with.
Json two_of_kenya() {
  return {
      {"peers",
       {{{"code", "KE"}, {"name", "Kenya"}, {"computer", "office"}, {"fingerprint", "51f89785"}},
        {{"code", "KE"}, {"name", "Kenya"}, {"computer", "laptop"}, {"fingerprint", "51f8aaaa"}},
        {{"code", "UG"}, {"name", "Uganda"}, {"computer", "mini"}, {"fingerprint", ""}}}}};
}

TEST(Revoking, NeverPicksOneOfSeveralComputers) {
  for (const char* wanted : {"KE", "Kenya", "51f8"}) {
    Program program;
    program.node.answers_to("peers.list", two_of_kenya());
    program.node.answers_to("peers.revoke", Json{{"revoked", "51f89785"}});
    const Outcome outcome = program.run({"peers", "revoke", wanted, "--reason", "x", "--yes"});
    EXPECT_EQ(outcome.exit, 2) << wanted << outcome.out;
    EXPECT_TRUE(program.node.args_of("peers.revoke").is_null()) << wanted;
  }
  Program program;
  program.node.answers_to("peers.list", two_of_kenya());
  const Outcome outcome = program.run({"peers", "show", "Kenya"});
  EXPECT_EQ(outcome.exit, 2);
  for (const char* part : {"peers.ambiguous", "office, 51f89785", "laptop, 51f8aaaa"})
    EXPECT_TRUE(holds(outcome.err, part)) << outcome.err;
}

// Three digits would name the laptop alone here, and another computer elsewhere.
TEST(Revoking, TakesNoFewerThanFourDigitsForAComputer) {
  Program program;
  Json peers = two_of_kenya();
  peers["peers"].erase(0);
  program.node.answers_to("peers.revoke", Json{{"revoked", "51f8aaaa"}});
  program.node.answers_to("peers.list", peers);
  EXPECT_EQ(program.run({"peers", "show", "51f"}).exit, 4);
  EXPECT_EQ(program.run({"peers", "show", "51f8"}).exit, 0);
  const Outcome outcome = program.run({"peers", "revoke", "51f", "--reason", "x"});
  EXPECT_FALSE(holds(outcome.err, "Kenya")) << outcome.err;
  program.run({"peers", "revoke", "51f", "--reason", "x", "--yes"});
  EXPECT_EQ(program.node.args_of("peers.revoke").value("code", ""), "51f") << "which is nobody";
}

TEST(Revoking, NamesTheComputerInItsQuestionAndItsAnswer) {
  for (const char* wanted : {"laptop", "51f8a", "51f8aaaa"}) {
    Program program;
    program.node.answers_to("peers.list", two_of_kenya());
    program.node.answers_to("peers.revoke", Json{{"revoked", "51f8aaaa"}});
    Outcome outcome = program.run({"peers", "revoke", wanted, "--reason", "x"});
    EXPECT_TRUE(holds(outcome.err, "Revoke Kenya (KE), laptop, 51f8aaaa?")) << outcome.err;
    outcome = program.run({"peers", "revoke", wanted, "--reason", "x", "--yes"});
    EXPECT_TRUE(holds(outcome.out, "Revoked: Kenya (KE), laptop, 51f8aaaa")) << outcome.out;
    const std::string sent = program.node.args_of("peers.revoke").value("fingerprint", "");
    EXPECT_TRUE(sent.starts_with("51f8a")) << sent;
  }
}

TEST(Revoking, AYesIsAYesHoweverItIsTyped) {
  for (const auto& [typed, exit] : {std::pair{"Yes\n", 0},
                                    {"YES \r\n", 0},
                                    {" Y \n", 0},
                                    {"\n", 6},
                                    {"yesterday\n", 6},
                                    {"", 6}}) {
    Program program;
    program.terminal.in = true;
    program.in = typed;
    program.node.answers_to("peers.list", two_of_kenya());
    program.node.answers_to("peers.revoke", Json{{"revoked", "51f8aaaa"}});
    EXPECT_EQ(program.run({"peers", "revoke", "laptop", "--reason", "x"}).exit, exit) << typed;
  }
}

TEST(Revoking, AComputerThatWasNeverHeardIsNamedByItsFingerprint) {
  Program program;
  program.node.answers_to("peers.list", two_of_kenya());
  program.node.answers_to("peers.revoke", Json{{"revoked", "77001122"}});
  EXPECT_EQ(program.run({"peers", "revoke", "77001122", "--reason", "x", "--yes"}).exit, 0);
  EXPECT_EQ(program.node.args_of("peers.revoke").value("fingerprint", ""), "77001122");
  EXPECT_EQ(program.run({"peers", "revoke", "Uganda", "--reason", "x", "--yes"}).exit, 0);
  EXPECT_EQ(program.node.args_of("peers.revoke").value("code", ""), "UG");
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

// No file that this process writes may grow, as on a full stick.
class FullDisk {
 public:
  FullDisk() {
    std::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit none{0, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &none);
  }

  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

  ~FullDisk() { ::setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_ = {};
};

TEST_F(Joining, AKitThatCannotBeWrittenIsShown) {
  const Json kit = {{"authority", "AAAAA-BBBBB"}, {"recovery", "RRRRR-SSSSS"}};
  program.node.answers_to("found", Json{{"recovery_key", "R"}, {"kit", kit}});
  program.node.answers_to("join_online", Json{{"chapter", "KE"}, {"name", "Kenya"}, {"kit", kit}});
  const std::string path = folder + "/kit.txt";
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"init", "--federation", "F", "--kit", path},
        {"join", "ABCDE", "--kit", path},
        {"--json", "init", "--federation", "F", "--kit", path}}) {
    Outcome outcome;
    {
      const FullDisk full;
      outcome = program.run(words);
    }
    EXPECT_EQ(outcome.exit, 1) << outcome.out;
    EXPECT_TRUE(holds(outcome.out, "RRRRR-SSSSS")) << outcome.out;
    EXPECT_TRUE(holds(outcome.err, "cli.not-written")) << outcome.err;
    EXPECT_TRUE(holds(outcome.err, "What the command did is done")) << outcome.err;
    EXPECT_FALSE(std::filesystem::exists(path));
  }
  EXPECT_EQ(program.run({"init", "--federation", "F", "--kit", path}).exit, 0);
  EXPECT_TRUE(std::filesystem::exists(path));
}

TEST_F(Joining, APassphraseThatIsShortOrTypedInTwoWaysProtectsNothing) {
  program.node.answers_to("found", Json{{"recovery_key", "ABC"}});
  program.terminal.in = true;
  for (const auto& [typed, code] :
       {std::pair{"short\nshort\n", "passphrase.short"},
        {"\n\n", "passphrase.short"},
        {"four words in it\nfour words in mind\n", "cli.not-the-same"}}) {
    program.in = typed;
    const Outcome outcome = program.run({"init", "--federation", "F", "--passphrase"});
    EXPECT_EQ(outcome.exit, 2) << typed;
    EXPECT_TRUE(holds(outcome.err, code)) << outcome.err;
    EXPECT_TRUE(program.node.args_of("found").is_null()) << "nothing was begun";
    EXPECT_EQ(program.passphrase, "");
  }
  program.in = "four words in it\nfour words in it\n";
  EXPECT_EQ(program.run({"init", "--federation", "F", "--passphrase"}).exit, 0);
  EXPECT_EQ(program.passphrase, "four words in it");
}

TEST_F(Joining, AKitThatWasCopiedWrongIsNotCalledRight) {
  const std::string path = folder + "/typed.txt";
  std::ofstream(path) << "AAAAA-BBBBB\n\nCCCCC-DDDDD\n";
  const Json right = {{"right", true}, {"part", "authority"}};
  const Json wrong = {{"right", false}, {"why", "This code is mistyped."}, {"next", "Compare it."}};
  program.node.answers_to("kit.check", Json{{"checked", {right, right}}});
  EXPECT_EQ(program.run({"kit", "check", path}).exit, 0);
  for (const bool as_json : {false, true}) {
    Program other;
    other.environment = program.environment;
    other.node.answers_to("kit.check", Json{{"checked", {right, wrong}}});
    std::vector<std::string> words = {"kit", "check", path};
    if (as_json) words.emplace_back("--json");
    const Outcome outcome = other.run(words);
    EXPECT_EQ(outcome.exit, 7);
    EXPECT_TRUE(holds(outcome.err, "kit.wrong")) << outcome.err;
    if (as_json) continue;
    EXPECT_TRUE(holds(outcome.out, "The authority key is copied right.")) << outcome.out;
    EXPECT_TRUE(holds(outcome.out, "Code 2: This code is mistyped. Compare it.")) << outcome.out;
  }
}

TEST_F(Joining, AKitIsNotShownUnlessSomebodySaysYes) {
  program.node.answers_to("kit.facts", Json{{"chapter", "KE"}});
  program.node.answers_to("show_kit", Json{{"authority", "AAAAA-BBBBB"}});
  EXPECT_EQ(program.run({"kit", "show"}).exit, 6);
  EXPECT_TRUE(program.node.args_of("show_kit").is_null());
  const Outcome outcome = program.run({"kit", "show", "--yes"});
  EXPECT_EQ(outcome.exit, 0) << outcome.err;
  EXPECT_TRUE(holds(outcome.out, "AAAAA-BBBBB")) << outcome.out;
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

}  // namespace
}  // namespace chapterd
