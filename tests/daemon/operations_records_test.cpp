// Verbs about records, called in this process.
#include "daemon/operations/node_caller.h"
#include "tests/daemon/operations_support.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace chapterd::testing {
namespace {

class Records : public ::testing::Test {
 protected:
  Records() {
    found(config_);
    caller_ = std::move(*NodeCaller::open(config_));
  }

  Result<Json> call(const std::string& verb, const Json& args) { return caller_->call(verb, args); }

  Json add(const std::string& title) {
    return must(call("record.add", {{"kind", "insight"}, {"fields", {{"title", title}}}}));
  }

  std::string endorsed(const std::string& title) {
    return endorsed_insight(
        [this](const std::string& verb, const Json& args) { return call(verb, args); }, title);
  }

  Place place_;
  Config config_ = place_.config("top");
  std::unique_ptr<Caller> caller_;
};

TEST_F(Records, AddAnswersWithWhereItWasWritten) {
  const Json made = add("Boats");
  EXPECT_EQ(made["kind"], "insight");
  EXPECT_EQ(made["state"], "draft");
  EXPECT_EQ(made["id"].get<std::string>().size(), 36U);
  EXPECT_EQ(made["id"].get<std::string>()[14], '7');  // the version of the UUID
  ASSERT_EQ(made["written"].size(), 1U);
  EXPECT_EQ(made["written"][0]["audience"], "chapter");
  EXPECT_EQ(made["written"][0]["seq"], 2);  // the first one hands the chapter's key to its node
}

TEST_F(Records, StepsBehindAWriteAreTakenWithItOrNothingIsWritten) {
  const Json few = {{"kind", "insight"}, {"fields", {{"title", "x"}}}, {"then", {"submit"}}};
  const auto refused = call("record.add", few);
  EXPECT_EQ(code_of(refused), "field.required");
  EXPECT_NE(refused.error().what.find("submit"), std::string::npos);
  EXPECT_EQ(
      code_of(call("record.add",
                   {{"kind", "insight"}, {"fields", {{"title", "x"}}}, {"then", {"submitt"}}})),
      "verb.unknown");
  EXPECT_TRUE(must(call("record.list", {{"kind", "insight"}}))["rows"].empty());

  const Json theme =
      must(call("record.add", {{"kind", "theme"},
                               {"fields", {{"code", "goods"}, {"title", {{"en", "Goods"}}}}}}));
  const Json made = must(call("record.add", {{"kind", "insight"},
                                             {"fields", complete_insight("Boats", theme["id"])},
                                             {"then", {"submit", "endorse"}}}));
  EXPECT_EQ(made["state"], "endorsed");
  const Json edited = {{"set", {{"title", "Boats 2"}}}};
  EXPECT_EQ(
      code_of(call("record.edit", {{"id", made["id"]}, {"edit", edited}, {"then", {"submit"}}})),
      "state.from");
  EXPECT_EQ(must(call("record.show", {{"id", made["id"]}}))["title"], "Boats");
  must(call("record.edit", {{"id", made["id"]}, {"edit", edited}, {"then", {"correct"}}}));
  const Json shown = must(call("record.show", {{"id", made["id"]}}));
  EXPECT_EQ(shown["title"], "Boats 2");
  EXPECT_EQ(shown["audiences"]["title"], "up");
}

TEST_F(Records, AreStillThereWhenTheFolderIsOpenedAgain) {
  const std::string id = add("Boats")["id"];
  caller_.reset();
  caller_ = std::move(*NodeCaller::open(config_));
  EXPECT_EQ(must(call("record.show", {{"id", id}}))["title"], "Boats");
}

TEST_F(Records, EditChangesOnlyWhatWasGiven) {
  const std::string id = add("Boats")["id"];
  must(call("record.edit", {{"id", id}, {"edit", {{"set", {{"evidence", "Three reports"}}}}}}));
  const Json shown = must(call("record.show", {{"id", id}}));
  EXPECT_EQ(shown["fields"]["title"], "Boats");
  EXPECT_EQ(shown["fields"]["evidence"], "Three reports");
  EXPECT_EQ(shown["home_code"], "GLOBAL");
  ASSERT_EQ(shown["layers"].size(), 1U);
}

TEST_F(Records, EndorsedWordsGoUpAndConfidentialOnesStay) {
  const std::string id = endorsed("Boats");
  const Json shown = must(call("record.show", {{"id", id}}));
  EXPECT_EQ(shown["state"], "endorsed");
  EXPECT_EQ(shown["audience"], "up");
  EXPECT_EQ(shown["audiences"]["title"], "up");
  EXPECT_EQ(shown["audiences"]["raw_notes"], "chapter");
  // There is nobody above the top, so what goes up stays there too.
  EXPECT_EQ(must(call("record.where", {{"id", id}}))["stays"], Json({"chapter", "up"}));
}

TEST_F(Records, ALargeOneWrittenInStepsCanBeEndorsed) {
  const Json theme =
      must(call("record.add", {{"kind", "theme"},
                               {"fields", {{"code", "goods"}, {"title", {{"en", "Goods"}}}}}}));
  const Json made = must(call(
      "record.add", {{"kind", "insight"}, {"fields", complete_insight("Boats", theme["id"])}}));
  const std::string much(20'000, 'x');
  for (const char* name : {"what_happened", "what_was_learned", "evidence", "raw_notes"})
    must(call("record.edit", {{"id", made["id"]}, {"edit", {{"set", {{name, much}}}}}}));
  must(call("record.move", {{"id", made["id"]}, {"verb", "submit"}}));
  const Json moved = must(call("record.move", {{"id", made["id"]}, {"verb", "endorse"}}));
  EXPECT_EQ(moved["state"], "endorsed");
  const Json shown = must(call("record.show", {{"id", made["id"]}}));
  EXPECT_EQ(shown["audiences"]["evidence"], "up");
  EXPECT_EQ(shown["fields"]["what_happened"], much);
  EXPECT_EQ(must(call("verify", Json::object()))["ok"], true);
}

TEST_F(Records, ABareIdInALinkIsMadeWhole) {
  const Json shown = must(call("record.show", {{"id", endorsed("Boats")}}));
  const std::string theme = shown["fields"]["themes"][0];
  EXPECT_NE(theme.find('/'), std::string::npos);
  const auto gone = call(
      "record.edit", {{"id", shown["id"]},
                      {"edit", {{"add", {{"themes", {"0190163d-8694-739b-aea5-966c26f8ad91"}}}}}}});
  EXPECT_EQ(code_of(gone), "record.unknown");
}

TEST_F(Records, ListShowsTheNewestFirstPageByPage) {
  for (const char* title : {"one", "two", "three"}) add(title);
  const Json first = must(call("record.list", {{"kind", "insight"}, {"limit", 2}}));
  ASSERT_EQ(first["rows"].size(), 2U);
  EXPECT_EQ(first["rows"][0]["title"], "three");
  EXPECT_EQ(first["rows"][1]["title"], "two");
  ASSERT_TRUE(first["next"].is_string());
  const Json rest = must(call("record.list", {{"kind", "insight"}, {"after", first["next"]}}));
  ASSERT_EQ(rest["rows"].size(), 1U);
  EXPECT_EQ(rest["rows"][0]["title"], "one");
  EXPECT_TRUE(rest["next"].is_null());
}

TEST_F(Records, ListFiltersByState) {
  add("a draft");
  const std::string id = endorsed("out");
  const Json rows = must(
      call("record.list", {{"kind", "insight"}, {"state", "endorsed"}, {"mine", true}}))["rows"];
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0]["id"], id);
  EXPECT_EQ(rows[0]["fields"]["confidence"], "high");
}

