// Real daemons: a chapter with unsent work and a chapter below it goes from one parent to another.
#include "daemon/operations/founding.h"
#include "daemon/operations/opened_node.h"
#include "tests/daemon/operations_support.h"

#include <gtest/gtest.h>

#include <optional>

namespace chapterd::testing {
namespace {

// Hands every statement about the chapter that one folder holds to another, as a courier would.
void carry_move(const Config& from, const Config& to, const std::string& code) {
  Bytes statement;
  {
    const auto opened = OpenedNode::open(from);
    ASSERT_TRUE(opened) << opened.error().code;
    statement = (*opened)->replica().directory().authority().chapter_with_code(code)->statement;
  }
  const auto opened = OpenedNode::open(to);
  ASSERT_TRUE(opened) << opened.error().code;
  ASSERT_TRUE((*opened)->replica().write_statement(statement));
  (*opened)->replica().commit();
}

class Moving : public ::testing::Test {
 protected:
  struct Node {
    Config config;
    std::optional<RunningDaemon> daemon;

    void start() {
      daemon.emplace(config);
      config.sync.listen = daemon->listens_at();  // the same again after a restart
    }

    Json call(const std::string& verb, const Json& args) { return must(daemon->call(verb, args)); }
  };

  Moving() {
    found(top_.config);
    top_.start();
    join(kenya_, top_, "KE");
    join(uganda_, top_, "UG");
    join(kisumu_, kenya_, "KE-17");
    join(office_, kisumu_, "KE-17-1");
  }

  static void join(Node& child, Node& parent, const std::string& code) {
    const std::string invite =
        parent.call("invite.create", {{"code", code}, {"name", code}})["invite"];
    must(join_online(child.config, invite, "laptop"));
    child.start();
  }

  static std::string endorsed(Node& at, const std::string& title) {
    return endorsed_insight(
        [&](const std::string& verb, const Json& args) { return at.daemon->call(verb, args); },
        title);
  }

  // As much as one entry holds: written anew it has to name what it replaces, too.
  static std::string endorsed_large(Node& at) {
    const Json themes = at.call("record.list", {{"kind", "theme"}});
    Json much = complete_insight("Piers", themes["rows"][0]["id"]);
    much["shock"] = Json::array();
    for (int i = 0; i < 495; ++i)
      much["shock"].push_back(std::to_string(1000 + i) + std::string(76, 'x'));
    const std::string id = at.call("record.add", {{"kind", "insight"}, {"fields", much}})["id"];
    for (const char* verb : {"submit", "endorse"})
      at.call("record.move", {{"id", id}, {"verb", verb}});
    return id;
  }

  static bool shows(Node& at, const std::string& id) {
    return at.daemon->call("record.show", {{"id", id}}).has_value();
  }

  static bool has_need(Node& at, const std::string& code) {
    const Json status = at.call("status", Json::object());
    for (const Json& need : status["needs_person"]) {
      if (need["code"] == code) return true;
    }
    return false;
  }

  static bool caught_up_with(Node& at, const std::string& code) {
    const Json status = at.call("status", Json::object());
    const Json& first = status["peers"][0];
    return first["code"] == code && first["state"] == "connected" && first["caught_up"] == true;
  }

  static bool reaches(Node& from, Node& to, const std::string& id) {
    return comes_true([&] { return shows(to, id); }) && shows(from, id);
  }

