// What statements decide together, in whatever order they come to be known.
#include "replication/authority.h"

#include "tests/support/tree.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

namespace chapterd {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): the nodes and their words

// GLOBAL ── KE ── KE-17 ── KE-17-1, and KE-18 beside KE-17. All know all certificates.
struct Chapters : DeepTree {
  std::unique_ptr<TestNode> nakuru = TestNode::below(*kenya, "KE-18");

  Chapters() { everybody_meets(); }

  void everybody_meets() {
    Wire(*nakuru, *kenya).run();
    DeepTree::everybody_meets();
    Wire(*nakuru, *kenya).run();
  }

  [[nodiscard]] FeedId id_of(const FeedIntro& intro) const {
    return feed_id(authority().federation(), encode(intro));
  }

  template <class Body>
  [[nodiscard]] Bytes statement(TestNode& by, std::uint64_t number, const Body& body) const {
    return sign_statement(authority().federation(), Statement{by.chapter(), number, body},
                          *by.authority);
  }

  [[nodiscard]] Bytes revoke(TestNode& by,
                             TestNode& node,
                             const FeedIntro& intro,
                             std::uint64_t seq) const {
    return statement(by, 1, Revoke{node.id(), {Head{id_of(intro), Sequence(seq), {}}}, "stolen"});
  }

  [[nodiscard]] Bytes admit(TestNode& by,
                            TestNode& node,
                            const FeedIntro& intro,
                            std::uint64_t seq) const {
    return statement(by, 1, Admit{node.id(), {Head{id_of(intro), Sequence(seq), {}}}});
  }

  // The cut after these statements; -1 for none.
  [[nodiscard]] std::int64_t cut(const std::vector<Bytes>& statements,
                                 const FeedIntro& intro) const {
    Authority known = authority();
    for (const Bytes& each : statements) static_cast<void>(known.apply(each));
    // Every list must allow an entry, by any of its heads.
    std::int64_t shortest = -1;
    for (const auto& heads : known.cuts(intro, id_of(intro))) {
      std::int64_t longest = 0;
      for (const Head& head : heads)
        longest = std::max(longest, static_cast<std::int64_t>(head.seq.value));
      shortest = shortest < 0 ? longest : std::min(shortest, longest);
    }
    return shortest;
  }
};

TEST_F(Chapters, WhoMayNotHoldAFeedCannotListItSoTheChapterAdmitsWhatStoodThere) {
  const FeedIntro down = intro_of(*kisumu, Audience::down);
  const FeedIntro letter = intro_of(*kisumu, Audience::to, office.get());
  for (const FeedIntro& intro : {down, letter}) {
    const Bytes by_kenya = revoke(*kenya, *kisumu, intro, 9);
    EXPECT_EQ(cut({by_kenya}, intro), 0) << "Kenya cannot have seen it";
    EXPECT_EQ(cut({by_kenya, admit(*kisumu, *kisumu, intro, 5)}, intro), 5);
    EXPECT_EQ(cut({by_kenya, revoke(*kisumu, *kisumu, intro, 4)}, intro), 4);
    EXPECT_EQ(cut({by_kenya, admit(*kenya, *kisumu, intro, 7)}, intro), 0);
    EXPECT_EQ(cut({by_kenya, admit(*office, *kisumu, intro, 7)}, intro), 0);
  }
}

TEST_F(Chapters, ALetterBetweenSiblingsIsJudgedByTheChapterThatRelaysIt) {
  const FeedIntro letter = intro_of(*kisumu, Audience::to, nakuru.get());
  const Bytes by_global = revoke(*global, *kisumu, letter, 9);
  EXPECT_EQ(cut({by_global}, letter), 0) << "the global node never relays it";
  EXPECT_EQ(cut({by_global, revoke(*kenya, *kisumu, letter, 3)}, letter), 3);
  EXPECT_EQ(cut({by_global, admit(*kenya, *kisumu, letter, 6)}, letter), 6);
  EXPECT_EQ(cut({by_global, admit(*nakuru, *kisumu, letter, 6)}, letter), 0);
}

