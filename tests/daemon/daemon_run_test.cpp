// Daemons as people run them: verbs over the control socket, work that travels over TLS.
#include "daemon/control/control_client.h"
#include "daemon/operations/held.h"
#include "daemon/operations/kit.h"
#include "daemon/operations/node_caller.h"
#include "daemon/operations/opened_node.h"
#include "daemon/operations/reach.h"
#include "tests/daemon/operations_support.h"
#include "tests/support/disk_damage.h"

#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <future>
#include <unistd.h>

namespace chapterd::testing {
namespace {

TEST(Daemon, AnswersOverItsSocketAndKeepsWhatItConfirmed) {
  const Place place;
  const Config config = place.config("top");
  found(config);
  std::string id;
  {
    RunningDaemon daemon(config);
    id = must(
        daemon.call("record.add", {{"kind", "insight"}, {"fields", {{"title", "Boats"}}}}))["id"];
    EXPECT_EQ(must(daemon.call("record.list", {{"kind", "insight"}}))["rows"][0]["id"], id);
    EXPECT_EQ(must(daemon.call("status", Json::object()))["daemon"], true);
    EXPECT_EQ(must(daemon.call("verify", Json::object()))["ok"], true);
    const Json views = must(daemon.call("views", Json::object()));
    must(daemon.call("rebuild", Json::object()));
    EXPECT_EQ(must(daemon.call("views", Json::object())), views);
    EXPECT_EQ(code_of(daemon.call("record.shwo", Json::object())), "verb.unknown");
    EXPECT_EQ(code_of(daemon.call("record.show", {{"id", "x"}})), "record.id");
    EXPECT_TRUE(daemon.stop());
  }
  EXPECT_EQ(must(ask(config, "record.show", {{"id", id}}))["title"], "Boats");
}

TEST(Daemon, ManyCallersWriteAtOnceAndNothingIsLost) {
  const Place place;
  const Config config = place.config("top");
  found(config);
  RunningDaemon daemon(config);
  constexpr int callers = 8;
  constexpr int each = 25;
  std::vector<std::future<int>> done;
  for (int i = 0; i < callers; ++i) {
    done.push_back(std::async(std::launch::async, [&config, i] {
      const auto caller = ControlClient::connect(config.control.socket);
      int saved = 0;
      for (int k = 0; caller && k < each; ++k) {
        const std::string title = std::to_string(i) + "/" + std::to_string(k);
        const Json fields = {{"title", title}};
        if ((*caller)->call("record.add", {{"kind", "insight"}, {"fields", fields}})) ++saved;
      }
      return saved;
    }));
  }
  for (auto& saved : done) EXPECT_EQ(saved.get(), each);
  const Json rows =
      must(daemon.call("record.list", {{"kind", "insight"}, {"limit", 1000}}))["rows"];
  EXPECT_EQ(rows.size(), static_cast<std::size_t>(callers * each));
}

TEST(Daemon, ReachPrefersTheRunningDaemon) {
  const Place place;
  const Config config = place.config("top");
  found(config);
  const RunningDaemon daemon(config);
  const auto caller = reach_node(config);
  ASSERT_TRUE(caller);
  EXPECT_EQ(must((*caller)->call("status", Json::object()))["daemon"], true);
}

TEST(Daemon, EndsInOrderOnASignal) {
  const Place place;
  const Config config = place.config("top");
  found(config);
  RunningDaemon daemon(config);
  must(daemon.call("status", Json::object()));
  ASSERT_EQ(::kill(::getpid(), SIGTERM), 0);
  EXPECT_TRUE(comes_true([&] { return !std::filesystem::exists(config.control.socket); }));
  EXPECT_TRUE(daemon.stop());
}

TEST(Daemon, ARecordWhoseKindIsGoneFromTheDatabaseIsToldAndNotShownAsAnother) {
  const Place place;
  const Config config = place.config("top");
  found(config);
  const std::string id = must(
      ask(config, "record.add", {{"kind", "insight"}, {"fields", {{"title", "Boats"}}}}))["id"];
  change_rows(place.path("top") + "/chapterd.db",
              "DELETE FROM kind WHERE row = (SELECT max(row) FROM kind)");
  EXPECT_EQ(code_of(ask(config, "record.show", {{"id", id}})), "store.damaged");
}

// A chapter below another, both running, joined over TLS.
class Family : public ::testing::Test {
 protected:
  Family() {
    found(top_config_);
    top_.emplace(top_config_);
    invite_ = must(top_->call("invite.create", {{"code", "KE"}, {"name", "Kenya"}}))["invite"];
    joined_ = must(join_online(child_config_, invite_, "laptop"));
    child_.emplace(child_config_);
  }