TEST_F(Records, DeletedOnesAreNotListed) {
  const std::string id = add("Boats")["id"];
  must(call("record.delete", {{"id", id}}));
  EXPECT_TRUE(must(call("record.list", {{"kind", "insight"}}))["rows"].empty());
  EXPECT_EQ(must(call("record.show", {{"id", id}}))["deleted"], true);
  EXPECT_EQ(code_of(call("record.edit", {{"id", id}, {"edit", {{"set", {{"title", "x"}}}}}})),
            "record.deleted");
}

TEST_F(Records, ExplainNamesTheEntryBehindEachValue) {
  const std::string id = add("Boats")["id"];
  must(call("record.edit", {{"id", id}, {"edit", {{"set", {{"title", "Rafts"}}}}}}));
  const Json told = must(call("record.explain", {{"id", id}}));
  ASSERT_EQ(told["entries"].size(), 2U);
  EXPECT_EQ(told["entries"][1]["operations"][0]["field"], "title");
  EXPECT_EQ(told["entries"][1]["operations"][0]["supersedes"], 1);
  EXPECT_EQ(told["entries"][1]["chapter"], "GLOBAL");
  const std::string hash = told["entries"][1]["hash"].get<std::string>().substr(0, 16);
  EXPECT_NE(told["fields"]["title"][0].get<std::string>().find(hash), std::string::npos);
}

