// Which nodes of a chapter belong together: nobody above can appoint a reader.
#include "tests/support/liar.h"
#include "tests/support/tree.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace chapterd {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): the nodes and their words

constexpr const char* marker = "achieng-0722-marker";

struct House : Pair {
  // The global chapter names this key for Kenya.
  void name_successor(const SigningKey& given) {
    const Authority& known = global->replica->directory().authority();
    Successor body;
    body.chapter = kenya->chapter();
    body.authority = given.public_key();
    body.by = SuccessorBy::above;
    body.acceptance = accept_succession(known.federation(), body.chapter, given);
    global->statement(Statement{global->chapter(), known.next_number(body.chapter), body});
  }

  // Kenya has written, and does not agree yet to the key that the chapter above named and that
  // certifies the office.
  std::unique_ptr<TestNode> office_apart(const std::shared_ptr<SigningKey>& given) {
    kenya->write_text(home, "member", "phone", "one");
    Wire(*kenya, *global).run();
    name_successor(*given);
    Wire(*kenya, *global).run();
    return TestNode::beside(*kenya, given);
  }

  static Values phones(TestNode& node) { return node.values(Audience::chapter, "member", "phone"); }

  static bool holds_private_feed_of(TestNode& node, TestNode& author) {
    return std::ranges::any_of(node.replica->directory().feeds(), [&](const KnownFeed& feed) {
      return feed.intro.audience == Audience::chapter && feed.intro.node == author.id();
    });
  }
};

// The writer's certificate comes in the same window as what it wrote.
TEST_F(House, ANewComputerHasWhatAnotherOneWroteForTheChapterAfterItsFirstSession) {
  auto laptop = TestNode::beside(*kenya);
  Wire(*laptop, *kenya).run();
  laptop->write_text(home, "member", "phone", marker);
  Wire(*laptop, *kenya).run();
  auto newcomer = TestNode::beside(*kenya);
  Wire wire(*newcomer, *kenya);
  wire.run();
  EXPECT_TRUE(holds_private_feed_of(*newcomer, *laptop));
  EXPECT_TRUE(wire.dialler().faults().empty());
  EXPECT_TRUE(wire.dialler().caught_up());
}

// The chapter above names an authority key of its own for Kenya, certifies with it a machine as a
// node of Kenya, and Kenya's node anew as well, with the proof that everybody has.
TEST_F(House, WhoeverTheChapterAboveMakesASpeakerOfTheChapterReadsNothingOfIt) {
  kenya->write_text(home, "member", "phone", marker);
  Wire(*kenya, *global).run();
  const auto given = std::make_shared<SigningKey>(SigningKey::generate(random));
  name_successor(*given);
  const Authority& known = global->replica->directory().authority();
  Statement again{kenya->chapter(), 9, known.node(kenya->id())->certificate};
  ASSERT_TRUE(global->replica->write_statement(sign_statement(known.federation(), again, *given)));
  global->commit();
  auto spy = TestNode::beside(*global, kenya->chapter(), given);
  Wire(*kenya, *global).run();
  for (int i = 0; i < 2; ++i) {
    Wire(*spy, *kenya).run();
    Wire(*kenya, *spy).run();
  }
  const Authority& told = kenya->replica->directory().authority();
  ASSERT_EQ(told.chapter(kenya->chapter())->certificate.authority, given->public_key());
  ASSERT_NE(told.node(spy->id()), nullptr);
  EXPECT_EQ(told.node(spy->id())->issuer, kenya->chapter());
  kenya->write_text(home, "member", "email", marker);
  Wire(*spy, *kenya).run();
  EXPECT_FALSE(holds_private_feed_of(*spy, *kenya));
  const std::string its = to_hex(spy->id().view());
  for (const NamedValue& wrap : kenya->store->values(stored_name::wrap_prefix))
    EXPECT_FALSE(wrap.name.ends_with(its)) << wrap.name;
  EXPECT_EQ(phones(*spy), Values{});
  // What is shared comes to it as to any node of the chapter.
  kenya->write_text(up, "insight", "title", "shared");
  Wire(*spy, *kenya).run();
  EXPECT_EQ(spy->values(Audience::up, "insight", "title"), Values{"shared"});
}

