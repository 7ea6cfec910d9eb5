// What every backend must do. A backend's test file includes this and instantiates the suite.
// Long because: one place says all that a backend must do.
#pragma once

#include "replication/store/store.h"
#include "tests/store/builders.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace chapterd {

// One empty database, which can be closed and opened again.
class Backend {
 public:
  virtual ~Backend() = default;
  // The one before must be gone.
  virtual std::unique_ptr<Store> open() = 0;
  virtual std::unique_ptr<Reader> open_reader() = 0;
};

using MakeBackend = std::unique_ptr<Backend> (*)();

class StoreContract : public testing::TestWithParam<MakeBackend> {
 protected:
  StoreContract() : backend_(GetParam()()), store_(backend_->open()) {}

  void reopen() {
    store_.reset();
    store_ = backend_->open();
  }

  // Commits the ground and then `batch`, and reopens.
  void commit_durably(const Batch& batch) {
    store_->commit(ground());
    store_->commit(batch);
    reopen();
  }

  std::unique_ptr<Backend> backend_;
  std::unique_ptr<Store> store_;
};

using Numbers = std::vector<std::uint64_t>;

TEST_P(StoreContract, AnswersNothingWhenEmpty) {
  const Counters counters = store_->counters();
  EXPECT_EQ(counters.arrival.value, 0U);
  EXPECT_EQ(counters.feed.value, 0U);
  EXPECT_EQ(counters.layer.value, 0U);
  EXPECT_EQ(counters.peer, 0U);
  EXPECT_TRUE(store_->feeds_after(FeedRow(0), 10).empty());
  EXPECT_TRUE(store_->cut_feeds().empty());
  EXPECT_TRUE(store_->spaces_after(SpaceRow(0)).empty());
  EXPECT_TRUE(store_->kinds_after(KindRow(0)).empty());
  EXPECT_TRUE(store_->pieces_after(Lane::live, Arrival(0), 10).empty());
  EXPECT_TRUE(store_->pieces_after(Lane::auth, Arrival(0), 10).empty());
  EXPECT_TRUE(store_->heads_after(Arrival(0), 10).empty());
  EXPECT_TRUE(store_->pieces_of(FeedRow(1), Sequence(1), 10).empty());
  EXPECT_FALSE(store_->piece_at(Arrival(1)).has_value());
  EXPECT_TRUE(store_->layers_of(id_of<RecordId>(1)).empty());
  EXPECT_FALSE(store_->layer(SpaceRow(1), id_of<RecordId>(1)).has_value());
  EXPECT_TRUE(store_->records_of(KindRow(1), LayerRow(0), 10).empty());
  EXPECT_TRUE(store_->layers_after(LayerRow(0), 10).empty());
  EXPECT_TRUE(store_->receipts_after(Arrival(0), 10).empty());
  EXPECT_TRUE(store_->receipts_of(FeedRow(1)).empty());
  EXPECT_TRUE(store_->peers().empty());
  EXPECT_TRUE(store_->pending(Arrival(0), 10).empty());
  EXPECT_TRUE(store_->values("").empty());
  EXPECT_TRUE(store_->check().empty());
}

TEST_P(StoreContract, ASnapshotShowsWhatWasThereUntilItGoes) {
  store_->commit(ground());
  const auto reader = backend_->open_reader();
  Batch batch;
  batch.values.push_back({"name", Bytes{1}});
  if (const Snapshot before(*reader); reader->values("").empty()) {
    store_->commit(batch);
    EXPECT_TRUE(reader->values("name").empty());
  }
  EXPECT_EQ(reader->values("name").size(), 1U);
}

