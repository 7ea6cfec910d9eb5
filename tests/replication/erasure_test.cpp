// Erasure: what is ordered to be erased is nowhere any more, everybody shows the same, and nothing
// else is lost.
#include "replication/session.h"
#include "tests/support/erasing.h"
#include "tests/support/tree.h"

#include <gtest/gtest.h>

namespace chapterd {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): the nodes and their words

struct Erasure : Tree {
  static EraseOrder an_order(std::vector<Head> entries) {
    return {record_named("insight"), "insight", EraseReason::request, std::move(entries), {}, {}};
  }

  // A second machine of Kenya, of which all have heard.
  std::unique_ptr<TestNode> a_laptop() {
    auto laptop = TestNode::beside(*kenya);
    Wire(*laptop, *kenya).run();
    meet(*kenya, *global);
    meet(*uganda, *global);
    return laptop;
  }

  // Receipts of this node for the feed that Kenya writes to everybody.
  std::uint64_t receipt_of(TestNode& node) {
    const Head head = kenya->head(Audience::all);
    const KnownFeed* feed = kenya->replica->directory().feed(head.feed);
    for (const StoredReceipt& receipt : kenya->store->receipts_of(feed->row)) {
      if (receipt.node == node.id()) return receipt.seq.value;
    }
    return 0;
  }
};

TEST_F(Erasure, TakesTheValueOutOfEveryViewAndEveryFileOfWhoeverHeldIt) {
  kenya->write_text(all, "insight", "title", "Wanjiku Kamau told us");
  kenya->write_text(all, "insight", "note", "stays");
  meet(*kenya, *global);
  meet(*uganda, *global);
  ASSERT_TRUE(holds_text(*uganda, "Wanjiku Kamau"));
  erase_texts(*kenya, all, "insight", "title");
  meet(*kenya, *global);
  meet(*uganda, *global);
  for (TestNode* node : {kenya.get(), global.get(), uganda.get()}) {
    EXPECT_EQ(title(*node), Values{});
    EXPECT_EQ(node->values(Audience::all, "insight", "note"), Values{"stays"});
    EXPECT_FALSE(holds_text(*node, "Wanjiku Kamau"));
    EXPECT_EQ(node->view_hash(), kenya->view_hash());
  }
  EXPECT_EQ(receipt_of(*global), kenya->head(Audience::all).seq.value);
}

TEST_F(Erasure, WhatTheErasedWordsHadReplacedDoesNotComeBackForEarlyNorForLateNodes) {
  kenya->write_text(all, "insight", "title", "first");
  meet(*kenya, *global);
  kenya->write_text(all, "insight", "title", "second, by Wanjiku");
  meet(*kenya, *global);
  ASSERT_EQ(title(*global), Values{"second, by Wanjiku"});
  erase_texts(*kenya, all, "insight", "title", "Wanjiku");
  meet(*kenya, *global);
  meet(*uganda, *global);  // never saw the words themselves
  for (TestNode* node : {kenya.get(), global.get(), uganda.get()}) {
    EXPECT_EQ(title(*node), Values{}) << "the first title shows again";
    EXPECT_EQ(node->view_hash(), kenya->view_hash());
    const std::string before = node->view_hash();
    ASSERT_TRUE(node->replica->rebuild());
    EXPECT_EQ(node->view_hash(), before);
    node->restart();
    EXPECT_EQ(node->view_hash(), before);
  }
}

TEST_F(Erasure, AnOrderThatIsHereFirstErasesTheEntryAsItArrives) {
  // Two machines of Kenya: the office orders what the laptop wrote, and global hears the office
  // first.
  auto laptop = a_laptop();
  laptop->write_text(all, "insight", "title", "by Wanjiku, on the laptop");
  Wire(*laptop, *kenya).run();
  erase_texts(*kenya, all, "insight", "title");
  const Head order = kenya->head(Audience::all);
  // Global takes only the office's own feed at first: the order.
  send_feed(*kenya, *global, order.feed);
  ASSERT_EQ(head_held(*global, order.feed).seq, order.seq);
  send_feed(*laptop, *global, laptop->head(Audience::all).feed);
  EXPECT_EQ(title(*global), Values{});
  EXPECT_FALSE(holds_text(*global, "Wanjiku"));
  EXPECT_FALSE(holds_text(*kenya, "Wanjiku"));
  ASSERT_TRUE(holds_text(*laptop, "Wanjiku"));
  Wire(*laptop, *kenya).run();
  EXPECT_FALSE(holds_text(*laptop, "Wanjiku"));
  EXPECT_EQ(laptop->view_hash(), kenya->view_hash());
}