TEST_F(Chapters, NobodyAboveCutsTheOwnPapersOfAChapter) {
  const FeedIntro papers = intro_of(*kisumu, Audience::chapter);
  EXPECT_EQ(cut({revoke(*global, *kisumu, papers, 9), revoke(*kenya, *kisumu, papers, 9)}, papers),
            -1);
  EXPECT_EQ(cut({revoke(*global, *kisumu, papers, 9), revoke(*kisumu, *kisumu, papers, 2)}, papers),
            2);
}

TEST_F(Chapters, EveryOrderOfStatementsGivesOneCut) {
  const std::vector<FeedIntro> feeds = {intro_of(*kisumu, Audience::up),
                                        intro_of(*kisumu, Audience::down),
                                        intro_of(*kisumu, Audience::chapter),
                                        intro_of(*kisumu, Audience::to, office.get()),
                                        intro_of(*kisumu, Audience::to, nakuru.get()),
                                        intro_of(*kisumu, Audience::all)};
  for (const FeedIntro& intro : feeds) {
    const std::vector<Bytes> statements = {
        revoke(*global, *kisumu, intro, 3), revoke(*kenya, *kisumu, intro, 5),
        revoke(*kisumu, *kisumu, intro, 7), admit(*kenya, *kisumu, intro, 9),
        admit(*kisumu, *kisumu, intro, 11)};
    std::vector<std::size_t> order(statements.size());
    std::iota(order.begin(), order.end(), 0U);
    const std::int64_t expected = cut(statements, intro);
    do {
      std::vector<Bytes> shuffled;
      for (const std::size_t each : order) shuffled.push_back(statements[each]);
      ASSERT_EQ(cut(shuffled, intro), expected);
    } while (std::next_permutation(order.begin(), order.end()));
  }
}

TEST_F(Chapters, GuidanceOfARevokedNodeShowsAgainOnceItsChapterLookedAtIt) {
  kisumu->write_text({Audience::down, {}}, "guidance", "title", "boil the water");
  auto desk = TestNode::beside(*kisumu);
  Wire(*desk, *kisumu).run();
  everybody_meets();
  kenya->revoke(kisumu->id());
  Wire(*desk, *kenya).run();
  Wire(*office, *desk).run();
  const auto guidance = [](TestNode& at) { return at.values(Audience::down, "guidance", "title"); };
  EXPECT_EQ(guidance(*desk), Values{});
  EXPECT_EQ(guidance(*office), Values{});
  desk->statement(
      Statement{desk->chapter(), 1, Admit{kisumu->id(), {kisumu->head(Audience::down)}}});
  Wire(*office, *desk).run();
  EXPECT_EQ(guidance(*desk), Values{"boil the water"});
  EXPECT_EQ(guidance(*office), Values{"boil the water"});
}

// The thief finds a chapter that has not heard of it, and writes what nobody above may hold.
TEST_F(Chapters, AThiefCannotGoOnInAFeedThatNobodyAboveSees) {
  kenya->revoke(kisumu->id());
  Wire(*nakuru, *kenya).run();
  kisumu->write_text({Audience::down, {}}, "guidance", "title", "drink the water");
  kisumu->write_text({Audience::to, office->chapter()}, "letter", "title", "send me your keys");
  Wire(*office, *kisumu).run();
  ASSERT_EQ(office->values(Audience::down, "guidance", "title"), Values{"drink the water"});
  Wire(*office, *nakuru).run();
  EXPECT_TRUE(office->directory->authority().is_revoked(kisumu->id()));
  EXPECT_EQ(office->values(Audience::down, "guidance", "title"), Values{});
  EXPECT_EQ(office->values(Audience::to, "letter", "title"), Values{});
  // And who has heard of it before takes it for nothing as well.
  auto second = TestNode::beside(*office);
  Wire(*second, *nakuru).run();
  Wire(*second, *office).run();
  EXPECT_EQ(second->values(Audience::down, "guidance", "title"), Values{});
  EXPECT_EQ(second->view_hash(), office->view_hash());
}

}  // namespace
}  // namespace chapterd
