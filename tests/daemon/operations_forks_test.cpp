// A copied folder, as the chapter above sees it: told, shown, ended, and what was set aside looked
// at.
#include "daemon/operations/new_node.h"
#include "daemon/operations/opened_node.h"
#include "replication/verified.h"
#include "tests/daemon/operations_support.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

namespace chapterd::testing {
namespace {

// What a node wrote goes to another one without a network.
void carry(const Config& from, const Config& to) {
  const auto author = OpenedNode::open(from);
  const auto reader = OpenedNode::open(to);
  ASSERT_TRUE(author && reader);
  const Directory& directory = (*author)->replica().directory();
  const FederationId federation = directory.authority().federation();
  PieceVerifier verifier(federation);
  ReceivedWindow window;
  window.peer = directory.self();
  for (const FeedRow row : directory.own_feeds()) {
    const KnownFeed& feed = directory.feed(row);
    if (feed.intro.audience == Audience::chapter) continue;
    const auto offer =
        std::make_shared<FeedOffer>(FeedOffer{feed.head.feed, feed.intro, feed.intro_bytes});
    for (const StoredPiece& stored : (*author)->store().pieces_of(row, Sequence(1), SIZE_MAX)) {
      auto piece = decode_piece(stored.body);
      ASSERT_TRUE(piece);
      if (stored.seq != Sequence(1)) piece->prev = stored.prev;
      if (!piece->checkpoint)
        piece->checkpoint = sign_checkpoint((*author)->parts().key, federation,
                                            Head{feed.head.feed, piece->last(), stored.last});
      auto checked = verifier.verify({offer, Head{feed.head.feed, {}, {}}, encode(*piece), false});
      ASSERT_TRUE(checked) << checked.error().code;
      window.pieces.push_back(std::move(*checked));
    }
  }
  for (const RefusedPiece& refused : (*reader)->replica().receive(std::move(window)).refused)
    EXPECT_EQ(refused.error.code, "");
  (*reader)->replica().commit();
}

class CopiedFolder : public ::testing::Test {
 protected:
  // Kenya's folder is copied; then both write, and the chapter above gets all of it.
  CopiedFolder() {
    found(top_);
    {
      RunningDaemon running(top_);
      const Json invite = must(running.call("invite.create", {{"code", "KE"}, {"name", "Kenya"}}));
      must(join_online(kenya_, invite["invite"], "laptop"));
    }
    std::filesystem::copy(kenya_.node.data, copy_.node.data,
                          std::filesystem::copy_options::recursive);
    first_ = endorsed(kenya_, "Boats");
    second_ = endorsed(copy_, "Rafts");
    carry(kenya_, top_);
    carry(copy_, top_);
  }

  static std::string endorsed(const Config& config, const std::string& title) {
    return endorsed_insight(
        [&](const std::string& verb, const Json& args) { return ask(config, verb, args); }, title);
  }

  [[nodiscard]] Json forks() const { return must(ask(top_, "fork.list", Json::object()))["nodes"]; }

  [[nodiscard]] bool is_told(const std::string& code) const {
    const Json status = must(ask(top_, "status", Json::object()));
    return std::ranges::any_of(status["needs_person"],
                               [&](const Json& need) { return need["code"] == code; });
  }

  [[nodiscard]] bool shows(const std::string& id) const {
    return ask(top_, "record.show", {{"id", id}}).has_value();
  }