TEST_F(Erasure, AMissingPayloadIsNotReceiptedBeforeItsOrderIsHere) {
  auto laptop = a_laptop();
  laptop->write_text(all, "insight", "title", "by Wanjiku, on the laptop");
  Wire(*laptop, *kenya).run();
  erase_texts(*kenya, all, "insight", "title");
  const Head words = laptop->head(Audience::all);
  send_feed(*kenya, *global, words.feed);  // erased already, its order not here
  const KnownFeed* feed = global->replica->directory().feed(words.feed);
  ASSERT_NE(feed, nullptr);
  EXPECT_EQ(global->replica->erasures().first_hole(feed->row), words.seq);
  EXPECT_TRUE(global->store->receipts_of(feed->row).empty());
  send_feed(*kenya, *global, kenya->head(Audience::all).feed);
  EXPECT_EQ(global->replica->erasures().first_hole(feed->row), Sequence(0));
  const auto receipts = global->store->receipts_of(feed->row);
  ASSERT_EQ(receipts.size(), 1U);
  EXPECT_EQ(receipts.front().seq, words.seq);
}

TEST_F(Erasure, ReachesOnlyTheLastHundredOwnEntriesWithoutTheChaptersAuthority) {
  const Written first = kenya->write_text(all, "insight", "title", "old");
  const auto erase = [&](const SigningKey* authority) {
    return kenya->replica->erase(
        {all, record_named("insight"), {first.hash}, EraseReason::request, authority});
  };
  for (int i = 0; i < 100; ++i) kenya->write_text(all, "other", "title", std::to_string(i));
  const auto refused = erase(nullptr);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "erase.needs-authority");
  ASSERT_TRUE(erase(kenya->authority.get()));
  kenya->commit();
  EXPECT_EQ(title(*kenya), Values{});
}

// A thief has the laptop's key and writes what no honest program would.
TEST_F(Erasure, AnOrderBeyondWhatItsAuthorMayIsKeptAndPassedOnAndNotObeyed) {
  const Written first = kenya->write_text(all, "insight", "title", "old");
  for (int i = 0; i < 100; ++i) kenya->write_text(all, "other", "title", std::to_string(i));
  meet(*kenya, *global);
  testing::send_forced_order(*kenya, *global, place_of(*kenya, first).feed,
                             an_order({place_of(*kenya, first)}));
  meet(*uganda, *global);
  EXPECT_EQ(title(*global), Values{"old"});
  EXPECT_EQ(title(*uganda), Values{"old"});
  const FeedId& feed = kenya->head(Audience::all).feed;
  EXPECT_EQ(head_held(*uganda, feed).seq, kenya->head(Audience::all).seq.next());
}

TEST_F(Erasure, NobodyErasesWhatAnotherChapterWrote) {
  const Written words = kenya->write_text(all, "insight", "title", "Kenya's");
  meet(*kenya, *global);
  const Written own = uganda->write_text(all, "own", "title", "Uganda's");
  meet(*uganda, *global);
  EraseOrder order = an_order({place_of(*kenya, words)});
  sign(order, uganda->replica->directory().authority().federation(), *uganda->authority);
  testing::send_forced_order(*uganda, *global, place_of(*uganda, own).feed, order);
  meet(*kenya, *global);
  EXPECT_EQ(title(*global), Values{"Kenya's"});
  EXPECT_EQ(title(*kenya), Values{"Kenya's"});
}

TEST_F(Erasure, AnOrderInOneAudienceLeavesTheOtherAlone) {
  const Written words = kenya->write_text(up, "insight", "title", "above");
  const Written other = kenya->write_text(all, "other", "title", "everywhere");
  meet(*kenya, *global);
  EraseOrder order = an_order({place_of(*kenya, words)});
  sign(order, kenya->replica->directory().authority().federation(), *kenya->authority);
  testing::send_forced_order(*kenya, *global, place_of(*kenya, other).feed, order);
  EXPECT_EQ(global->values(Audience::up, "insight", "title"), Values{"above"});
}

// The seed of a run would give the salt of the erased words, and with it a way to test guesses.
TEST_F(Erasure, LeavesNoSeedOfTheRunInAnyPieceOfIt) {
  for (int i = 0; i < 3; ++i) kenya->write_text(all, "other", "title", std::to_string(i));
  const Written words = kenya->write_text(all, "insight", "title", "Wanjiku");
  for (int i = 0; i < 3; ++i) kenya->write_text(all, "other", "title", std::to_string(i));
  meet(*kenya, *global);
  erase_texts(*kenya, all, "insight", "title");
  kenya->write_text(all, "other", "title", "after");
  meet(*kenya, *global);
  for (TestNode* node : {kenya.get(), global.get()}) {
    const KnownFeed* feed = node->replica->directory().feed(place_of(*kenya, words).feed);
    for (const StoredPiece& stored : node->store->pieces_of(feed->row, Sequence(1), SIZE_MAX)) {
      const auto piece = decode_piece(stored.body);
      ASSERT_TRUE(piece);
      if (piece->first.value <= 7) {
        EXPECT_FALSE(piece->seed) << piece->first.value;
      }
    }
  }
}

