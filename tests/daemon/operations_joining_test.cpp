// Founding, inviting, joining by file; all without a daemon.
#include "crypto/system_random.h"
#include "daemon/operations/founding.h"
#include "daemon/operations/node_caller.h"
#include "daemon/operations/opened_node.h"
#include "daemon/operations/reach.h"
#include "replication/replica.h"
#include "replication/store/sqlite/sqlite_store.h"
#include "tests/daemon/operations_support.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sys/stat.h>

namespace chapterd::testing {
namespace {

namespace fs = std::filesystem;

class Joining : public ::testing::Test {
 protected:
  Joining() { founded_ = found(top_); }

  std::string invite(const std::string& code) {
    return must(ask(top_, "invite.create", {{"code", code}, {"name", "Kenya"}}))["invite"];
  }

  Json join_by_file(const Config& config, const std::string& code) {
    const Json asked = must(prepare_join(config, invite(code), "laptop"));
    const Json answer = must(ask(top_, "join.answer", {{"request", asked["request"]}}));
    EXPECT_EQ(answer["words"], asked["words"]);
    return must(finish_join(config, *from_base32(answer["answer"].get<std::string>())));
  }

  Place place_;
  Config top_ = place_.config("top");
  Json founded_;
};

TEST_F(Joining, FoundingShowsARecoveryKeyAndKeepsNone) {
  const std::string key = founded_["recovery_key"];
  EXPECT_EQ(from_base32(key)->size(), 32U);
  EXPECT_EQ(key[5], '-');
  for (const auto& file : fs::directory_iterator(top_.node.data)) {
    std::ifstream in(file.path(), std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(in)), {});
    EXPECT_EQ(bytes.find(key), std::string::npos);
    EXPECT_EQ(bytes.find(std::string(as_text(*from_base32(key)))), std::string::npos);
  }
}

TEST_F(Joining, KeyFilesAreForTheirOwnerOnlyAndBoundToTheMachine) {
  for (const char* name : {"top/node.key", "top/authority.key", "state/machine.key"}) {
    struct stat status = {};
    ASSERT_EQ(::stat(place_.path(name).c_str(), &status), 0) << name;
    EXPECT_EQ(status.st_mode & 0777U, 0600U) << name;
  }
  fs::remove(place_.path("state/machine.key"));
  EXPECT_EQ(code_of(ask(top_, "status", Json::object())), "key.machine-file");
}

TEST_F(Joining, AFolderWithANodeTakesNoSecondOne) {
  EXPECT_EQ(code_of(found_federation(top_, {"F", "G", "G", "n"})), "node.exists");
  EXPECT_EQ(code_of(prepare_join(top_, invite("KE"), "n")), "node.exists");
}

TEST_F(Joining, BadNamesAreRefusedBeforeAFolderIsMade) {
  const Config config = place_.config("new");
  EXPECT_EQ(code_of(found_federation(config, {"F", "global", "G", "n"})), "chapter.code");
  EXPECT_EQ(code_of(found_federation(config, {"", "GLOBAL", "G", "n"})), "argument.name");
  EXPECT_EQ(code_of(found_federation(config, {"F", "GLOBAL", "G", "\xFF"})), "argument.name");
  EXPECT_FALSE(fs::exists(config.node.data));
}

TEST_F(Joining, ByFileTakesThreeStepsAndTheSameFourWords) {
  const Config child = place_.config("child");
  const Json joined = join_by_file(child, "KE");
  EXPECT_EQ(joined["chapter"], "KE");
  EXPECT_EQ(joined["federation"], founded_["federation"]);
  EXPECT_EQ(joined["parent"]["code"], "GLOBAL");
  const Json status = must(ask(child, "status", Json::object()));
  EXPECT_EQ(status["chapter"]["name"], "Kenya");
  EXPECT_EQ(status["chapter"]["level"], 1);
  ASSERT_EQ(status["work"].size(), 3U);
  EXPECT_EQ(status["work"][1]["chapter"], "GLOBAL");
  EXPECT_EQ(must(ask(top_, "invite.list", Json::object()))["invites"][0]["state"], "used");
}

TEST_F(Joining, UntilTheyHaveMetBothSaySoAndClaimNothing) {
  const Config child = place_.config("child");
  join_by_file(child, "KE");
  const Json status = must(ask(child, "status", Json::object()));
  EXPECT_EQ(status["work"][1]["state"], "unknown");
  EXPECT_EQ(status["work"][1]["name"], "Global");
  EXPECT_EQ(status["work"][2]["state"], "unknown");
  ASSERT_EQ(status["peers"].size(), 1U);
  EXPECT_EQ(status["peers"][0]["code"], "GLOBAL");
  EXPECT_EQ(status["peers"][0]["state"], "never heard");
  const Json peers = must(ask(top_, "peers.list", Json::object()))["peers"];
  ASSERT_EQ(peers.size(), 1U);
  EXPECT_EQ(peers[0]["code"], "KE");
  EXPECT_EQ(peers[0]["name"], "Kenya");
  EXPECT_EQ(peers[0]["state"], "never heard");
  EXPECT_TRUE(peers[0]["heard_ms_ago"].is_null());
}

TEST_F(Joining, AnInviteTellsWhetherOtherComputersCanReachItsAddress) {
  const auto reachable = [&](const std::string& code, const Json& addresses) {
    return must(ask(top_, "invite.create",
                    {{"code", code}, {"addresses", addresses}}))["reachable"] == true;
  };
  EXPECT_FALSE(reachable("KA", Json::array()));
  EXPECT_FALSE(reachable("KB", {"127.0.0.1:7468", "[::1]:7468", "localhost:7468"}));
  EXPECT_TRUE(reachable("KC", {"127.0.0.1:7468", "10.0.0.7:7468"}));
}

TEST_F(Joining, AWaitingFolderSaysWhatItWaitsFor) {
  const Config child = place_.config("child");
  must(prepare_join(child, invite("KE"), "laptop"));
  const auto status = ask(child, "status", Json::object());
  EXPECT_EQ(code_of(status), "join.pending");
  EXPECT_EQ(status.error().kind, Errc::needs_person);
  EXPECT_EQ(code_of(found_federation(child, {"F", "G", "G", "n"})), "join.pending");
}

TEST_F(Joining, AskingAgainKeepsTheKeysSoThatAnEarlierAnswerStillFits) {
  const Config child = place_.config("child");
  const std::string text = invite("KE");
  const Json first = must(prepare_join(child, text, "laptop"));
  const Json answer = must(ask(top_, "join.answer", {{"request", first["request"]}}));
  EXPECT_EQ(must(prepare_join(child, text, "laptop"))["request"], first["request"]);
  must(finish_join(child, *from_base32(answer["answer"].get<std::string>())));
}

TEST_F(Joining, AnAnswerOfAnotherFederationIsRefused) {
  const Config stranger = place_.config("stranger");
  found(stranger);
  const Config child = place_.config("child");
  const Config other = place_.config("other");
  must(prepare_join(child, invite("KE"), "laptop"));
  const std::string foreign = must(ask(stranger, "invite.create", {{"code", "KE"}}))["invite"];
  const Json asked = must(prepare_join(other, foreign, "laptop"));
  EXPECT_EQ(code_of(ask(top_, "join.answer", {{"request", asked["request"]}})), "invite.unknown");
  const Json answer = must(ask(stranger, "join.answer", {{"request", asked["request"]}}));
  const Bytes bytes = *from_base32(answer["answer"].get<std::string>());
  EXPECT_EQ(code_of(finish_join(child, bytes)), "federation.other");
  EXPECT_EQ(code_of(ask(child, "status", Json::object())), "join.pending");
  EXPECT_EQ(code_of(finish_join(other, Bytes{1, 2, 3})), "invite.answer");
}

TEST_F(Joining, WithoutARequestThereIsNothingToFinish) {
  const Config child = place_.config("child");
  EXPECT_EQ(code_of(finish_join(child, Bytes{1})), "folder.missing");
  fs::create_directory(child.node.data);
  fs::permissions(child.node.data, fs::perms::owner_all);
  EXPECT_EQ(code_of(finish_join(child, Bytes{1})), "join.not-asked");
  EXPECT_EQ(code_of(ask(child, "status", Json::object())), "node.not-initialised");
}

TEST_F(Joining, AMistypedInviteChangesNothing) {
  const Config child = place_.config("child");
  std::string text = invite("KE");
  text[0] = text[0] == 'A' ? 'B' : 'A';
  EXPECT_EQ(code_of(prepare_join(child, text, "laptop")), "invite.mistyped");
  EXPECT_FALSE(fs::exists(child.node.data));
}

TEST_F(Joining, ARevokedInviteLetsNobodyIn) {
  const Json made = must(ask(top_, "invite.create", {{"code", "KE"}}));
  const Config child = place_.config("child");
  const Json asked = must(prepare_join(child, made["invite"], "laptop"));
  must(ask(top_, "invite.revoke", {{"id", made["id"]}}));
  EXPECT_EQ(code_of(ask(top_, "join.answer", {{"request", asked["request"]}})), "invite.revoked");
  EXPECT_EQ(must(ask(top_, "invite.list", Json::object()))["invites"][0]["state"], "revoked");
}

TEST_F(Joining, ACodeIsGivenOnlyOnce) {
  invite("KE");
  EXPECT_EQ(code_of(ask(top_, "invite.create", {{"code", "KE"}})), "chapter.code-taken");
  join_by_file(place_.config("child"), "TZ");
  EXPECT_EQ(code_of(ask(top_, "invite.create", {{"code", "TZ"}})), "chapter.code-taken");
}

TEST_F(Joining, AChapterThatLostItsComputerComesBackUnderItsCode) {
  join_by_file(place_.config("lost"), "KE");
  const auto taken = ask(top_, "invite.create", {{"code", "KE"}});
  EXPECT_EQ(code_of(taken), "chapter.code-taken");
  EXPECT_NE(taken.error().next.find("--replace"), std::string::npos);
  const Json made = must(ask(top_, "invite.create", {{"code", "KE"}, {"replace", true}}));
  EXPECT_EQ(made["name"], "Kenya");
  const Config fresh = place_.config("fresh");
  const Json asked = must(prepare_join(fresh, made["invite"], "office"));
  const Json answer = must(ask(top_, "join.answer", {{"request", asked["request"]}}));
  EXPECT_EQ(answer["words"], asked["words"]);
  const Bytes bytes = *from_base32(answer["answer"].get<std::string>());
  const Json joined = must(finish_join(fresh, bytes));
  EXPECT_EQ(joined["replaces"], true);
  EXPECT_EQ(joined["chapter"], "KE");
  EXPECT_EQ(must(ask(fresh, "status", Json::object()))["chapter"]["name"], "Kenya");
  const Json key = must(ask(fresh, "key.show", Json::object()));
  EXPECT_EQ(key["here"], true);
  EXPECT_EQ(key["keys"], 2) << "what the key before signed stands";
  // It speaks for the chapter from now on.
  EXPECT_TRUE(ask(fresh, "invite.create", {{"code", "KE-17"}}));
  EXPECT_EQ(must(ask(top_, "invite.list", Json::object()))["invites"].size(), 2U);
}

TEST_F(Joining, AnInviteToReplaceNamesTheComputersThatMayGoOn) {
  const Config child = place_.config("child");
  join_by_file(child, "KE");
  {
    // As if it had called: its certificate is there.
    const auto below = OpenedNode::open(child);
    const std::vector<Bytes> chain =
        (*below)->replica().directory().authority().chain((*below)->replica().directory().self());
    const auto above = OpenedNode::open(top_);
    ASSERT_TRUE((*above)->replica().write_statement(chain.back()));
    (*above)->replica().commit();
  }
  const Json replace = {{"code", "KE"}, {"replace", true}};
  const Json made = must(ask(top_, "invite.create", replace));
  ASSERT_EQ(made["nodes"].size(), 1U);
  EXPECT_EQ(made["nodes"][0]["name"], "laptop");
  must(ask(top_, "invite.revoke", {{"id", made["id"]}}));
  must(ask(top_, "peers.revoke", {{"code", "KE"}, {"reason", "stolen"}}));
  EXPECT_TRUE(must(ask(top_, "invite.create", replace))["nodes"].empty());
}

TEST_F(Joining, OnlyAChapterThatIsThereAndRightBelowIsReplaced) {
  const auto replace = [&](const Config& by, const std::string& code) {
    return code_of(ask(by, "invite.create", {{"code", code}, {"replace", true}}));
  };
  EXPECT_EQ(replace(top_, "KE"), "chapter.unknown");
  EXPECT_EQ(replace(top_, "GLOBAL"), "invite.not-below");
  const Config child = place_.config("child");
  join_by_file(child, "KE");
  EXPECT_EQ(replace(child, "KE"), "invite.not-below");
  EXPECT_EQ(replace(child, "GLOBAL"), "invite.not-below");
}

TEST_F(Joining, AnInviteToReplaceAdmitsOneComputer) {
  join_by_file(place_.config("lost"), "KE");
  const Json made = must(ask(top_, "invite.create", {{"code", "KE"}, {"replace", true}}));
  const Json first = must(prepare_join(place_.config("first"), made["invite"], "office"));
  const Json second = must(prepare_join(place_.config("second"), made["invite"], "office"));
  const auto answer = [&](const Json& asked) {
    return ask(top_, "join.answer", {{"request", asked["request"]}});
  };
  const Json answered = must(answer(first));
  EXPECT_EQ(code_of(answer(second)), "invite.used");
  EXPECT_EQ(must(answer(first))["answer"], answered["answer"]) << "asking again does no harm";
}

TEST_F(Joining, WithoutItsAuthorityKeyANodeWorksButInvitesNobody) {
  const Config child = place_.config("child");
  const Json asked = must(prepare_join(child, invite("KE"), "laptop"));
  fs::rename(place_.path("top/authority.key"), place_.path("stick"));
  EXPECT_TRUE(ask(top_, "status", Json::object()));
  EXPECT_EQ(code_of(ask(top_, "join.answer", {{"request", asked["request"]}})),
            "invite.authority-locked");
}

TEST_F(Joining, AStartThatWasCutShortIsBegunAnew) {
  const Config cut = place_.config("cut");
  fs::create_directory(cut.node.data);
  fs::permissions(cut.node.data, fs::perms::owner_all);
  std::ofstream(cut.node.data + "/chapterd.db").close();
  must(found_federation(cut, {"F", "GLOBAL", "G", "n"}));
  EXPECT_TRUE(ask(cut, "status", Json::object()));
}

TEST_F(Joining, AStartThatWasCutShortBetweenItsTransactionsIsBegunAnew) {
  const Config cut = place_.config("cut");
  {
    const auto folder = DataFolder::open(cut.node.data, Create::yes);
    SystemRandom random;
    const auto store = SqliteStore::open(folder->database(), {});
    const SigningKey key = SigningKey::generate(random);
    ASSERT_TRUE(Replica::initialise(**store, random, Bytes{1}, key.public_key()));
    std::ofstream(folder->node_key()) << "the only key that was written yet";
  }
  EXPECT_EQ(code_of(ask(cut, "status", Json::object())), "node.incomplete");
  must(found_federation(cut, {"F", "GLOBAL", "G", "n"}));
  EXPECT_TRUE(ask(cut, "status", Json::object()));
}

// A folder that lost its database, in each way that it may be lost.
class LostDatabase : public Joining {
 protected:
  static std::string bytes_of(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  void expect_keys_to_be_kept() {
    const std::string text = invite_of_another();
    const std::string node = bytes_of(place_.path("top/node.key"));
    const std::string authority = bytes_of(place_.path("top/authority.key"));
    const auto status = ask(top_, "status", Json::object());
    EXPECT_EQ(code_of(status), "node.database-lost");
    EXPECT_EQ(status.error().kind, Errc::needs_person);
    EXPECT_EQ(code_of(found_federation(top_, {"F", "GLOBAL", "G", "n"})), "node.database-lost");
    EXPECT_EQ(code_of(prepare_join(top_, text, "laptop")), "node.database-lost");
    EXPECT_EQ(code_of(join_online(top_, text, "laptop")), "node.database-lost");
    EXPECT_EQ(bytes_of(place_.path("top/node.key")), node);
    EXPECT_EQ(bytes_of(place_.path("top/authority.key")), authority);
  }

  std::string invite_of_another() {
    const Config other = place_.config("other");
    found(other);
    return must(ask(other, "invite.create", {{"code", "KE"}}))["invite"];
  }

  std::string database_ = place_.path("top/chapterd.db");
};

TEST_F(LostDatabase, KeepsItsKeysWhenTheFileIsGone) {
  fs::remove(database_);
  expect_keys_to_be_kept();
}

TEST_F(LostDatabase, KeepsItsKeysWhenTheFileIsEmpty) {
  fs::resize_file(database_, 0);
  expect_keys_to_be_kept();
}

TEST_F(LostDatabase, KeepsItsKeysWhenTheFileIsSomethingElse) {
  std::ofstream(database_) << "this was a letter to the ministry, and it is no database at all";
  expect_keys_to_be_kept();
  fs::remove(database_);  // as people do with a file that nothing needs
  EXPECT_EQ(code_of(found_federation(top_, {"F", "GLOBAL", "G", "n"})), "node.database-lost");
}

TEST_F(Joining, AnotherInviteDoesNotReplaceARequestThatWaits) {
  const Config child = place_.config("child");
  const Json asked = must(prepare_join(child, invite("KE"), "laptop"));
  const std::string other = invite("TZ");
  EXPECT_EQ(code_of(prepare_join(child, other, "laptop")), "join.pending");
  EXPECT_EQ(code_of(join_online(child, other, "laptop")), "join.pending");
  const Json answer = must(ask(top_, "join.answer", {{"request", asked["request"]}}));
  EXPECT_EQ(must(finish_join(child, *from_base32(answer["answer"].get<std::string>())))["chapter"],
            "KE");
}

TEST_F(Joining, AMissingOrOpenKeyIsToldWithWhatToDo) {
  const std::string key = place_.path("top/node.key");
  fs::permissions(key, fs::perms::owner_read | fs::perms::others_read);
  EXPECT_EQ(code_of(ask(top_, "status", Json::object())), "key.open-to-others");
  fs::remove(key);
  const auto status = ask(top_, "status", Json::object());
  EXPECT_EQ(code_of(status), "key.missing");
  EXPECT_NE(status.error().next.find("backup"), std::string::npos);
}

TEST_F(Joining, ReachOpensTheFolderWhenNoDaemonRuns) {
  const auto caller = reach_node(top_);
  ASSERT_TRUE(caller);
  EXPECT_EQ(must((*caller)->call("status", Json::object()))["daemon"], false);
  EXPECT_EQ(code_of(ask(top_, "status", Json::object())), "folder.in-use");
}

}  // namespace
}  // namespace chapterd::testing