  std::string endorsed(const std::string& title) {
    return endorsed_insight(
        [this](const std::string& verb, const Json& args) { return child_->call(verb, args); },
        title);
  }

  Json where(const std::string& id) { return must(child_->call("record.where", {{"id", id}})); }

  // What both ends say of each other explains a failure.
  ::testing::AssertionResult reaches_the_top(const std::string& id) {
    if (comes_true([&] { return where(id)["summary"] == "global"; }))
      return ::testing::AssertionSuccess();
    ::testing::AssertionResult failed = ::testing::AssertionFailure();
    failed << where(id).dump(1);
    for (RunningDaemon* daemon : {&*child_, &*top_}) {
      for (const char* verb : {"status", "peers.list", "views"})
        failed << "\n" << must(daemon->call(verb, Json::object())).dump(1);
    }
    return failed;
  }

  Place place_;
  Config top_config_ = place_.config("top");
  Config child_config_ = place_.config("child");
  std::optional<RunningDaemon> top_;
  std::optional<RunningDaemon> child_;
  std::string invite_;
  Json joined_;
};

TEST_F(Family, WorkOfTheChildIsProvedToBeAtTheTop) {
  EXPECT_EQ(joined_["parent"]["code"], "GLOBAL");
  const std::string id = endorsed("Boats");
  ASSERT_TRUE(reaches_the_top(id));
  const Json stages = where(id)["stages"];
  ASSERT_EQ(stages.size(), 3U);
  for (const Json& stage : stages) EXPECT_EQ(stage["reached"], true);
  const Json shown = must(top_->call("record.show", {{"id", id}}));
  EXPECT_EQ(shown["title"], "Boats");
  EXPECT_EQ(shown["home_code"], "KE");
  EXPECT_FALSE(shown["fields"].contains("raw_notes"));  // confidential: it stayed
  const Json told = must(child_->call("record.explain", {{"id", id}}));
  bool acknowledged = false;
  for (const Json& entry : told["entries"])
    acknowledged = acknowledged || entry["acknowledged_by"] == Json({"GLOBAL"});
  EXPECT_TRUE(acknowledged);
}

TEST_F(Family, WorkThatStaysIsNeverShownAsArrived) {
  const Json made =
      must(child_->call("record.add", {{"kind", "insight"}, {"fields", {{"title", "A draft"}}}}));
  ASSERT_TRUE(reaches_the_top(endorsed("Boats")));
  const Json draft = where(made["id"]);
  EXPECT_EQ(draft["summary"], "stays");
  EXPECT_EQ(draft["stages"][1]["reached"], false);
  EXPECT_EQ(draft["stays"], Json({"chapter"}));
}

TEST_F(Family, WorkWaitsWhileTheTopIsAwayAndArrivesLater) {
  ASSERT_TRUE(reaches_the_top(endorsed("Boats")));
  top_config_.sync.listen = top_->listens_at();
  top_.reset();
  const std::string id = endorsed("Rafts");
  const Json waiting = where(id);
  EXPECT_EQ(waiting["summary"], "saved");
  EXPECT_EQ(waiting["stages"][1]["reached"], false);
  EXPECT_GT(waiting["stages"][1]["since_ms"].get<std::int64_t>(), 0);
  const Json work = must(child_->call("status", Json::object()))["work"];
  EXPECT_GT(work[1]["waiting"].get<int>(), 0);
  EXPECT_EQ(must(child_->call("sync.status", Json::object()))["idle"], false);
  top_.emplace(top_config_);
  EXPECT_TRUE(reaches_the_top(id));
}

TEST_F(Family, StatusSaysUpToDateOnlyOnceReceiptsProveIt) {
  ASSERT_TRUE(reaches_the_top(endorsed("Boats")));
  const Json status = must(child_->call("status", Json::object()));
  EXPECT_EQ(status["work"][1]["state"], "up to date");
  EXPECT_EQ(status["work"][1]["waiting"], 0);
  EXPECT_LT(status["work"][1]["held"], status["work"][0]["held"]);
  EXPECT_TRUE(comes_true(
      [&] { return must(child_->call("sync.status", Json::object()))["idle"] == true; }));
  const Json peers = must(child_->call("peers.list", Json::object()))["peers"];
  ASSERT_EQ(peers.size(), 1U);
  EXPECT_EQ(peers[0]["code"], "GLOBAL");
  EXPECT_EQ(peers[0]["side"], "we dial");
  EXPECT_EQ(peers[0]["state"], "connected");
  EXPECT_EQ(must(top_->call("peers.list", Json::object()))["peers"][0]["side"], "dials us");
}

TEST_F(Family, BothShowTheSameInTheSpacesThatBothHold) {
  ASSERT_TRUE(reaches_the_top(endorsed("Boats")));
  const auto spaces = [](RunningDaemon& daemon) {
    std::map<std::string, Json> shared;
    const Json views = must(daemon.call("views", Json::object()));
    for (const Json& space : views["spaces"]) {
      if (space["audience"] != "chapter" && space["home"] == "KE")
        shared[space["audience"]] = space;
    }
    return shared;
  };
  EXPECT_EQ(spaces(*top_), spaces(*child_));
  EXPECT_GE(spaces(*top_).size(), 2U);
}

TEST_F(Family, OnlyTheHomeOfARecordChangesIt) {
  const std::string id = endorsed("Boats");
  ASSERT_TRUE(reaches_the_top(id));
  const auto answer =
      top_->call("record.edit", {{"id", id}, {"edit", {{"set", {{"title", "Mine"}}}}}});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, "record.not-ours");
  EXPECT_EQ(answer.error().kind, Errc::not_allowed);
}

TEST_F(Family, PausedMeansNoConnectionsUntilResumed) {
  ASSERT_TRUE(reaches_the_top(endorsed("Boats")));
  EXPECT_EQ(must(child_->call("sync.pause", Json::object()))["paused"], true);
  EXPECT_TRUE(comes_true([&] {
    return must(child_->call("peers.list", Json::object()))["peers"][0]["state"] == "paused";
  }));
  const std::string id = endorsed("Rafts");
  EXPECT_EQ(where(id)["summary"], "saved");
  EXPECT_EQ(code_of(child_->call("sync.now", Json::object())), "sync.paused");
  must(child_->call("sync.resume", Json::object()));
  must(child_->call("sync.now", Json::object()));
  EXPECT_TRUE(reaches_the_top(id));
}

TEST_F(Family, ARevokedNodeIsToldAndWritesNoMore) {
  ASSERT_TRUE(reaches_the_top(endorsed("Boats")));
  must(top_->call("peers.revoke", {{"code", "KE"}, {"reason", "stolen"}}));
  EXPECT_TRUE(comes_true([&] {
    return code_of(child_->call("record.add", {{"kind", "insight"},
                                               {"fields", {{"title", "x"}}}})) == "node.revoked";
  }));
  const Json status = must(child_->call("status", Json::object()));
  EXPECT_EQ(status["needs_person"][0]["code"], "node.revoked");
  EXPECT_EQ(status["work"][1]["state"], "needs a person");
  const Json blocked = must(child_->call("sync.status", Json::object()))["blocked"];
  EXPECT_EQ(blocked["code"], "node.revoked");
  EXPECT_NE(blocked["text"].get<std::string>().find("stolen"), std::string::npos);
  EXPECT_EQ(must(top_->call("peers.list", Json::object()))["peers"][0]["state"], "revoked");
}

// The daemon takes its chapter's new authority key, and so do the kit and what it signs.
TEST_F(Family, ANewAuthorityKeyIsUsedAsSoonAsItsSuccessorIsHeld) {
  const Json before = must(child_->call("key.show", Json::object()));
  const Json asked = must(child_->call("key.request", Json::object()));
  must(top_->call("key.recover", {{"request", asked["request"]}}));
  EXPECT_TRUE(comes_true([&] {
    const Json now = must(child_->call("key.show", Json::object()));
    return now["authority"] != before["authority"] && now["here"] == true;
  }));
  const Json kit = must(show_kit(child_config_, must(child_->call("kit.facts", Json::object()))));
  const Json checked = must(child_->call("kit.check", {{"codes", {kit["authority"]}}}));
  EXPECT_EQ(checked["checked"][0]["right"], true) << checked.dump();
  must(child_->call("invite.create", {{"code", "KE-17"}, {"name", "Kisumu"}}));
  const Json rotated = must(child_->call("key.rotate", Json::object()));
  const Json last = must(child_->call("key.show", Json::object()));
  EXPECT_EQ(last["authority"], rotated["authority"]);
  EXPECT_EQ(last["here"], true);
}

// A revocation that names nothing of what is held, as one from further up would be.
void revoke_from_the_beginning(const Config& config, const std::string& code) {
  const auto opened = OpenedNode::open(config);
  ASSERT_TRUE(opened) << opened.error().code;
  Replica& replica = (*opened)->replica();
  const Directory& directory = replica.directory();
  for (const KnownNode* node : directory.authority().nodes()) {
    if (code_of(directory.authority(), node->certificate.chapter) != code) continue;
    const Statement statement{directory.chapter(), 1, Revoke{node->certificate.node, {}, "stolen"}};
    const auto authority = (*opened)->parts().authority.get();
    ASSERT_TRUE(replica.write_statement(
        sign_statement(directory.authority().federation(), statement, *authority)));
  }
  replica.commit();
}

TEST_F(Family, WhatARevokedNodeWroteBeyondItsCutIsShownAndCanBeAdmitted) {
  const std::string id = endorsed("Boats");
  ASSERT_TRUE(reaches_the_top(id));
  top_.reset();
  revoke_from_the_beginning(top_config_, "KE");
  top_.emplace(top_config_);
  EXPECT_EQ(code_of(top_->call("record.show", {{"id", id}})), "record.unknown");
  const Json nodes = must(top_->call("quarantine.list", Json::object()))["nodes"];
  ASSERT_EQ(nodes.size(), 1U);
  EXPECT_EQ(nodes[0]["code"], "KE");
  EXPECT_EQ(nodes[0]["reason"], "stolen");
  EXPECT_NE(nodes[0]["shown"].dump().find("Boats"), std::string::npos);
  EXPECT_EQ(must(top_->call("status", Json::object()))["needs_person"][0]["code"], "quarantine");
  // Dropped, it is no work any more, also after a restart, and can be admitted all the same.
  EXPECT_EQ(must(top_->call("quarantine.drop", {{"code", "KE"}}))["dropped"], nodes[0]["entries"]);
  top_.reset();
  top_.emplace(top_config_);
  EXPECT_TRUE(must(top_->call("status", Json::object()))["needs_person"].empty());
  EXPECT_TRUE(must(top_->call("quarantine.list", Json::object()))["nodes"].empty());
  EXPECT_EQ(must(top_->call("quarantine.list", {{"dropped", true}}))["nodes"][0]["dropped"],
            nodes[0]["entries"]);
  EXPECT_EQ(code_of(top_->call("record.show", {{"id", id}})), "record.unknown");
  const Json admitted = must(top_->call("quarantine.admit", {{"code", "KE"}}));
  EXPECT_EQ(admitted["admitted"], nodes[0]["entries"]);
  EXPECT_EQ(admitted["left"], 0);
  EXPECT_EQ(must(top_->call("record.show", {{"id", id}}))["title"], "Boats");
  EXPECT_TRUE(must(top_->call("quarantine.list", Json::object()))["nodes"].empty());
  EXPECT_EQ(code_of(top_->call("quarantine.admit", {{"code", "KE"}})), "quarantine.empty");
}

// Bytes of the log that went bad are neither sent nor served, and nobody waits for a daemon that
// can do neither.
TEST_F(Family, ADaemonThatCannotReadItsLogSaysSoAndGoesOnServing) {
  ASSERT_TRUE(reaches_the_top(endorsed("Boats")));
  top_config_.sync.listen = top_->listens_at();
  top_.reset();
  endorsed("Rafts");
  child_.reset();
  change_rows(child_config_.node.data + "/chapterd.db",
              "UPDATE piece SET body = zeroblob(length(body)) WHERE lane = 2");  // no statements
  child_.emplace(child_config_);
  top_.emplace(top_config_);
  EXPECT_TRUE(comes_true(
      [&] { return !must(child_->call("status", Json::object()))["degraded_ms"].is_null(); }));
  EXPECT_TRUE(child_->stop());
}

// Its child is connected and knows that only statements count for now: it must not take another
// call, or ten minutes, until both go on.
TEST_F(Family, OpenLinksOfARestoredTopExchangeEverythingAsSoonAsAPersonReassertsIt) {
  ASSERT_TRUE(reaches_the_top(endorsed("Boats")));
  top_config_.sync.listen = top_->listens_at();
  top_.reset();
  std::filesystem::remove(top_config_.node.data + "/instance");  // as in a backup
  const std::string id = endorsed("Rafts");
  top_.emplace(top_config_);
  ASSERT_TRUE(comes_true([&] {
    return must(child_->call("peers.list", Json::object()))["peers"][0]["state"] == "connected";
  }));
  EXPECT_EQ(code_of(top_->call("record.show", {{"id", id}})), "record.unknown");
  EXPECT_EQ(must(top_->call("restore.reassert", Json::object()))["waited"], true);
  EXPECT_TRUE(reaches_the_top(id));
}

TEST_F(Family, AnInviteLetsOnlyOneNodeIn) {
  const auto second = join_online(place_.config("second"), invite_, "another laptop");
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, "invite.used");
  EXPECT_EQ(second.error().kind, Errc::not_allowed);
  const auto status = ask(place_.config("second"), "status", Json::object());
  EXPECT_EQ(code_of(status), "invite.used") << "and not that it should be tried once more";
  EXPECT_EQ(status.error().next, second.error().next);
}