// A cut that comes later: the order does not stand, so the words are a hole that is told.
TEST_F(Erasure, AnOrderBeyondACutLeavesAHoleThatNoReceiptCovers) {
  kenya->write_text(all, "insight", "title", "kept");
  const Head cut = kenya->head(Audience::all);
  erase_texts(*kenya, all, "insight", "title");
  meet(*kenya, *global);
  ASSERT_EQ(title(*global), Values{});
  global->revoke(kenya->id(), {cut});
  const KnownFeed* feed = global->replica->directory().feed(cut.feed);
  EXPECT_EQ(global->replica->erasures().first_hole(feed->row), Sequence(1));
  global->restart();
  feed = global->replica->directory().feed(cut.feed);
  EXPECT_EQ(global->replica->erasures().first_hole(feed->row), Sequence(1));
}

// A courier that withholds a payload makes a hole; whoever still has it fills it.
TEST_F(Erasure, AWithheldPayloadIsAskedForAgainAndTakesItsPlaceInTheRecord) {
  kenya->write_text(all, "insight", "title", "first");
  meet(*kenya, *global);
  kenya->write_text(all, "insight", "title", "second");
  kenya->write_text(all, "insight", "note", "third");
  send_feed_without(*kenya, *global, kenya->head(Audience::all).feed, Sequence(2));
  const KnownFeed* feed = global->replica->directory().feed(kenya->head(Audience::all).feed);
  ASSERT_EQ(global->replica->erasures().first_hole(feed->row), Sequence(2));
  ASSERT_EQ(title(*global), Values{"first"});
  meet(*kenya, *global);
  EXPECT_EQ(global->replica->erasures().first_hole(feed->row), Sequence(0));
  EXPECT_EQ(title(*global), Values{"second"});
  EXPECT_EQ(global->view_hash(), kenya->view_hash());
  EXPECT_EQ(receipt_of(*global), 3U);
  kenya->write_text(all, "insight", "title", "fourth");
  meet(*kenya, *global);
  EXPECT_EQ(global->view_hash(), kenya->view_hash());
  ASSERT_TRUE(global->replica->rebuild());
  EXPECT_EQ(global->view_hash(), kenya->view_hash());
}

// A thief ordered it; the cut takes the order back, and a node that never obeyed has the words yet.
TEST_F(Erasure, WhatAnOrderBeyondALaterCutTookAwayComesBack) {
  kenya->write_text(all, "insight", "title", "kept");
  const Head cut = kenya->head(Audience::all);
  meet(*kenya, *global);
  meet(*uganda, *global);
  erase_texts(*kenya, all, "insight", "title");
  meet(*kenya, *global);
  ASSERT_EQ(title(*global), Values{});
  global->revoke(kenya->id(), {cut});
  meet(*uganda, *global);
  EXPECT_EQ(title(*global), Values{"kept"});
  EXPECT_EQ(global->view_hash(), uganda->view_hash());
}

// An old backup is opened again: what it missed comes in its first exchange.
TEST_F(Erasure, ADatabaseFromBeforeTheOrderLosesTheWordsInItsFirstExchange) {
  kenya->write_text(all, "insight", "title", "Wanjiku told us");
  meet(*kenya, *global);
  meet(*uganda, *global);
  uganda->restart();  // what is in its write-ahead log goes into the file
  const std::string database = uganda->folder.file("chapterd.db");
  std::filesystem::copy_file(database, database + ".kept");
  erase_texts(*kenya, all, "insight", "title");
  meet(*kenya, *global);
  meet(*uganda, *global);
  ASSERT_EQ(title(*uganda), Values{});
  uganda->directory.reset();
  uganda->replica.reset();
  uganda->store.reset();
  for (const char* beside : {"-wal", "-shm"}) std::filesystem::remove(database + beside);
  std::filesystem::rename(database + ".kept", database);
  uganda->restart();
  ASSERT_EQ(title(*uganda), Values{"Wanjiku told us"});
  for (int i = 0; i < 3; ++i) Wire(*uganda, *global).run();
  EXPECT_EQ(title(*uganda), Values{});
  EXPECT_FALSE(holds_text(*uganda, "Wanjiku"));
}