TEST_P(StoreContract, HoldsTheLogOfABatchAfterReopening) {
  commit_durably(one_of_everything());
  const auto feeds = store_->feeds_after(FeedRow(0), 10);
  ASSERT_EQ(feeds.size(), 3U);
  EXPECT_EQ(feeds[0].seq, Sequence(2));
  EXPECT_EQ(feeds[0].hash, id_of<EntryHash>(3));
  EXPECT_EQ(feeds[0].intro, (Bytes{1, 2, 1}));
  EXPECT_EQ(feeds[2].id, id_of<FeedId>(3));
  const auto piece = store_->piece_at(Arrival(1));
  ASSERT_TRUE(piece.has_value());
  EXPECT_EQ(piece->feed, FeedRow(1));
  EXPECT_EQ(piece->count, 2U);
  EXPECT_EQ(piece->lane, Lane::live);
  EXPECT_EQ(piece->via, 7U);
  EXPECT_EQ(piece->prev, id_of<EntryHash>(1));
  EXPECT_EQ(piece->last, id_of<EntryHash>(3));
  EXPECT_EQ(piece->body, Bytes(10, 1));
  EXPECT_EQ(piece->links, (Bytes{0, 3}));
  EXPECT_TRUE(store_->check().empty());
}

TEST_P(StoreContract, AVoidedReceiptIsGoneAndOthersStay) {
  commit_durably(one_of_everything());
  const auto before = store_->receipts_of(FeedRow(1));
  ASSERT_FALSE(before.empty());
  Batch batch;
  batch.voided = {{FeedRow(1), before.front().node}, {FeedRow(2), before.front().node}};
  store_->commit(batch);
  EXPECT_EQ(store_->receipts_of(FeedRow(1)).size(), before.size() - 1);
}