  Place place_;
  Config top_ = place_.config("top");
  Config kenya_ = place_.config("kenya");
  Config copy_ = place_.config("copy");
  std::string first_;
  std::string second_;
};

TEST_F(CopiedFolder, IsToldAndProvedAndWhatBothWroteIsThere) {
  EXPECT_TRUE(shows(first_));
  EXPECT_TRUE(shows(second_));
  EXPECT_TRUE(is_told("fork"));
  const Json nodes = forks();
  ASSERT_EQ(nodes.size(), 1U);
  EXPECT_EQ(nodes[0]["code"], "KE");
  EXPECT_EQ(nodes[0]["computer"], "laptop");
  EXPECT_EQ(nodes[0]["own"], false);
  EXPECT_EQ(nodes[0]["open"], true);
  for (const Json& feed : nodes[0]["feeds"]) {
    EXPECT_EQ(feed["branches"].size(), 2U);
    EXPECT_EQ(feed["proved"], true);
    EXPECT_EQ(feed["ended"], false);
  }
  EXPECT_EQ(must(ask(top_, "verify", Json::object()))["ok"], true);
  EXPECT_EQ(must(ask(top_, "verify", Json::object()))["forked"], nodes[0]["feeds"].size());
}

TEST_F(CopiedFolder, TheChapterAboveEndsItAndEverythingCounts) {
  const Json answer = must(ask(top_, "fork.close", {{"code", "KE"}}));
  EXPECT_EQ(answer["set_aside"], 0);
  EXPECT_EQ(forks()[0]["open"], false);
  EXPECT_FALSE(is_told("fork"));
  EXPECT_TRUE(shows(first_));
  EXPECT_TRUE(shows(second_));
}

TEST_F(CopiedFolder, OnlyTheHistoriesThatWereNamedCountAndTheOtherCanBeAdmitted) {
  Json keep = Json::array();
  const Json nodes = forks();
  for (const Json& feed : nodes[0]["feeds"]) keep.push_back(feed["branches"][0]["branch"]);
  const Json answer = must(ask(top_, "fork.close", {{"code", "KE"}, {"keep", keep}}));
  EXPECT_GT(answer["set_aside"], 0);
  EXPECT_TRUE(shows(first_));
  EXPECT_FALSE(shows(second_));
  const Json aside = must(ask(top_, "quarantine.list", Json::object()))["nodes"];
  ASSERT_EQ(aside.size(), 1U);
  EXPECT_EQ(aside[0]["revoked"], false);
  EXPECT_TRUE(is_told("quarantine"));
  EXPECT_EQ(must(ask(top_, "quarantine.admit", {{"code", "KE"}}))["left"], 0);
  EXPECT_TRUE(shows(second_));
}

const Json as_second = {{"name", "second"}, {"take_unsent", true}};

TEST_F(CopiedFolder, NothingIsMovedBeforeTheNewNodeIsReady) {
  // No new key can be written, as on a full disk.
  for (const char* name : {"copy/node.key.new", "copy/node.key.next.new"})
    std::filesystem::create_directory(place_.path(name));
  EXPECT_FALSE(make_new_node(copy_, as_second));
  EXPECT_TRUE(ask(copy_, "status", Json::object())) << "the copy is as it was";
}

TEST_F(CopiedFolder, BecomingANewNodeIsCompletedAfterAPowerCut) {
  namespace fs = std::filesystem;
  const Json made = must(make_new_node(copy_, as_second));
  const std::string folder = place_.path("copy/");
  fs::rename(folder + "node.key", folder + "node.key.next");
  fs::rename(folder + "chapterd.db", folder + "becoming.db");
  EXPECT_EQ(must(make_new_node(copy_, as_second))["node"], made["node"]);
  EXPECT_EQ(must(ask(copy_, "key.show", Json::object()))["node"], made["node"]);
  fs::rename(folder + "node.key", folder + "node.key.next");
  EXPECT_EQ(must(make_new_node(copy_, as_second))["node"], made["node"]);
  EXPECT_TRUE(ask(copy_, "status", Json::object()));
}

TEST_F(CopiedFolder, ANameThatIsNoneChangesNothing) {
  EXPECT_EQ(code_of(ask(top_, "fork.close", {{"code", "KE"}, {"keep", {"ffffffff"}}})),
            "fork.no-such-branch");
  EXPECT_EQ(code_of(ask(top_, "fork.close", {{"code", "UG"}})), "fork.none");
  EXPECT_EQ(forks()[0]["open"], true);
}

}  // namespace
}  // namespace chapterd::testing