TEST_F(Records, WhereSaysThatTheGlobalChapterHoldsItsOwnWork) {
  const Json where = must(call("record.where", {{"id", endorsed("Boats")}}));
  EXPECT_EQ(where["summary"], "global");
  EXPECT_EQ(where["title"], "Boats");
  ASSERT_EQ(where["stages"].size(), 2U);
  EXPECT_EQ(where["stages"][1]["at"], "global");
}

TEST_F(Records, WhereSaysThatAnEditOfAnEndorsedOneWaitsHere) {
  const std::string id = endorsed("Boats");
  must(call("record.edit", {{"id", id}, {"edit", {{"set", {{"title", "Boats 2"}}}}}}));
  const Json waiting = must(call("record.where", {{"id", id}}));
  EXPECT_EQ(waiting["title"], "Boats 2");
  EXPECT_EQ(waiting["waits"], Json({"title"}));
  EXPECT_EQ(waiting["next"], Json({"correct"}));
  must(call("record.move", {{"id", id}, {"verb", "correct"}}));
  const Json carried = must(call("record.where", {{"id", id}}));
  EXPECT_TRUE(carried["waits"].empty()) << carried.dump();
}

TEST_F(Records, WhereTellsTheStepsThatLeadADraftOn) {
  const Json where = must(call("record.where", {{"id", add("Boats")["id"]}}));
  EXPECT_EQ(where["state"], "draft");
  EXPECT_EQ(where["next"], Json({"submit"}));
  EXPECT_TRUE(where["waits"].empty());
}

TEST_F(Records, StatusCountsThemAndTellsWhoThisIs) {
  add("Boats");
  const Json status = must(call("status", Json::object()));
  EXPECT_EQ(status["records"]["insight"], 1);
  EXPECT_EQ(status["chapter"]["code"], "GLOBAL");
  EXPECT_EQ(status["chapter"]["name"], "The top");
  EXPECT_EQ(status["federation"]["name"], "Test federation");
  EXPECT_EQ(status["node"]["name"], "top machine");
  EXPECT_EQ(status["daemon"], false);
  EXPECT_EQ(status["work"][0]["held"], 2);  // and the entry that hands out the chapter's key
  EXPECT_TRUE(status["needs_person"].empty());
  EXPECT_GT(status["disk_free_bytes"].get<std::uint64_t>(), 0U);
}

TEST_F(Records, RebuildMakesTheSameViewsAgain) {
  endorsed("Boats");
  const Json before = must(call("views", Json::object()));
  EXPECT_GE(must(call("rebuild", Json::object()))["entries"].get<std::uint64_t>(), 4U);
  EXPECT_EQ(must(call("views", Json::object())), before);
  EXPECT_GE(before["spaces"].size(), 3U);
}