TEST_F(House, ANodeThatTookUpAKeyFromAboveSharesWithWhomItCertifies) {
  kenya->write_text(home, "member", "phone", "one");
  Wire(*kenya, *global).run();
  const auto given = std::make_shared<SigningKey>(SigningKey::generate(random));
  name_successor(*given);
  Wire(*kenya, *global).run();
  ASSERT_TRUE(kenya->replica->agree_to(*given));
  kenya->commit();
  const Head once = kenya->head(Audience::auth);
  ASSERT_TRUE(kenya->replica->agree_to(*given));
  kenya->commit();
  EXPECT_EQ(kenya->head(Audience::auth), once) << "it is said once";
  auto office = TestNode::beside(*kenya, given);
  for (int i = 0; i < 2; ++i) Wire(*office, *kenya).run();
  EXPECT_EQ(phones(*office), Values{"one"});
  office->write_text(home, "member", "phone", "two");
  Wire(*office, *kenya).run();
  EXPECT_EQ(phones(*kenya), Values{"two"});
  EXPECT_EQ(office->view_hash(), kenya->view_hash());
}

TEST_F(House, ARevokedNodeBringsNobodyTogether) {
  auto office = TestNode::beside(*kenya);
  for (int i = 0; i < 2; ++i) Wire(*office, *kenya).run();
  Wire(*kenya, *global).run();
  const auto given = std::make_shared<SigningKey>(SigningKey::generate(random));
  name_successor(*given);
  Wire(*kenya, *global).run();
  Wire(*office, *kenya).run();
  // A thief has the office's node key, and agrees to what the chapter above named.
  ASSERT_TRUE(office->replica->agree_to(*given));
  office->commit();
  Wire(*office, *kenya).run();
  const auto is_agreed = [&] {
    const Authority& known = kenya->replica->directory().authority();
    return known.agreed_keys(kenya->id()).contains(given->public_key());
  };
  ASSERT_TRUE(is_agreed()) << "until it is known what office is";
  kenya->revoke(office->id());
  EXPECT_FALSE(is_agreed());
  Wire(*office, *kenya).run();
  auto spy = TestNode::beside(*global, kenya->chapter(), given);
  for (int i = 0; i < 2; ++i) Wire(*spy, *kenya).run();
  EXPECT_FALSE(kenya->replica->directory().authority().are_of_one_house(kenya->id(), spy->id()));
}

// The session goes on, and both learn in the middle of it that they belong together.
TEST_F(House, WhatWasKeptBackFollowsInTheSameSessionOnceTwoNodesBelongTogether) {
  const auto given = std::make_shared<SigningKey>(SigningKey::generate(random));
  const auto office = office_apart(given);
  Wire wire(*office, *kenya);
  wire.run();
  ASSERT_FALSE(holds_private_feed_of(*office, *kenya));
  ASSERT_TRUE(kenya->replica->agree_to(*given));
  kenya->commit();
  for (int i = 0; i < 3; ++i) {
    wire.announce();
    wire.run();
  }
  EXPECT_TRUE(holds_private_feed_of(*office, *kenya));
  EXPECT_EQ(phones(*office), Values{"one"});
  EXPECT_TRUE(wire.dialler().caught_up());
}

// What is written from then on does not arrive before what was kept back.
TEST_F(House, WhatIsWrittenAtThatMomentComesBehindWhatWasKeptBack) {
  const auto given = std::make_shared<SigningKey>(SigningKey::generate(random));
  const auto office = office_apart(given);
  Wire wire(*office, *kenya);
  wire.run();
  ASSERT_FALSE(holds_private_feed_of(*office, *kenya));
  ASSERT_TRUE(kenya->replica->agree_to(*given));
  kenya->commit();
  wire.announce();
  kenya->write_text(home, "member", "phone", "two");
  for (int i = 0; i < 3; ++i) {
    wire.announce();
    wire.run();
  }
  EXPECT_EQ(refused_in(wire), "");
  EXPECT_EQ(phones(*office), Values{"two"});
  EXPECT_TRUE(wire.dialler().caught_up());
}

// A session lets it pass, for the certificates may be on their way; the writer knows.
TEST_F(House, NothingPrivateIsTakenOfWhomTheChapterAboveMadeASpeaker) {
  Wire(*kenya, *global).run();
  const auto given = std::make_shared<SigningKey>(SigningKey::generate(random));
  name_successor(*given);
  Wire(*kenya, *global).run();
  auto spy = TestNode::beside(*global, kenya->chapter(), given);
  spy->write_text(home, "member", "phone", "planted");
  Wire wire(*spy, *kenya);
  wire.run();
  ASSERT_FALSE(holds_private_feed_of(*kenya, *spy));
  wire.say_to_listener(segment_of(*spy, Audience::chapter));
  EXPECT_FALSE(holds_private_feed_of(*kenya, *spy));
  ASSERT_FALSE(wire.listener().faults().empty());
  EXPECT_EQ(wire.listener().faults().back().error.code, "feed.not-ours");
  EXPECT_EQ(phones(*kenya), Values{});
}

}  // namespace
}  // namespace chapterd
