// What is told of other nodes is no better than what they proved: receipts, acknowledgements.
#include "tests/replication/restored.h"
#include "tests/support/erasing.h"
#include "tests/support/liar.h"

namespace chapterd {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): the fixture and its words

constexpr auto live = static_cast<std::size_t>(Lane::live);

struct Proofs : Restored {
  // What the global node has signed for the feed that Kenya writes to those above.
  std::vector<StoredReceipt> receipts() {
    return kenya->store->receipts_of(
        kenya->replica->directory().feed(kenya->head(Audience::up).feed)->row);
  }
};

// The parent lost what it had said to hold: its word of before comes back by others, and late.
TEST_F(Proofs, AReceiptFromALifeThatIsOverCountsNoMoreWhoeverBringsIt) {
  auto office = TestNode::beside(*kenya);
  kenya->write_text(up, "old", "title", "before");
  exchange();
  save(*global);
  kenya->write_text(up, "new", "title", "after the backup");
  exchange();
  ASSERT_EQ(receipts().size(), 1U);
  const Frame said(ReceiptsFrame{{receipts().front().bytes}});
  put_back(*global, With::database_only);
  Wire(*kenya, *global).run();
  ASSERT_TRUE(receipts().empty());
  for (int start = 0; start < 2; ++start) {
    kenya->restart();
    Wire between(*kenya, *office);
    between.run();
    between.say_to_dialler(said);
    EXPECT_TRUE(receipts().empty());
  }
  confirm(*global);
  exchange();
  ASSERT_EQ(receipts().size(), 1U);
  EXPECT_EQ(receipts().front().seq, kenya->head(Audience::up).seq);
}

// It has the words again, and the link to it is cut anywhere.
TEST_F(Proofs, AChildThatWasPutBackIsNotSaidToHaveObeyedAnOrderBeforeItHas) {
  const auto cut_after = [&](std::size_t bytes) {
    random = SeededRandom(7);
    global = TestNode::founder(random, clock);
    kenya = TestNode::below(*global, "KE");
    kenya->write_text(up, "theirs", "title", "receipted");
    global->write_text(all, "insight", "title", "Wanjiku told us");
    exchange();
    save(*kenya);
    erase_texts(*global, all, "insight", "title");
    const Arrival order = global->replica->directory().arrival();
    exchange();
    const auto obeyed = [&] { return kenya->values(Audience::all, "insight", "title").empty(); };
    const auto is_said = [&] { return global->store->peers().front().acknowledged[live] >= order; };
    EXPECT_TRUE(obeyed() && is_said());
    put_back(*kenya, With::database_only);
    EXPECT_FALSE(obeyed());
    Wire wire(*kenya, *global);
    const std::size_t crossed = wire.run(bytes);
    const bool has_called = wire.listener().state() != SessionState::opening;
    EXPECT_TRUE(!has_called || !is_said() || obeyed()) << "cut after " << bytes;
    return crossed;
  };
  const std::size_t whole = cut_after(SIZE_MAX);
  for (std::size_t bytes = 101; bytes < whole; bytes += 101) cut_after(bytes);
  exchange();
  EXPECT_TRUE(kenya->values(Audience::all, "insight", "title").empty());
}

// The global node does not obey what it cannot judge or read. Its word ends before it.
struct Orders : Proofs, ::testing::WithParamInterface<bool> {};

INSTANTIATE_TEST_SUITE_P(, Orders, ::testing::Bool(), [](const auto& each) {
  return each.param ? "OfALaterProgram" : "WithoutAuthority";
});

TEST_P(Orders, AReceiptEndsBeforeAnOrderThatWasNotObeyed) {
  const Written words = kenya->write_text(up, "insight", "title", "Wanjiku told us");
  for (int i = 0; i < 100; ++i) kenya->write_text(up, "other", "title", std::to_string(i));
  exchange();
  ASSERT_EQ(receipts().front().seq, Sequence(101));
  const Head place = place_of(*kenya, words);
  Bytes order =
      encode(EraseOrder{record_named("insight"), "note", EraseReason::request, {place}, {}, {}});
  if (GetParam()) order[1] = 2;  // its version
  send_forced(*kenya, *global, place.feed, EntryKind::erase, order);
  global->restart();
  ASSERT_TRUE(global->replica->rebuild());
  ASSERT_EQ(head_held(*global, place.feed).seq, Sequence(102));
  const auto said = global->store->receipts_of(global->replica->directory().feed(place.feed)->row);
  ASSERT_EQ(said.size(), 1U);
  EXPECT_EQ(said.front().seq, Sequence(101));
  EXPECT_EQ(global->values(Audience::up, "insight", "title"), Values{"Wanjiku told us"});
}