TEST_P(StoreContract, HoldsTheRestOfABatchAfterReopening) {
  commit_durably(one_of_everything());
  const auto spaces = store_->spaces_after(SpaceRow(3));
  ASSERT_EQ(spaces.size(), 1U);
  EXPECT_EQ(spaces[0].home, id_of<ChapterId>(9));
  EXPECT_EQ(spaces[0].audience, Audience::to);
  EXPECT_EQ(spaces[0].target, id_of<ChapterId>(5));
  const auto kinds = store_->kinds_after(KindRow(2));
  ASSERT_EQ(kinds.size(), 1U);
  EXPECT_EQ(kinds[0].name, "review");
  const auto layer = store_->layer(SpaceRow(1), id_of<RecordId>(1));
  ASSERT_TRUE(layer.has_value());
  EXPECT_EQ(layer->row, LayerRow(1));
  EXPECT_EQ(layer->newest, Arrival(1));
  EXPECT_EQ(layer->state, (Bytes{9, 1}));
  const auto receipts = store_->receipts_of(FeedRow(1));
  ASSERT_EQ(receipts.size(), 1U);
  EXPECT_EQ(receipts[0].node, id_of<PublicKey>(1));
  EXPECT_EQ(receipts[0].via, 3U);
  EXPECT_EQ(receipts[0].bytes, (Bytes{4, 5}));
  const auto peers = store_->peers();
  ASSERT_EQ(peers.size(), 1U);
  EXPECT_EQ(peers[0].epoch, Epoch(0xFFFF'0000'FFFF'0000U));
  EXPECT_EQ(peers[0].grant, 5U);
  EXPECT_EQ(peers[0].held[2], Arrival(12));
  EXPECT_EQ(peers[0].acknowledged[0], Arrival(20));
  EXPECT_EQ(peers[0].heard_ms, -1);
  ASSERT_EQ(store_->pending(Arrival(0), 10).size(), 1U);
  EXPECT_EQ(store_->pending(Arrival(0), 10)[0].waits_for, "format");
  ASSERT_EQ(store_->values("").size(), 1U);
}

// Peers whose cursor stands at that number would pass over whatever got it next.
TEST_P(StoreContract, HandsOutNoArrivalTwiceAlsoWhenTheNewestReceiptIsVoided) {
  commit_durably(one_of_everything());
  ASSERT_EQ(store_->counters().arrival, Arrival(3));
  Batch batch;
  batch.voided.emplace_back(FeedRow(1), id_of<PublicKey>(1));
  store_->commit(batch);
  reopen();
  ASSERT_TRUE(store_->receipts_of(FeedRow(1)).empty());
  EXPECT_EQ(store_->counters().arrival, Arrival(3));
}

TEST_P(StoreContract, CountsWhatWasHandedOutAlsoAfterReopening) {
  commit_durably(one_of_everything());
  const Counters counters = store_->counters();
  EXPECT_EQ(counters.arrival, Arrival(3));  // the receipt came last
  EXPECT_EQ(counters.feed, FeedRow(3));
  EXPECT_EQ(counters.space, SpaceRow(4));
  EXPECT_EQ(counters.kind, KindRow(3));
  EXPECT_EQ(counters.layer, LayerRow(1));
  EXPECT_EQ(counters.peer, 1U);
  Batch batch;
  batch.pieces = {piece_of(4, 1, 3, 5)};
  store_->commit(batch);
  EXPECT_EQ(store_->counters().arrival, Arrival(8));  // the piece's last entry
}

TEST_P(StoreContract, HoldsNothingOfABatchThatCannotBeCommitted) {
  store_->commit(ground());
  Batch batch = one_of_everything();
  batch.values.push_back({"invite/2", {2}});
  batch.peers.push_back(peer_of(2, 1));  // a node twice: refused after most of the batch
  EXPECT_THROW(store_->commit(batch), Broken);
  reopen();
  EXPECT_EQ(store_->counters().arrival, Arrival(0));
  EXPECT_EQ(store_->counters().feed, FeedRow(2));
  EXPECT_EQ(store_->feeds_after(FeedRow(0), 1)[0].seq, Sequence(0));
  EXPECT_TRUE(store_->heads_after(Arrival(0), 10).empty());
  EXPECT_TRUE(store_->layers_after(LayerRow(0), 10).empty());
  EXPECT_TRUE(store_->records_of(KindRow(1), LayerRow(0), 10).empty());
  EXPECT_TRUE(store_->peers().empty());
  EXPECT_TRUE(store_->pending(Arrival(0), 10).empty());
  EXPECT_TRUE(store_->values("").empty());
}

TEST_P(StoreContract, RefusesAnUpdateOfARowThatIsNotThere) {
  store_->commit(ground());
  Batch head;
  head.heads = {feed_of(9)};
  EXPECT_THROW(store_->commit(head), Broken);
  Batch layer;
  layer.layers = {layer_of(9, 1, 1, 1)};
  EXPECT_THROW(store_->commit(layer), Broken);
}

TEST_P(StoreContract, HoldsBranchesOfOneFeedAndHowFarEachOfThemCounts) {
  Batch batch;
  batch.feeds = {feed_of(3)};
  batch.feeds[0].id = id_of<FeedId>(1);
  batch.feeds[0].seq = Sequence(7);
  batch.feeds[0].trunk = FeedRow(1);
  batch.feeds[0].fork = Position{Sequence(5), id_of<EntryHash>(5)};
  batch.feeds[0].stands = Position{Sequence(6), id_of<EntryHash>(6)};
  commit_durably(batch);
  const auto feeds = store_->feeds_after(FeedRow(2), 10);
  ASSERT_EQ(feeds.size(), 1U);
  EXPECT_EQ(feeds[0].trunk, FeedRow(1));
  EXPECT_EQ(feeds[0].fork, batch.feeds[0].fork);
  EXPECT_EQ(feeds[0].stands, batch.feeds[0].stands);
  ASSERT_EQ(store_->cut_feeds().size(), 1U);
  EXPECT_EQ(store_->cut_feeds()[0].row, FeedRow(3));
  EXPECT_EQ(store_->feeds_after(FeedRow(0), 1)[0].stands.seq, stands_whole);
  Batch update;
  update.heads = {feeds[0]};
  update.heads[0].stands = Position{stands_whole, {}};
  store_->commit(update);
  EXPECT_TRUE(store_->cut_feeds().empty());
}

TEST_P(StoreContract, RefusesABranchThatIsThereAlready) {
  store_->commit(ground());
  Batch batch;
  batch.feeds = {feed_of(3)};
  batch.feeds[0].id = id_of<FeedId>(1);  // with the same newest entry: none
  EXPECT_THROW(store_->commit(batch), Broken);
}

TEST_P(StoreContract, MovesAPieceToAnotherFeedWhereItLiesInTheLog) {
  store_->commit(ground());
  Batch batch;
  batch.pieces = {piece_of(1, 1, 1, 3)};
  store_->commit(batch);
  batch = {};
  batch.moved = {piece_of(1, 2, 1, 3)};
  batch.moved[0].body = {5};
  batch.moved[0].links = {6, 7};
  store_->commit(batch);
  reopen();
  EXPECT_TRUE(store_->pieces_of(FeedRow(1), Sequence(1), 100).empty());
  const auto moved = store_->pieces_of(FeedRow(2), Sequence(1), 100);
  ASSERT_EQ(moved.size(), 1U);
  EXPECT_EQ(moved[0].arrival, Arrival(1));
  EXPECT_EQ(moved[0].body, Bytes{5});
  EXPECT_EQ(moved[0].links, (Bytes{6, 7}));
  batch.moved = {piece_of(9, 2, 9, 1)};
  EXPECT_THROW(store_->commit(batch), Broken);
}

TEST_P(StoreContract, ANewPieceMayComeToWhereAMovedOneWas) {
  store_->commit(ground());
  Batch batch;
  batch.pieces = {piece_of(1, 1, 1, 3)};
  store_->commit(batch);
  batch.moved = {piece_of(1, 2, 1, 3)};
  batch.pieces = {piece_of(4, 1, 1, 3)};
  store_->commit(batch);
  EXPECT_EQ(store_->pieces_of(FeedRow(1), Sequence(1), 100).front().arrival, Arrival(4));
  EXPECT_EQ(store_->pieces_of(FeedRow(2), Sequence(1), 100).front().arrival, Arrival(1));
}

TEST_P(StoreContract, MovesCursorHeadAndEntriesTogether) {
  store_->commit(ground());
  Batch batch;
  batch.pieces = {piece_of(1, 1, 1, 3)};
  batch.heads = {feed_of(1)};
  batch.heads[0].seq = Sequence(3);
  batch.peers = {peer_of(1, 4)};
  batch.peers[0].held[2] = Arrival(77);
  store_->commit(batch);
  const auto reader = backend_->open_reader();
  EXPECT_EQ(reader->counters().arrival, Arrival(3));
  EXPECT_EQ(reader->feeds_after(FeedRow(0), 1)[0].seq, Sequence(3));
  EXPECT_EQ(reader->peers()[0].held[2], Arrival(77));
  batch = {};
  batch.peers = {peer_of(1, 4)};
  store_->commit(batch);  // a known peer is replaced
  ASSERT_EQ(reader->peers().size(), 1U);
  EXPECT_EQ(reader->peers()[0].held[2], Arrival(12));
}

TEST_P(StoreContract, GivesPiecesByLaneInOrderOfArrival) {
  commit_durably(mixed_log());
  EXPECT_EQ(arrivals_of(store_->pieces_after(Lane::live, Arrival(0), 1000)), (Numbers{1, 4, 8}));
  EXPECT_EQ(arrivals_of(store_->pieces_after(Lane::auth, Arrival(0), 1000)), (Numbers{3, 7}));
  EXPECT_EQ(arrivals_of(store_->pieces_after(Lane::live, Arrival(1), 1000)), (Numbers{4, 8}));
  EXPECT_EQ(arrivals_of(store_->pieces_after(Lane::auth, Arrival(3), 1000)), (Numbers{7}));
  EXPECT_EQ(arrivals_of(store_->pieces_after(Lane::auth, Arrival(7), 1000)), Numbers{});
}

TEST_P(StoreContract, EndsPiecesAtTheLimitOfBytesButGivesOne) {
  commit_durably(mixed_log());  // bodies of 10 bytes
  EXPECT_EQ(arrivals_of(store_->pieces_after(Lane::live, Arrival(0), 0)), (Numbers{1}));
  EXPECT_EQ(arrivals_of(store_->pieces_after(Lane::live, Arrival(0), 10)), (Numbers{1}));
  EXPECT_EQ(arrivals_of(store_->pieces_after(Lane::live, Arrival(0), 11)), (Numbers{1, 4}));
  EXPECT_EQ(arrivals_of(store_->pieces_of(FeedRow(1), Sequence(1), 20)), (Numbers{1, 7}));
}

TEST_P(StoreContract, GivesHeadsOfAllLanesWithoutBodies) {
  commit_durably(mixed_log());
  const auto heads = store_->heads_after(Arrival(1), 3);
  EXPECT_EQ(arrivals_of(heads), (Numbers{3, 4, 7}));
  EXPECT_EQ(heads[0].lane, Lane::auth);
  EXPECT_EQ(heads[1].count, 3U);
  EXPECT_TRUE(heads[1].body.empty());
  EXPECT_TRUE(heads[1].links.empty());
}

TEST_P(StoreContract, StartsAFeedAtThePieceThatHoldsTheEntry) {
  commit_durably(mixed_log());
  EXPECT_EQ(arrivals_of(store_->pieces_of(FeedRow(2), Sequence(1), 1000)), (Numbers{3, 4}));
  EXPECT_EQ(arrivals_of(store_->pieces_of(FeedRow(2), Sequence(2), 1000)), (Numbers{4}));
  EXPECT_EQ(arrivals_of(store_->pieces_of(FeedRow(2), Sequence(4), 1000)), (Numbers{4}));
  EXPECT_EQ(arrivals_of(store_->pieces_of(FeedRow(2), Sequence(5), 1000)), Numbers{});
  EXPECT_EQ(arrivals_of(store_->pieces_of(FeedRow(1), Sequence(0), 1000)), (Numbers{1, 7, 8}));
}

TEST_P(StoreContract, FindsThePieceOfItsFirstMiddleAndLastArrival) {
  Batch batch = mixed_log();
  batch.receipts = {receipt_of(9, 1, 1, 1)};
  batch.pieces.push_back(piece_of(10, 1, 5, 1));
  commit_durably(batch);
  for (const std::uint64_t arrival : {4U, 5U, 6U}) {
    const auto piece = store_->piece_at(Arrival(arrival));
    ASSERT_TRUE(piece.has_value()) << arrival;
    EXPECT_EQ(piece->arrival, Arrival(4)) << arrival;
  }
  EXPECT_FALSE(store_->piece_at(Arrival(0)).has_value());
  EXPECT_FALSE(store_->piece_at(Arrival(9)).has_value());  // a receipt's
  EXPECT_FALSE(store_->piece_at(Arrival(11)).has_value());
}

TEST_P(StoreContract, KeepsLargeBodiesAndEmptyOnes) {
  Batch batch;
  batch.pieces = {piece_of(1, 1, 1, 64, 60'000), piece_of(65, 1, 65, 1, 0)};
  batch.pieces[1].links.clear();
  commit_durably(batch);
  EXPECT_EQ(store_->piece_at(Arrival(2))->body, Bytes(60'000, 1));
  EXPECT_TRUE(store_->piece_at(Arrival(65))->body.empty());
}

TEST_P(StoreContract, UpdatesLayersInPlace) {
  Batch batch;
  batch.new_layers = {layer_of(1, 1, 1, 1), layer_of(2, 2, 1, 1)};
  commit_durably(batch);
  Batch update;
  update.layers = {layer_of(1, 1, 1, 1)};
  update.layers[0].newest = Arrival(44);
  update.layers[0].state = Bytes(9'000, 4);
  store_->commit(update);
  reopen();
  const auto layers = store_->layers_of(id_of<RecordId>(1));
  EXPECT_EQ(rows_of(layers), (Numbers{1, 2}));
  EXPECT_EQ(layers[0].newest, Arrival(44));
  EXPECT_EQ(layers[0].state, Bytes(9'000, 4));
  EXPECT_EQ(layers[1].state, (Bytes{9, 2}));
  EXPECT_EQ(rows_of(store_->layers_after(LayerRow(0), 10)), (Numbers{1, 2}));
  EXPECT_EQ(rows_of(store_->layers_after(LayerRow(0), 1)), (Numbers{1}));
  EXPECT_EQ(rows_of(store_->layers_after(LayerRow(1), 10)), (Numbers{2}));
}

TEST_P(StoreContract, ListsEachRecordOfAKindOnceByItsOldestLayer) {
  Batch batch;
  batch.new_layers = {layer_of(1, 1, 1, 1),  // record 1 of home 1
                      layer_of(2, 2, 1, 1),  // its second layer
                      layer_of(3, 3, 1, 1),  // the same id at home 2: another record
                      layer_of(4, 1, 2, 2), layer_of(5, 1, 3, 1)};
  commit_durably(batch);
  batch = {};
  batch.new_layers = {layer_of(7, 2, 3, 1), layer_of(6, 1, 4, 1)};  // in any order
  store_->commit(batch);
  EXPECT_EQ(rows_of(store_->records_of(KindRow(1), LayerRow(0), 10)), (Numbers{1, 3, 5, 6}));
  EXPECT_EQ(rows_of(store_->records_of(KindRow(1), LayerRow(1), 2)), (Numbers{3, 5}));
  EXPECT_EQ(rows_of(store_->records_of(KindRow(1), LayerRow(5), 10)), (Numbers{6}));
  EXPECT_EQ(rows_of(store_->records_of(KindRow(1), LayerRow(7), 10)), Numbers{});
  EXPECT_EQ(rows_of(store_->records_of(KindRow(1), LayerRow(0), 0)), Numbers{});
  const auto members = store_->records_of(KindRow(2), LayerRow(0), 10);
  EXPECT_EQ(rows_of(members), (Numbers{4}));
  EXPECT_TRUE(members[0].state.empty());
}

TEST_P(StoreContract, ListsManyRecordsFromAnyRowOn) {
  Batch batch;
  for (std::uint64_t row = 1; row <= 1'000; ++row) {
    StoredLayer layer = layer_of(row, 1, 0, 1 + row % 2);
    layer.record.bytes[0] = static_cast<std::uint8_t>(row);
    layer.record.bytes[1] = static_cast<std::uint8_t>(row >> 8U);
    batch.new_layers.push_back(layer);
  }
  commit_durably(batch);
  for (std::uint64_t after = 0; after <= 1'000; after += 37) {
    const auto records = store_->records_of(KindRow(1), LayerRow(after), 2'000);
    EXPECT_EQ(records.size(), 500 - after / 2) << after;
    if (!records.empty()) {
      EXPECT_GT(records[0].row, LayerRow(after));
    }
  }
}

TEST_P(StoreContract, ReplacesTheReceiptOfANodeForAFeed) {
  Batch batch;
  batch.receipts = {receipt_of(1, 1, 1, 5), receipt_of(2, 1, 2, 5), receipt_of(3, 2, 1, 5)};
  commit_durably(batch);
  batch = {};
  batch.receipts = {receipt_of(4, 1, 1, 9)};
  store_->commit(batch);
  const auto receipts = store_->receipts_of(FeedRow(1));
  ASSERT_EQ(receipts.size(), 2U);
  EXPECT_EQ(receipts[1].arrival, Arrival(4));
  EXPECT_EQ(receipts[1].seq, Sequence(9));
  EXPECT_EQ(store_->receipts_after(Arrival(0), 10).size(), 3U);
  EXPECT_EQ(store_->receipts_after(Arrival(2), 1)[0].arrival, Arrival(3));
  EXPECT_EQ(store_->receipts_after(Arrival(3), 10)[0].arrival, Arrival(4));
}

TEST_P(StoreContract, ForgetsWhatIsSettled) {
  Batch batch;
  batch.pending = {{Arrival(3), "format"}, {Arrival(1), "sealed"}, {Arrival(2), "format"}};
  commit_durably(batch);
  batch = {};
  batch.settled = {Arrival(1)};
  store_->commit(batch);
  const auto pending = store_->pending(Arrival(0), 10);
  ASSERT_EQ(pending.size(), 2U);
  EXPECT_EQ(pending[0].arrival, Arrival(2));
  EXPECT_EQ(store_->pending(Arrival(0), 1).size(), 1U);
}

TEST_P(StoreContract, GivesValuesByPrefixAndRemovesThem) {
  Batch batch;
  batch.values = {{"invite/b", {2}}, {"invite/a", {1}}, {"invitf", {3}}, {"inv", {4}}};
  commit_durably(batch);
  const auto invites = store_->values("invite/");
  ASSERT_EQ(invites.size(), 2U);
  EXPECT_EQ(invites[0].name, "invite/a");
  EXPECT_EQ(invites[1].value, (Bytes{2}));
  EXPECT_EQ(store_->values("").size(), 4U);
  batch = {};
  batch.values = {{"invite/a", {}}, {"invite/b", {9}}};
  store_->commit(batch);
  ASSERT_EQ(store_->values("invite/").size(), 1U);
  EXPECT_EQ(store_->values("invite/")[0].value, (Bytes{9}));
}

TEST_P(StoreContract, KnowsOfRemainsOfWhatWasErasedUntilTheyAreDropped) {
  commit_durably(one_of_everything());
  EXPECT_FALSE(store_->holds_remains());
  Batch batch;
  batch.erased = true;
  store_->commit(batch);
  EXPECT_TRUE(store_->holds_remains());
  reopen();
  EXPECT_TRUE(store_->holds_remains());
  static_cast<void>(store_->counters());  // a read may have begun
  store_->drop_remains();
  EXPECT_FALSE(store_->holds_remains());
  reopen();
  EXPECT_FALSE(store_->holds_remains());
  EXPECT_TRUE(store_->piece_at(Arrival(1)).has_value());
  EXPECT_TRUE(store_->check().empty());
}

TEST_P(StoreContract, HoldsRemainsWhileAReaderNeedsThem) {
  commit_durably(one_of_everything());
  const auto reader = backend_->open_reader();
  {
    const Snapshot before(*reader);
    static_cast<void>(reader->counters());
    Batch batch;
    batch.erased = true;
    store_->commit(batch);
    store_->drop_remains();
    EXPECT_TRUE(store_->holds_remains());
  }
  static_cast<void>(store_->counters());
  store_->drop_remains();
  EXPECT_FALSE(store_->holds_remains());
}

TEST_P(StoreContract, DropsLayersAndPendingButNoLog) {
  commit_durably(one_of_everything());
  store_->drop_layers();
  reopen();
  EXPECT_TRUE(store_->layers_after(LayerRow(0), 10).empty());
  EXPECT_TRUE(store_->records_of(KindRow(1), LayerRow(0), 10).empty());
  EXPECT_TRUE(store_->pending(Arrival(0), 10).empty());
  EXPECT_TRUE(store_->piece_at(Arrival(1)).has_value());
  EXPECT_EQ(store_->values("").size(), 1U);
  EXPECT_EQ(store_->counters().layer, LayerRow(0));
}

TEST_P(StoreContract, ShowsAReaderWholeTransactionsOnly) {
  const auto reader = backend_->open_reader();
  EXPECT_TRUE(reader->feeds_after(FeedRow(0), 10).empty());
  store_->commit(ground());
  Batch batch = mixed_log();
  batch.new_layers = {layer_of(1, 1, 1, 1)};
  store_->commit(batch);
  EXPECT_EQ(reader->counters().arrival, Arrival(8));
  EXPECT_EQ(reader->heads_after(Arrival(0), 10).size(), 5U);
  EXPECT_TRUE(reader->layer(SpaceRow(1), id_of<RecordId>(1)).has_value());
}

TEST_P(StoreContract, SeesItsOwnCommitsBetweenReads) {
  EXPECT_EQ(store_->counters().feed, FeedRow(0));
  store_->commit(ground());
  EXPECT_EQ(store_->counters().feed, FeedRow(2));
  store_->commit(mixed_log());
  EXPECT_EQ(store_->counters().arrival, Arrival(8));
  store_->commit({});
  EXPECT_EQ(store_->counters().arrival, Arrival(8));
}

}  // namespace chapterd