TEST_F(Family, JoiningWhereNobodyListensKeepsTheRequest) {
  const Config late = place_.config("late");
  const std::string text =
      must(top_->call("invite.create", {{"code", "TZ"}, {"name", "Tanzania"}}))["invite"];
  top_config_.sync.listen = top_->listens_at();
  top_.reset();
  EXPECT_EQ(code_of(join_online(late, text, "laptop")), "net.unreachable");
  EXPECT_EQ(code_of(ask(late, "status", Json::object())), "join.pending");
  top_.emplace(top_config_);
  EXPECT_EQ(must(join_online(late, text, "laptop"))["chapter"], "TZ");
}

TEST_F(Family, AGrandchildJoinedByFileReachesTheTopThroughItsParent) {
  const Config field = place_.config("field");
  const std::string text =
      must(child_->call("invite.create", {{"code", "KE-17"}, {"name", "Kisumu"}}))["invite"];
  const Json asked = must(prepare_join(field, text, "stick"));
  const Json answer = must(child_->call("join.answer", {{"request", asked["request"]}}));
  must(finish_join(field, *from_base32(answer["answer"].get<std::string>())));
  RunningDaemon grandchild(field);
  const std::string id = endorsed_insight(
      [&](const std::string& verb, const Json& args) { return grandchild.call(verb, args); },
      "Rafts");
  EXPECT_TRUE(comes_true([&] {
    return must(grandchild.call("record.where", {{"id", id}}))["summary"] == "global";
  })) << must(grandchild.call("record.where", {{"id", id}}));
  EXPECT_EQ(must(top_->call("record.show", {{"id", id}}))["home_code"], "KE-17");
}

}  // namespace
}  // namespace chapterd::testing