TEST_F(Proofs, TheReceiptFollowsOnceTheOrderIsObeyed) {
  kenya->write_text(up, "insight", "title", "Wanjiku told us");
  exchange();
  const FederationId& federation = kenya->replica->directory().authority().federation();
  const auto next = std::make_shared<SigningKey>(SigningKey::generate(random));
  Successor successor;
  successor.chapter = kenya->chapter();
  successor.authority = next->public_key();
  successor.acceptance = accept_succession(federation, kenya->chapter(), *next);
  ASSERT_TRUE(kenya->replica->write_statement(
      sign_statement(federation, {kenya->chapter(), 2, successor}, *kenya->authority)));
  kenya->commit();
  kenya->authority = next;
  erase_texts(*kenya, up, "insight", "title");
  const Head order = kenya->head(Audience::up);
  send_feed(*kenya, *global, order.feed);  // the new key is not known there yet
  const auto said_by_global = [&] {
    const KnownFeed& feed = *global->replica->directory().feed(order.feed);
    return global->store->receipts_of(feed.row).front().seq;
  };
  ASSERT_EQ(head_held(*global, order.feed).seq, order.seq);
  EXPECT_LT(said_by_global(), order.seq);
  exchange();
  EXPECT_EQ(said_by_global(), order.seq);
  EXPECT_EQ(receipts().front().seq, order.seq);
  EXPECT_FALSE(holds_text(*global, "Wanjiku"));
}

// The global node was put back, and its word of since then came by the office's computer before
// Kenya itself called it.
TEST_F(Proofs, AReceiptFromTheLifeThatGoesOnCountsAlsoWhenItCameFirst) {
  auto office = TestNode::beside(*kenya);
  kenya->write_text(up, "old", "title", "before");
  exchange();
  for (int i = 0; i < 2; ++i) Wire(*office, *kenya).run();
  Wire(*office, *global).run();
  save(*global);
  kenya->write_text(up, "new", "title", "after the backup");
  exchange();
  put_back(*global, With::database_only);
  confirm(*global);
  for (int i = 0; i < 2; ++i) {
    Wire(*office, *global).run();
    Wire(*office, *kenya).run();
  }
  const auto epoch_said = [&] { return decode_receipt(receipts().at(0).bytes)->epoch; };
  ASSERT_EQ(epoch_said(), global->replica->directory().epoch());
  exchange();
  kenya->write_text(up, "newest", "title", "after all");
  exchange();
  ASSERT_EQ(receipts().size(), 1U);
  EXPECT_EQ(receipts().front().seq, kenya->head(Audience::up).seq);
}

// It found out that it is behind and took the life that both had for over; then it was cut off. The
// node itself lives on as before.
TEST_F(Proofs, ACopyVoidsTheWordOfItsNodeOnlyUntilThatOneHears) {
  kenya->write_text(up, "old", "title", "before");
  exchange();
  const auto copy = TestNode::copy_of(*global);
  const Epoch shared = global->replica->directory().epoch();
  kenya->write_text(up, "new", "title", "what the copy never held");
  global->write_text(all, "theirs", "title", "what shows the copy that it is one");
  exchange();
  for (int i = 0; i < 3; ++i) Wire(*kenya, *copy).run();
  ASSERT_NE(copy->replica->directory().epoch(), shared);
  ASSERT_TRUE(kenya->replica->directory().lives_of(global->id()).is_over(shared));
  for (const StoredReceipt& receipt : receipts())
    EXPECT_LT(receipt.seq, kenya->head(Audience::up).seq);
  const Directory& known = copy->replica->directory();
  for (const FeedRow row : known.own_feeds())  // on a link that stayed open
    if (known.feed(row).lane() == Lane::auth) send_feed(*kenya, *global, known.feed(row).head.feed);
  EXPECT_TRUE(global->replica->value(stored_name::restored).empty());
  EXPECT_NE(global->replica->directory().epoch(), shared);
  exchange();
  ASSERT_EQ(receipts().size(), 1U);
  EXPECT_EQ(receipts().front().seq, kenya->head(Audience::up).seq);
  EXPECT_EQ(decode_receipt(receipts().front().bytes)->epoch, global->replica->directory().epoch());
}

// The same backup was used twice: of the life in between it knows by others alone.
TEST_F(Proofs, ALifeThatWasLostWithItsDiskIsOverOnceItsNodeHasHeardOfIt) {
  kenya->write_text(up, "old", "title", "before");
  exchange();
  save(*global);
  std::vector<Epoch> lives;
  for (int time = 0; time < 2; ++time) {
    put_back(*global, With::database_only);
    Wire(*kenya, *global).run();
    confirm(*global);
    exchange();
    lives.push_back(global->replica->directory().epoch());
  }
  ASSERT_NE(lives[0], lives[1]);
  const ToldLives& told = kenya->replica->directory().lives_of(global->id());
  EXPECT_EQ(told.going_on(), std::vector{lives[1]});
}

