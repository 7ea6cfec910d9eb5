// Who may hold what, for every audience and every place in the tree.
#include "replication/entitlement.h"

#include "tests/support/node.h"

#include <gtest/gtest.h>

namespace chapterd {
namespace {

using testing::SeededRandom;
using testing::SetClock;
using testing::TestNode;
using testing::Wire;

// global ── KE ── KE-17 ── KE-17-1, and ET beside KE. All know all certificates.
struct Tree : ::testing::Test {
  SeededRandom random{5};
  SetClock clock;
  std::unique_ptr<TestNode> global = TestNode::founder(random, clock);
  std::unique_ptr<TestNode> kenya = TestNode::below(*global, "KE");
  std::unique_ptr<TestNode> ethiopia = TestNode::below(*global, "ET");
  std::unique_ptr<TestNode> kisumu = TestNode::below(*kenya, "KE-17");
  std::unique_ptr<TestNode> office = TestNode::below(*kisumu, "KE-17-1");

  Tree() {
    Wire(*office, *kisumu).run();
    Wire(*kisumu, *kenya).run();
    Wire(*ethiopia, *global).run();
    Wire(*kenya, *global).run();
  }

  [[nodiscard]] const Authority& authority() const { return global->directory->authority(); }

  [[nodiscard]] FeedIntro feed_of(TestNode& author,
                                  Audience audience,
                                  TestNode* target = nullptr) const {
    FeedIntro intro;
    intro.node = author.id();
    intro.home = authority().path_of(author.chapter());
    intro.audience = audience;
    if (target != nullptr) intro.target = authority().path_of(target->chapter());
    return intro;
  }

