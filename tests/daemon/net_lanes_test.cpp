// What goes when not everything may: a budget of the day, and a call further up for statements.
#include "daemon/net/day_budget.h"
#include "tests/support/two_nodes.h"

#include <gtest/gtest.h>

#include <utility>

namespace chapterd {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): the nodes and their words

constexpr std::int64_t day_ms = 24LL * 3600 * 1000;

struct Lanes2 : ::testing::Test {
  TwoNodes nodes;
  LiveNode& global = *nodes.global;
  LiveNode& kenya = *nodes.kenya;

  static bool knows_revoked(LiveNode& node, const PublicKey& revoked) {
    return *node.writer().run([&](Replica& replica) -> Result<bool> {
      return replica.directory().authority().is_revoked(revoked);
    });
  }

  std::unique_ptr<LiveNode> with(std::unique_ptr<testing::TestNode> node,
                                 LiveNode& parent,
                                 PeersOptions options) {
    options.parents = {parent.address()};
    auto made = std::make_unique<LiveNode>(std::move(node), std::move(options));
    made->follow(parent.id());
    return made;
  }
};

TEST_F(Lanes2, OnceTheBudgetOfTheDayIsUsedUpRevocationsGoAndTheRestWaitsUntilTomorrow) {
  nodes.start();
  ASSERT_TRUE(comes_true([&] { return global.is_open_to(kenya.id()); }));
  auto options = test_options();
  options.budget_day_bytes = 40'000;
  const auto uganda = with(std::move(nodes.uganda), global, options);
  uganda->start();
  const auto parent = [&] { return uganda->status_of(global.id()); };
  ASSERT_TRUE(comes_true([&] { return parent() && parent()->caught_up; }));
  ASSERT_FALSE(parent()->is_saving);
  // They are many times the budget: either it stops them, or all of them go.
  uganda->write_many(up, 5'000);
  const auto is_saving = [&] { return parent() && parent()->is_saving; };
  const auto all_went = [&] { return !global.values(Audience::up, "4999").empty(); };
  ASSERT_TRUE(comes_true([&] { return is_saving() || all_went(); }));
  ASSERT_FALSE(all_went()) << "5,000 changes went on a day that had room for 40 kB";
  EXPECT_TRUE(uganda->on_loop([&] { return uganda->peers().is_day_spent(); }));

  global.write_text(all, "synthesis", "tomorrow");
  global.revoke(kenya.id());
  ASSERT_TRUE(comes_true([&] { return knows_revoked(*uganda, kenya.id()); }));
  EXPECT_TRUE(uganda->values(Audience::all, "synthesis").empty());
  EXPECT_FALSE(parent()->caught_up);

  uganda->clock.push_ms(day_ms);
  EXPECT_TRUE(
      comes_true([&] { return uganda->values(Audience::all, "synthesis") == Values{"tomorrow"}; }));
}

TEST_F(Lanes2, TheBudgetOfTheDayIsNotNewAfterARestart) {
  auto options = test_options();
  options.budget_day_bytes = 1'000'000;
  auto uganda = with(std::move(nodes.uganda), global, options);
  uganda->start();
  uganda->write_text(up, "insight", "Cold chain");
  ASSERT_TRUE(comes_true([&] { return global.values(Audience::up, "insight").size() == 1; }));
  const auto used = [](LiveNode& node) {
    return node.on_loop([&] { return node.peers().day_used_bytes(); });
  };
  const std::uint64_t before = used(*uganda);
  ASSERT_GT(before, 1'000U);
  uganda->stop();
  options.parents.clear();
  LiveNode again(uganda->release(), options);
  again.start();
  EXPECT_GE(used(again), before);
}

TEST(DayBudget, IsSpentUntilTheDateIsAnother) {
  DayBudget budget(100);
  const Instant noon{10 * day_ms + day_ms / 2};
  budget.add(99, noon);
  EXPECT_FALSE(budget.is_spent(noon));
  budget.add(1, noon);
  EXPECT_TRUE(budget.is_spent(noon));
  EXPECT_TRUE(budget.is_spent(noon.plus_ms(day_ms / 2 - 1)));
  EXPECT_FALSE(budget.is_spent(noon.plus_ms(day_ms / 2)));
  // A clock that was wrong and is put right: never locked out for years.
  budget.add(100, Instant{0});
  EXPECT_TRUE(budget.is_spent(Instant{0}));
  EXPECT_FALSE(budget.is_spent(noon));
}

TEST(DayBudget, WhatIsStoredOfItMustBeWhole) {
  DayBudget budget(100);
  const Instant noon{day_ms / 2};
  budget.add(100, noon);
  DayBudget kept(100);
  kept.restore(budget.value());
  EXPECT_TRUE(kept.is_spent(noon));
  DayBudget torn(100);
  torn.restore(ByteView(budget.value()).first(7));
  EXPECT_FALSE(torn.is_spent(noon));
}

// Kisumu below Kenya, which knows of its own revocation and keeps it back: it is not even running.
struct FurtherUp : Lanes2 {
  std::unique_ptr<LiveNode> kisumu;

  void start(const std::string& address) {
    nodes.start();
    ASSERT_TRUE(comes_true([&] { return kenya.status_of(global.id())->caught_up; }));
    auto options = test_options();
    options.ancestors = {address};
    kisumu = with(std::move(nodes.kisumu), kenya, options);
    kisumu->start();
    ASSERT_TRUE(comes_true([&] { return kisumu->is_open_to(kenya.id()); }));
  }

  AncestorsStatus asked() {
    return *kisumu->on_loop([&] { return kisumu->peers().ancestors(); });
  }

  void ask() {
    kisumu->on_loop([&] { kisumu->peers().ask_ancestors(); });
  }
};

TEST_F(FurtherUp, ARevocationThatTheParentKeepsBackIsLearnedAndNothingElseIsTaken) {
  start(global.address());
  kenya.stop();
  global.revoke(kenya.id());
  global.write_text(all, "synthesis", "by way of Kenya");
  ASSERT_FALSE(knows_revoked(*kisumu, kenya.id()));
  ask();
  EXPECT_TRUE(comes_true([&] { return knows_revoked(*kisumu, kenya.id()); }));
  EXPECT_TRUE(comes_true([&] { return asked().asked.has_value(); }));
  EXPECT_EQ(asked().end_code, "");
  EXPECT_TRUE(kisumu->values(Audience::all, "synthesis").empty());
  EXPECT_TRUE(comes_true([&] { return !global.is_open_to(kisumu->id()); }));
}

TEST_F(FurtherUp, ItIsAskedSoonAfterTheFirstStartAndThenOnceAWeek) {
  start(global.address());
  kisumu->clock.push_ms(11 * 60'000);
  ASSERT_TRUE(comes_true([&] { return asked().asked.has_value(); }));
  const Instant first = *asked().asked;
  kisumu->clock.push_ms(6 * day_ms);
  ASSERT_TRUE(comes_true([&] { return kisumu->is_open_to(kenya.id()); }));
  EXPECT_EQ(*asked().asked, first);
  kisumu->clock.push_ms(2 * day_ms);
  EXPECT_TRUE(comes_true([&] { return *asked().asked > first; }));
}

// Whoever answers there must stand above the one right above us, or it proves nothing.
TEST_F(FurtherUp, ANodeThatStandsNotFurtherUpIsNotBelieved) {
  const auto uganda = with(std::move(nodes.uganda), global, test_options());
  uganda->start();
  ASSERT_TRUE(comes_true([&] { return uganda->is_open_to(global.id()); }));
  start(uganda->address());
  ask();
  EXPECT_TRUE(comes_true([&] { return !asked().end_code.empty(); }));
  EXPECT_EQ(asked().end_code, "ancestor.not-above");
  EXPECT_FALSE(asked().asked);
}

TEST_F(FurtherUp, TheChapterRightAboveIsNotAskedASecondTime) {
  start(kenya.address());
  ask();
  EXPECT_TRUE(comes_true([&] { return !asked().end_code.empty(); }));
  EXPECT_FALSE(asked().asked);
  kisumu->write_text(up, "insight", "Cold chain");
  EXPECT_TRUE(comes_true([&] { return kenya.values(Audience::up, "insight").size() == 1; }));
}

TEST_F(FurtherUp, ANodeThatNobodyCertifiedIsNotBelieved) {
  testing::SeededRandom chance(77);
  LiveNode elsewhere(testing::TestNode::founder(chance, nodes.date), test_options());
  elsewhere.start();
  start(elsewhere.address());
  ask();
  EXPECT_TRUE(comes_true([&] { return !asked().end_code.empty(); }));
  EXPECT_FALSE(asked().asked);
}

TEST_F(Lanes2, RightBelowTheTopThereIsNobodyFurtherUp) {
  auto options = test_options();
  options.ancestors = {global.address()};
  const auto uganda = with(std::move(nodes.uganda), global, options);
  uganda->start();
  EXPECT_FALSE(uganda->on_loop([&] { return uganda->peers().ancestors(); }));
}

}  // namespace
}  // namespace chapterd
