// A daemon that cannot start says why, and leaves everything as it was.
#include "daemon/control/control_client.h"
#include "daemon/operations/node_caller.h"
#include "tests/daemon/operations_support.h"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <filesystem>
#include <fstream>

namespace chapterd::testing {
namespace {

namespace fs = std::filesystem;

class Starting : public ::testing::Test {
 protected:
  Starting() {
    found(config_);
    record_ = must(
        ask(config_, "record.add", {{"kind", "insight"}, {"fields", {{"title", "Boats"}}}}))["id"];
  }

  static Error refusal(const Config& config) {
    const auto daemon = Daemon::open(config);
    return daemon ? Error(Errc::failed, "it-started", "") : daemon.error();
  }

  // Runs SQL on the database behind everybody's back.
  void tamper(const char* sql) const {
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open((config_.node.data + "/chapterd.db").c_str(), &db), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(db, sql, nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(db);
    sqlite3_close(db);
  }

  void expect_record() {
    EXPECT_EQ(must(ask(config_, "record.show", {{"id", record_}}))["title"], "Boats");
  }

  Place place_;
  Config config_ = place_.config("top");
  std::string record_;
};

TEST_F(Starting, NeedsAFolderWithANode) {
  EXPECT_EQ(refusal(place_.config("nowhere")).code, "folder.missing");
  fs::create_directory(place_.path("empty"));
  fs::permissions(place_.path("empty"), fs::perms::owner_all);
  const Error error = refusal(place_.config("empty"));
  EXPECT_EQ(error.code, "node.not-initialised");
  EXPECT_EQ(error.kind, Errc::not_found);
}

TEST_F(Starting, RefusesAFolderThatOthersCanRead) {
  fs::permissions(config_.node.data, fs::perms::group_read, fs::perm_options::add);
  const Error error = refusal(config_);
  EXPECT_EQ(error.code, "folder.open-to-others");
  EXPECT_EQ(error.kind, Errc::not_allowed);
  fs::permissions(config_.node.data, fs::perms::owner_all);
  expect_record();
}

TEST_F(Starting, RefusesASecondDaemonAndTheFirstGoesOn) {
  RunningDaemon first(config_);
  const Error error = refusal(config_);
  EXPECT_EQ(error.code, "folder.in-use");
  EXPECT_EQ(error.kind, Errc::failed);
  EXPECT_FALSE(error.safe.empty());
  EXPECT_EQ(must(first.call("record.show", {{"id", record_}}))["title"], "Boats");
}

TEST_F(Starting, RefusesAPortThatIsTaken) {
  const RunningDaemon first(config_);
  Config other = place_.config("other");
  found(other);
  other.sync.listen = first.listens_at();
  const Error error = refusal(other);
  EXPECT_EQ(error.code, "net.listen");
  EXPECT_EQ(error.kind, Errc::failed);
  other.sync.listen = "127.0.0.1:0";
  const RunningDaemon now(other);  // nothing was left behind that is in its way
}

TEST_F(Starting, RefusesADatabaseOfANewerVersionUnchanged) {
  tamper("PRAGMA user_version = 99");
  const Error error = refusal(config_);
  EXPECT_EQ(error.code, "store.newer-schema");
  EXPECT_EQ(error.kind, Errc::not_compatible);
  tamper("PRAGMA user_version = 1");
  expect_record();
}

TEST_F(Starting, RefusesADatabaseThatIsNone) {
  fs::rename(config_.node.data + "/chapterd.db", place_.path("kept.db"));
  std::ofstream(config_.node.data + "/chapterd.db") << std::string(5000, 'x');
  const Error error = refusal(config_);
  EXPECT_TRUE(error.code == "node.database-lost" || error.code == "store.damaged") << error.code;
  fs::remove(config_.node.data + "/chapterd.db");
  fs::rename(place_.path("kept.db"), config_.node.data + "/chapterd.db");
  expect_record();
}

TEST_F(Starting, RefusesADamagedDatabase) {
  {
    std::fstream file(config_.node.data + "/chapterd.db",
                      std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(100);
    file << std::string(4000, '\x5A');
  }
  const Error error = refusal(config_);
  EXPECT_TRUE(error.code == "store.damaged" || error.code == "store.broken") << error.code;
  EXPECT_FALSE(error.safe.empty());
}

TEST_F(Starting, RefusesTheKeyOfAnotherNode) {
  const Config other = place_.config("other");
  found(other);
  fs::copy_file(other.node.data + "/node.key", config_.node.data + "/node.key",
                fs::copy_options::overwrite_existing);
  EXPECT_EQ(refusal(config_).code, "node.other-key");
}

TEST_F(Starting, VerifyFindsAChangedByte) {
  tamper(
      "UPDATE piece SET body = cast(substr(body, 1, 80) || x'5A5A5A' || substr(body, 84) AS BLOB) "
      "WHERE arrival = (SELECT max(arrival) FROM piece)");
  const Json verified = must(ask(config_, "verify", Json::object()));
  EXPECT_EQ(verified["ok"], false);
  ASSERT_FALSE(verified["faults"].empty());
  EXPECT_FALSE(verified["faults"][0]["what"].get<std::string>().empty());
}

TEST_F(Starting, VerifyFindsAMissingPiece) {
  tamper("DELETE FROM piece WHERE arrival = (SELECT max(arrival) FROM piece)");
  EXPECT_EQ(must(ask(config_, "verify", Json::object()))["ok"], false);
}

TEST_F(Starting, TellsADamagedRecordAndMendsItByARebuild) {
  tamper(
      "UPDATE layer SET state = cast(substr(state, 1, 40) || x'5A5A5A' || substr(state, 44) AS "
      "BLOB)");
  RunningDaemon daemon(config_);
  EXPECT_EQ(code_of(daemon.call("record.show", {{"id", record_}})), "store.damaged-layer");
  const Json verified = must(daemon.call("verify", Json::object()));
  EXPECT_EQ(verified["ok"], false);
  EXPECT_NE(verified["faults"].dump().find("rebuild"), std::string::npos);
  must(daemon.call("rebuild", Json::object()));
  EXPECT_EQ(must(daemon.call("record.show", {{"id", record_}}))["title"], "Boats");
  EXPECT_EQ(must(daemon.call("verify", Json::object()))["ok"], true);
}

// Who edits it is told; everybody else is served.
TEST_F(Starting, EditingADamagedRecordIsRefusedInWordsAndAllElseGoesOn) {
  tamper(
      "UPDATE layer SET state = cast(substr(state, 1, 40) || x'5A5A5A' || substr(state, 44) AS "
      "BLOB) WHERE newest = (SELECT max(newest) FROM layer)");
  RunningDaemon daemon(config_);
  EXPECT_TRUE(must(daemon.call("status", Json::object()))["degraded_ms"].is_null());
  const Json edit = {{"id", record_}, {"edit", {{"set", {{"title", "Ferries"}}}}}};
  const auto edited = daemon.call("record.edit", edit);
  EXPECT_EQ(code_of(edited), "store.damaged-layer");
  EXPECT_FALSE(edited.error().safe.empty());
  EXPECT_NE(edited.error().next.find("chapterd verify"), std::string::npos);
  const Json other =
      must(daemon.call("record.add", {{"kind", "insight"}, {"fields", {{"title", "Other"}}}}));
  must(daemon.call("record.edit", {{"id", other["id"]}, {"edit", {{"set", {{"title", "New"}}}}}}));

  const Json status = must(daemon.call("status", Json::object()));
  EXPECT_FALSE(status["degraded_ms"].is_null());
  EXPECT_NE(status["needs_person"].dump().find("store.damaged-layer"), std::string::npos);
  must(daemon.call("rebuild", Json::object()));
  EXPECT_EQ(must(daemon.call("verify", Json::object()))["ok"], true);
  EXPECT_TRUE(must(daemon.call("status", Json::object()))["degraded_ms"].is_null());
  must(daemon.call("record.edit", edit));
  EXPECT_EQ(must(daemon.call("record.show", {{"id", record_}}))["title"], "Ferries");
}

TEST_F(Starting, WhatCannotBeReadAnyMoreEndsOnlyTheCallThatMeetsIt) {
  tamper("DELETE FROM piece WHERE arrival = (SELECT max(arrival) FROM piece)");
  RunningDaemon daemon(config_);
  EXPECT_EQ(code_of(daemon.call("record.explain", {{"id", record_}})), "store.damaged");
  EXPECT_EQ(must(daemon.call("record.show", {{"id", record_}}))["title"], "Boats");
  EXPECT_FALSE(must(daemon.call("status", Json::object()))["degraded_ms"].is_null());
  EXPECT_TRUE(daemon.stop());
}

TEST_F(Starting, WithoutADaemonADamagedRecordIsToldToo) {
  tamper("UPDATE layer SET state = x'FF'");
  const auto caller = std::move(*NodeCaller::open(config_));
  EXPECT_EQ(code_of(caller->call("record.show", {{"id", record_}})), "store.damaged-layer");
  const Json status = must(caller->call("status", Json::object()));
  EXPECT_NE(status["needs_person"].dump().find("store.damaged-layer"), std::string::npos);
}

TEST_F(Starting, FinishesARebuildThatWasCutShort) {
  tamper(
      "DELETE FROM layer; DELETE FROM kind_layers; "
      "INSERT INTO named_value(name, value) VALUES('rebuild/next', x'0000000000000000')");
  RunningDaemon daemon(config_);
  EXPECT_EQ(must(daemon.call("record.show", {{"id", record_}}))["title"], "Boats");
}

}  // namespace
}  // namespace chapterd::testing