TEST_F(Records, VerifyFindsASoundDatabaseSound) {
  endorsed("Boats");
  const Json verified = must(call("verify", Json::object()));
  EXPECT_EQ(verified["ok"], true) << verified.dump();
  EXPECT_GE(verified["entries"].get<std::uint64_t>(), 5U);
}

TEST_F(Records, VerifyCountsWhatADamagedDiskTook) {
  for (int i = 0; i < 40; ++i)
    must(call(
        "record.add",
        {{"kind", "insight"},
         {"fields", {{"title", std::to_string(i)}, {"what_happened", std::string(3'000, 'x')}}}}));
  caller_.reset();
  const std::string path = config_.node.data + "/chapterd.db";
  const auto pages = std::filesystem::file_size(path) / 4096;
  int damaged = 0;
  for (std::uintmax_t page = 1; page + 2 < pages; page += 7) {
    const std::string copy = place_.path("copy.db");
    std::filesystem::copy_file(path, copy, std::filesystem::copy_options::overwrite_existing);
    std::fstream(path, std::ios::in | std::ios::out | std::ios::binary)
        .seekp(static_cast<std::streamoff>(page * 4096))
        .write(std::string(8192, '\0').data(), 8192);
    const auto verified = ask(config_, "verify", Json::object());
    if (verified) {
      EXPECT_EQ((*verified)["ok"], false) << page;
      EXPECT_GT((*verified)["found"], 0);
      ++damaged;
    } else {
      EXPECT_EQ(verified.error().code, "store.damaged") << page;
      EXPECT_EQ(verified.error().kind, Errc::check_failed);
    }
    std::filesystem::rename(copy, path);
  }
  EXPECT_GT(damaged, 0);
}

struct BadCall {
  const char* verb;
  const char* args;
  const char* code;
  Errc kind;
};

const BadCall bad_calls[] = {
    {"record.ad", "{}", "verb.unknown", Errc::usage},
    {"record.add", "[]", "argument.type", Errc::usage},
    {"record.add", "{}", "argument.missing", Errc::usage},
    {"record.add", R"({"kind": 3})", "argument.type", Errc::usage},
    {"record.add", R"({"kind": "insigt"})", "kind.unknown", Errc::usage},
    {"record.add", R"({"kind": "response"})", "kind.unknown", Errc::usage},
    {"record.add", R"({"kind": "insight", "feilds": {}})", "argument.unknown", Errc::usage},
    {"record.add", R"({"kind": "insight", "fields": []})", "argument.type", Errc::usage},
    {"record.add", R"({"kind": "insight"})", "field.required", Errc::usage},
    {"record.add", R"({"kind": "insight", "fields": {"titel": "x"}})", "field.unknown",
     Errc::usage},
    {"record.add", R"({"kind": "insight", "fields": {"title": 3}})", "field.type", Errc::usage},
    {"record.show", R"({"id": "x"})", "record.id", Errc::usage},
    {"record.show", R"({"id": "0190163d-8694-739b-aea5-966c26f8ad91"})", "record.unknown",
     Errc::not_found},
    {"record.edit", R"({"id": "0190163d-8694-739b-aea5-966c26f8ad91"})", "record.unknown",
     Errc::not_found},
    {"record.list", R"({"kind": "insight", "limit": 0})", "argument.range", Errc::usage},
    {"record.list", R"({"kind": "insight", "limit": -1})", "argument.range", Errc::usage},
    {"record.list", R"({"kind": "insight", "after": "-3"})", "argument.token", Errc::usage},
    {"record.list", R"({"kind": "insight", "after": "9x"})", "argument.token", Errc::usage},
    {"record.list", R"({"kind": "insight", "state": "drafted"})", "state.unknown", Errc::usage},
    {"record.list", R"({"kind": "insight", "mine": "yes"})", "argument.type", Errc::usage},
    {"sync.now", "{}", "daemon.not-running", Errc::unreachable},
    {"status", R"({"all": true})", "argument.unknown", Errc::usage},
    {"invite.create", R"({"code": "ke"})", "chapter.code", Errc::usage},
    {"invite.create", R"({"code": "KE", "name": "a\nb"})", "argument.name", Errc::usage},
    {"invite.create", R"({"code": "GLOBAL"})", "chapter.code-taken", Errc::not_allowed},
    {"invite.create", R"({"code": "KE", "level": 99})", "argument.range", Errc::usage},
    {"invite.create", R"({"code": "KE", "addresses": ["nowhere"]})", "invite.address", Errc::usage},
    {"invite.create", R"({"code": "KE", "hours": 0})", "argument.range", Errc::usage},
    {"invite.revoke", R"({"id": "00"})", "invite.unknown", Errc::not_found},
    {"join.answer", R"({"request": "AAAA"})", "invite.request", Errc::malformed},
    {"peers.revoke", R"({"reason": "x"})", "argument.missing", Errc::usage},
    {"peers.revoke", R"({"code": "KE", "reason": "x"})", "peers.unknown", Errc::not_found},
    {"peers.revoke", R"({"code": "GLOBAL", "reason": "x"})", "peers.not-below", Errc::not_allowed},
    {"jee.framework", R"({"framework_json": "{"})", "framework.form", Errc::usage},
    {"jee.import", R"({"csv": "a,b\n", "round": "x"})", "jee.columns", Errc::malformed},
    {"rollup.show", R"({"round": "0190163d-8694-739b-aea5-966c26f8ad91"})", "record.unknown",
     Errc::not_found},
};

TEST_F(Records, BadCallsAreToldFromEachOtherAndChangeNothing) {
  add("Boats");
  const Json before = must(call("views", Json::object()));
  for (const BadCall& bad : bad_calls) {
    const auto answer = call(bad.verb, Json::parse(bad.args));
    ASSERT_FALSE(answer) << bad.verb << " " << bad.args;
    EXPECT_EQ(answer.error().code, bad.code) << bad.verb << " " << bad.args;
    EXPECT_EQ(answer.error().kind, bad.kind) << bad.verb << " " << bad.args;
    EXPECT_FALSE(answer.error().what.empty()) << bad.verb << " " << bad.args;
    EXPECT_FALSE(answer.error().next.empty()) << bad.verb << " " << bad.args;
  }
  EXPECT_EQ(must(call("views", Json::object())), before);
}

TEST_F(Records, TextThatIsNotUtf8IsRefused) {
  const Json fields = {{"title", "\xC3\x28"}};
  EXPECT_EQ(code_of(call("record.add", {{"kind", "insight"}, {"fields", fields}})),
            "argument.utf8");
  EXPECT_EQ(code_of(call("record.show", {{"\xFF", 1}})), "argument.utf8");
  EXPECT_EQ(code_of(call("\xFF", Json::object())), "verb.unknown");
}

TEST_F(Records, UnknownKindsAndVerbsComeWithASuggestion) {
  const auto kind = call("record.add", {{"kind", "insigt"}});
  EXPECT_NE(kind.error().what.find("insight"), std::string::npos);
  const auto verb = call("record.shwo", Json::object());
  EXPECT_NE(verb.error().what.find("record.show"), std::string::npos);
}

TEST_F(Records, AFieldThatIsTooLargeForOneChangeIsRefusedWhole) {
  Json fields = {{"title", "Boats"}, {"evidence", ""}};
  for (int i = 0; i < 20'000; ++i) fields["evidence"].get_ref<std::string&>() += "क";
  const auto answer = call("record.add", {{"kind", "insight"}, {"fields", fields}});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, Errc::usage);
  EXPECT_TRUE(must(call("record.list", {{"kind", "insight"}}))["rows"].empty());
}

}  // namespace
}  // namespace chapterd::testing