// An order waits for the certificate by which it is judged, and is found again after a rebuild.
TEST_F(Erasure, AnOrderThatDoesNotCountStaysDoubtfulThroughRestartAndRebuild) {
  const Written first = kenya->write_text(all, "insight", "title", "old");
  for (int i = 0; i < 100; ++i) kenya->write_text(all, "other", "title", std::to_string(i));
  meet(*kenya, *global);
  testing::send_forced_order(*kenya, *global, place_of(*kenya, first).feed,
                             an_order({place_of(*kenya, first)}));
  ASSERT_EQ(global->replica->erasures().doubtful().size(), 1U);
  const std::size_t pending = global->store->pending(Arrival(0), 100).size();
  global->restart();
  ASSERT_TRUE(global->replica->rebuild());
  EXPECT_EQ(global->replica->erasures().doubtful().size(), 1U);
  EXPECT_EQ(global->store->pending(Arrival(0), 100).size(), pending);
  EXPECT_EQ(title(*global), Values{"old"});
}

// Two machines write and erase; three nodes hear of it in three orders, early and late, some twice.
// Which of the two is learned first must not decide.
TEST_F(Erasure, AnOrderFromBeforeAKeyWasReplacedCountsForThoseWhoHearOfTheNewKeyFirst) {
  auto laptop = a_laptop();
  laptop->write_text(all, "insight", "title", "Wanjiku Kamau told us");
  meet(*laptop, *kenya);
  meet(*kenya, *global);
  meet(*uganda, *global);
  erase_texts(*kenya, all, "insight", "title");
  const SigningKey next = SigningKey::generate(random);
  const FederationId& federation = kenya->replica->directory().authority().federation();
  Successor successor;
  successor.chapter = kenya->chapter();
  successor.authority = next.public_key();
  successor.acceptance = accept_succession(federation, kenya->chapter(), next);
  const Bytes statement =
      sign_statement(federation, {kenya->chapter(), 2, successor}, *kenya->authority);
  ASSERT_TRUE(uganda->replica->write_statement(statement));
  uganda->commit();
  meet(*kenya, *global);
  meet(*uganda, *global);
  ASSERT_TRUE(uganda->replica->erasures().doubtful().empty());
  for (TestNode* node : {kenya.get(), global.get(), uganda.get()}) {
    EXPECT_EQ(title(*node), Values{});
    EXPECT_FALSE(holds_text(*node, "Wanjiku Kamau"));
    EXPECT_EQ(node->view_hash(), kenya->view_hash());
  }
}

TEST_F(Erasure, AnyOrderOfArrivalGivesTheSameViews) {
  auto laptop = a_laptop();
  auto rwanda = TestNode::below(*global, "RW");
  meet(*rwanda, *global);
  const std::vector<TestNode*> authors{kenya.get(), laptop.get()};
  const std::vector<TestNode*> hearers{global.get(), uganda.get(), rwanda.get()};
  const auto tell = [&](TestNode& to) {
    TestNode& from = *authors[random.below(2)];
    TestNode& author = *authors[random.below(2)];
    const FeedId feed = author.head(Audience::all).feed;
    if (head_held(from, feed).seq > head_held(to, feed).seq) send_feed(from, to, feed);
  };
  for (TestNode* author : authors) author->write_text(all, "0", "title", "begun");
  for (int step = 0; step < 120; ++step) {
    TestNode& author = *authors[random.below(2)];
    const std::string record = std::to_string(random.below(3));
    const std::string field = random.below(2) == 0 ? "title" : "note";
    const std::size_t what = random.below(10);
    if (what < 5) {
      author.write_text(all, record, field, "words " + std::to_string(step));
    } else if (what < 7) {
      testing::erase_some(author, all, record, random);
    } else if (what < 8) {
      Wire(*laptop, *kenya).run();
    } else {
      tell(*hearers[random.below(3)]);
    }
  }
  Wire(*laptop, *kenya).run();
  for (TestNode* hearer : hearers) {
    for (TestNode* author : authors) send_feed(*kenya, *hearer, author->head(Audience::all).feed);
  }
  for (TestNode* node : {kenya.get(), laptop.get(), global.get(), uganda.get(), rwanda.get()}) {
    EXPECT_EQ(node->view_hash(), kenya->view_hash());
    for (const KnownFeed& feed : node->replica->directory().feeds())
      EXPECT_EQ(node->replica->erasures().first_hole(feed.row), Sequence(0));
    const std::string before = node->view_hash();
    ASSERT_TRUE(node->replica->rebuild());
    EXPECT_EQ(node->view_hash(), before);
  }
}

}  // namespace
}  // namespace chapterd