// The original leads one of them. Nothing more may be signed with the key that is left behind.
TEST_F(Proofs, ACopyThatBecomesANodeOfItsOwnEndsNoLivesOfTheOneThatItLeaves) {
  exchange();
  save(*kenya);
  kenya->write_text(up, "insight", "title", "after the backup");
  exchange();
  put_back(*kenya, With::database_only);
  exchange();
  const Directory& known = global->replica->directory();
  put_back(*kenya, With::database_only);
  for (const KnownFeed& feed : known.feeds()) {
    if (feed.intro.node == kenya->id() && feed.lane() == Lane::auth)
      send_feed(*global, *kenya, feed.head.feed);
  }
  ASSERT_EQ(kenya->replica->directory().lives_of(kenya->id()).going_on().size(), 2U);
  ASSERT_FALSE(kenya->replica->value(stored_name::restored).empty());
  const Arrival before = kenya->replica->directory().arrival();
  static_cast<void>(kenya->replica->hand_over(SigningKey::generate(random).public_key(),
                                              ExportMark{random.fixed<InstanceToken>(), 1},
                                              Unsent::leave));
  EXPECT_EQ(kenya->store->counters().arrival, before);
}

// Kenya was put back and has not got its last entry back yet, but the parent's receipt for it.
struct EarlyReceipt : Proofs {
  EarlyReceipt() {
    kenya->write_text(up, "old", "title", "before");
    exchange();
    save(*kenya);
    kenya->write_text(up, "new", "title", "after the backup");
    for (int i = 0; i < 2; ++i) Wire(*office, *kenya).run();
    both = kenya->head(Audience::up);
    put_back(*kenya, With::database_only);
    one = kenya->head(Audience::up);
  }

  // The global node, in this life of its database; brought by the office.
  void says(Epoch epoch, const Head& head) {
    const FederationId& federation = kenya->replica->directory().authority().federation();
    ReceivedWindow window;
    window.peer = office->id();
    window.receipts = {sign_receipt(federation, {global->id(), epoch, head}, *global->key)};
    kenya->replica->receive(std::move(window));
    kenya->commit();
  }

  // As the global node tells once `next` has begun.
  void life_is_over() {
    send_forced(*global, *kenya, global->head(Audience::auth).feed, EntryKind::life,
                encode(Life{next, {life}}));
  }

  Sequence said_once_the_entry_came() {
    send_feed(*office, *kenya, both.feed);
    EXPECT_EQ(kenya->head(Audience::up), both);
    EXPECT_EQ(receipts().size(), 1U);
    return receipts().at(0).seq;
  }

  std::unique_ptr<TestNode> office = TestNode::beside(*kenya);
  Head both;
  Head one;
  Epoch life = global->replica->directory().epoch();
  Epoch next = Epoch(life.value + 1);
};

TEST_F(EarlyReceipt, CountsNoMoreOnceThatLifeIsOver) {
  says(life, both);
  life_is_over();
  says(next, one);
  EXPECT_EQ(said_once_the_entry_came(), one.seq);
}

TEST_F(EarlyReceipt, CountsThoughItsSignerSpokeInAnotherLifeBefore) {
  ASSERT_EQ(decode_receipt(receipts().at(0).bytes)->epoch, life);
  says(next, both);
  EXPECT_EQ(said_once_the_entry_came(), both.seq);
}

// What is said of a life may come before the word that the one before is over, or long after it.
TEST_F(EarlyReceipt, OfTwoLivesTheLaterOneIsKeptInAnyOrder) {
  const auto said = [&] { return decode_receipt(receipts().at(0).bytes)->epoch; };
  ASSERT_EQ(said(), life);
  says(next, one);
  EXPECT_EQ(said(), next);
  says(life, one);
  EXPECT_EQ(said(), next);
  life_is_over();
  ASSERT_EQ(receipts().size(), 1U);
  EXPECT_EQ(said(), next);
}

TEST_F(EarlyReceipt, OfALifeThatIsOverIsDroppedThoughItSaysMore) {
  send_feed(*office, *kenya, both.feed);
  says(life, both);
  ASSERT_EQ(receipts().at(0).seq, both.seq);
  life_is_over();
  EXPECT_TRUE(receipts().empty());
  says(life, both);
  EXPECT_TRUE(receipts().empty());
  says(next, one);
  EXPECT_EQ(receipts().at(0).seq, one.seq);
}

}  // namespace
}  // namespace chapterd