  // Codes of those of the five nodes that may hold it, in the order global, KE, ET, KE-17, KE-17-1.
  [[nodiscard]] std::string holders(const FeedIntro& intro) const {
    std::string codes;
    for (TestNode* node : {global.get(), kenya.get(), ethiopia.get(), kisumu.get(), office.get()}) {
      if (may_hold(authority(), node->id(), intro))
        codes += authority().chapter(node->chapter())->certificate.code + " ";
    }
    return codes;
  }
};

TEST_F(Tree, EveryAudienceHasItsCircle) {
  EXPECT_EQ(holders(feed_of(*kisumu, Audience::auth)), "GLOBAL KE ET KE-17 KE-17-1 ");
  EXPECT_EQ(holders(feed_of(*kisumu, Audience::all)), "GLOBAL KE ET KE-17 KE-17-1 ");
  EXPECT_EQ(holders(feed_of(*kisumu, Audience::chapter)), "KE-17 ");
  EXPECT_EQ(holders(feed_of(*kisumu, Audience::up)), "GLOBAL KE KE-17 ");
  EXPECT_EQ(holders(feed_of(*kisumu, Audience::down)), "KE-17 KE-17-1 ");
  EXPECT_EQ(holders(feed_of(*kenya, Audience::down)), "KE KE-17 KE-17-1 ");
}

TEST_F(Tree, ALetterIsHeldByThoseOnTheWayOnly) {
  EXPECT_EQ(holders(feed_of(*global, Audience::to, kisumu.get())), "GLOBAL KE KE-17 ");
  EXPECT_EQ(holders(feed_of(*kisumu, Audience::to, ethiopia.get())), "GLOBAL KE ET KE-17 ");
  EXPECT_EQ(holders(feed_of(*office, Audience::to, kisumu.get())), "KE-17 KE-17-1 ");
}

TEST_F(Tree, AReceiptTakesTheWayToTheAuthorAndNoOther) {
  const auto leads = [&](TestNode& self, TestNode& peer, const FeedIntro& intro) {
    return leads_to_author(authority(), self.chapter(), peer.chapter(), intro);
  };
  const FeedIntro from_kisumu = feed_of(*kisumu, Audience::up);
  EXPECT_TRUE(leads(*global, *kenya, from_kisumu));
  EXPECT_TRUE(leads(*kenya, *kisumu, from_kisumu));
  EXPECT_FALSE(leads(*kenya, *global, from_kisumu));
  EXPECT_FALSE(leads(*global, *ethiopia, from_kisumu));
  EXPECT_FALSE(leads(*kisumu, *office, from_kisumu));
  const FeedIntro letter = feed_of(*kisumu, Audience::to, ethiopia.get());
  EXPECT_TRUE(leads(*ethiopia, *global, letter));
  EXPECT_TRUE(leads(*global, *kenya, letter));
}

TEST_F(Tree, ANodeThatTheParentAppointedReadsNothingOfTheChapter) {
  // Kenya's authority certifies a machine of its own as a node of Kisumu.
  const SigningKey planted = SigningKey::generate(random);
  NodeCertificate certificate;
  certificate.node = planted.public_key();
  certificate.chapter = kisumu->chapter();
  certificate.proof = prove_node(authority().federation(), certificate, planted);
  kenya->statement(Statement{kenya->chapter(), 1, certificate});
  const Authority& known = kenya->directory->authority();
  EXPECT_TRUE(may_hold(known, planted.public_key(), feed_of(*kisumu, Audience::up)));
  EXPECT_FALSE(may_hold(known, planted.public_key(), feed_of(*kisumu, Audience::chapter)));
}

TEST_F(Tree, AStrangerMayHoldNothing) {
  const SigningKey stranger = SigningKey::generate(random);
  EXPECT_FALSE(may_hold(authority(), stranger.public_key(), feed_of(*kisumu, Audience::all)));
  EXPECT_FALSE(may_hold(authority(), stranger.public_key(), feed_of(*kisumu, Audience::auth)));
}

TEST_F(Tree, ARevokedNodeMayHoldOnlyWhatTellsItWhy) {
  kenya->revoke(kisumu->id());
  Wire(*kenya, *global).run();
  EXPECT_FALSE(may_hold(authority(), kisumu->id(), feed_of(*kisumu, Audience::up)));
  EXPECT_FALSE(may_hold(authority(), kisumu->id(), feed_of(*global, Audience::all)));
  EXPECT_TRUE(may_hold(authority(), kisumu->id(), feed_of(*kenya, Audience::auth)));
}

TEST_F(Tree, AnAuthorCannotClaimAnotherPathOrChapter) {
  FeedIntro intro = feed_of(*kisumu, Audience::up);
  EXPECT_TRUE(may_open(authority(), intro));
  intro.home.above = {global->chapter(), ethiopia->chapter()};
  EXPECT_EQ(may_open(authority(), intro).error().code, "authority.path");
  intro = feed_of(*kisumu, Audience::up);
  intro.home = authority().path_of(ethiopia->chapter());
  EXPECT_EQ(may_open(authority(), intro).error().code, "authority.other-chapter");
  intro = feed_of(*kisumu, Audience::to, ethiopia.get());
  intro.target->above.push_back(kenya->chapter());
  EXPECT_EQ(may_open(authority(), intro).error().code, "authority.target");
}

TEST_F(Tree, AStatementBeyondItsIssuersScopeIsRefused) {
  // Ethiopia certifies a chapter below Kenya, and then one above itself.
  ChapterCertificate chapter;
  chapter.code = "KE-99";
  chapter.chapter = chapter_id_below(kenya->chapter(), chapter.code);
  chapter.authority = ethiopia->authority->public_key();
  chapter.level = 2;
  chapter.above = {global->chapter(), kenya->chapter()};
  Authority known = authority();
  const auto signed_by_ethiopia = [&](const auto& body) {
    return sign_statement(known.federation(), Statement{ethiopia->chapter(), 1, body},
                          *ethiopia->authority);
  };
  EXPECT_EQ(known.apply(signed_by_ethiopia(chapter)).error().code, "authority.scope");
  chapter.above = {global->chapter(), ethiopia->chapter()};
  chapter.level = 1;
  EXPECT_EQ(known.apply(signed_by_ethiopia(chapter)).error().code, "authority.scope");
  chapter.level = 2;
  EXPECT_EQ(known.apply(signed_by_ethiopia(chapter)).error().code, "authority.scope");
  chapter.chapter = chapter_id_below(ethiopia->chapter(), chapter.code);
  EXPECT_TRUE(known.apply(signed_by_ethiopia(chapter)));
  NodeCertificate node;
  node.node = SigningKey::generate(random).public_key();
  node.chapter = kisumu->chapter();
  EXPECT_EQ(known.apply(signed_by_ethiopia(node)).error().code, "authority.scope");
}

TEST_F(Tree, ARevocationByAStrangersChapterHasNoEffect) {
  ethiopia->revoke(kisumu->id());
  Wire(*ethiopia, *global).run();
  EXPECT_FALSE(authority().is_revoked(kisumu->id()));
}

TEST_F(Tree, TheHighestCutHoldsAndAtOneRankTheShortest) {
  const FeedIntro intro = feed_of(*kisumu, Audience::up);
  const FeedId feed = feed_id(authority().federation(), encode(intro));
  Authority known = authority();
  const auto apply = [&](TestNode& by, std::uint64_t number, std::uint64_t seq) {
    const Statement statement{by.chapter(), number,
                              Revoke{kisumu->id(), {Head{feed, Sequence(seq), {}}}, "stolen"}};
    return known.apply(sign_statement(known.federation(), statement, *by.authority)).has_value();
  };
  // Every list must allow an entry: of several the shortest does.
  const auto shortest = [&] {
    Sequence seq(UINT64_MAX);
    for (const auto& heads : known.cuts(intro, feed)) seq = std::min(seq, heads.at(0).seq);
    return seq;
  };
  EXPECT_TRUE(known.cuts(intro, feed).empty());
  ASSERT_TRUE(apply(*kenya, 1, 9));
  ASSERT_TRUE(apply(*kenya, 2, 5));
  EXPECT_EQ(shortest(), Sequence(5));
  ASSERT_TRUE(apply(*global, 1, 7));
  EXPECT_EQ(shortest(), Sequence(7));
  // Only the chapter itself cuts what only it can read.
  EXPECT_TRUE(known.cuts(feed_of(*kisumu, Audience::chapter), feed).empty());
}

}  // namespace
}  // namespace chapterd