  Place place_;
  Node top_{place_.config("top"), {}};
  Node kenya_{place_.config("kenya"), {}};
  Node uganda_{place_.config("uganda"), {}};
  Node kisumu_{place_.config("kisumu"), {}};
  Node office_{place_.config("office"), {}};
};

TEST_F(Moving, NothingIsLostTheOldParentGetsNothingNewAndTheNewOneNothingOld) {
  const std::string old = endorsed(kisumu_, "Boats");
  ASSERT_TRUE(reaches(kisumu_, top_, old));
  kenya_.daemon.reset();
  const std::string unsent = endorsed(kisumu_, "Rafts");
  const std::string large = endorsed_large(kisumu_);

  // Uganda offers, the global chapter approves, and KE-17 learns of it.
  ASSERT_TRUE(comes_true([&] {
    return !code_of(uganda_.daemon->call("move.offer", {{"code", "KE-17"}})).starts_with("chapter");
  }));
  const Json offer = uganda_.call("move.offer", {{"code", "KE-17"}});
  EXPECT_EQ(code_of(kisumu_.daemon->call("move.approve", {{"offer", offer["offer"]}})),
            "move.not-above");
  const Json seen = top_.call("move.approve", {{"offer", offer["offer"]}, {"only_look", true}});
  EXPECT_EQ(seen["from"], "KE");
  EXPECT_EQ(seen["to"], "UG");
  EXPECT_EQ(top_.call("move.approve", {{"offer", offer["offer"]}})["done"], true);
  kisumu_.daemon.reset();
  top_.daemon.reset();
  carry_move(top_.config, kisumu_.config, "KE-17");
  top_.start();
  kisumu_.start();
  kenya_.start();

  // It calls Uganda, and a person is told of what did not arrive.
  EXPECT_TRUE(comes_true([&] { return caught_up_with(office_, "KE-17"); }));
  const std::string fresh = endorsed(kisumu_, "Nets");
  const std::string below = endorsed(office_, "Buoys");
  EXPECT_TRUE(reaches(kisumu_, uganda_, fresh));
  EXPECT_TRUE(reaches(kisumu_, top_, fresh));
  EXPECT_TRUE(reaches(office_, kisumu_, below));
  EXPECT_TRUE(reaches(office_, uganda_, below));
  EXPECT_TRUE(reaches(office_, top_, below));
  EXPECT_TRUE(has_need(kisumu_, "move.left-behind"));
  EXPECT_FALSE(has_need(office_, "move.left-behind"));
  EXPECT_TRUE(comes_true(
      [&] { return kisumu_.call("status", Json::object())["peers"][0]["state"] == "connected"; }));
  EXPECT_EQ(kisumu_.call("status", Json::object())["peers"][0]["code"], "UG");
  EXPECT_FALSE(shows(uganda_, unsent));
  EXPECT_FALSE(shows(top_, unsent));
  EXPECT_FALSE(shows(uganda_, old));
  EXPECT_TRUE(shows(kisumu_, unsent));

  // Handed on by a person, it goes to those above now.
  EXPECT_GT(kisumu_.call("move.send", Json::object())["sent"], 0);
  EXPECT_FALSE(has_need(kisumu_, "move.left-behind"));
  EXPECT_EQ(code_of(kisumu_.daemon->call("move.send", Json::object())), "move.nothing");
  EXPECT_TRUE(reaches(kisumu_, uganda_, unsent));
  EXPECT_TRUE(comes_true([&] {
    const auto shown = uganda_.daemon->call("record.show", {{"id", large}});
    return shown && (*shown)["fields"].value("shock", Json::array()).size() == 495;
  }));
  EXPECT_TRUE(reaches(kisumu_, top_, unsent));
  EXPECT_TRUE(comes_true([&] {
    return kisumu_.call("record.where", {{"id", unsent}})["summary"] == "global";
  })) << kisumu_.call("record.where", {{"id", unsent}}).dump(1);

  // Kenya keeps what it had.
  EXPECT_TRUE(comes_true(
      [&] { return kenya_.call("status", Json::object())["peers"][0]["caught_up"] == true; }));
  EXPECT_TRUE(shows(kenya_, old));
  for (const std::string& id : {unsent, fresh, below}) EXPECT_FALSE(shows(kenya_, id));
  EXPECT_EQ(kisumu_.call("verify", Json::object())["ok"], true);
}

}  // namespace
}  // namespace chapterd::testing
