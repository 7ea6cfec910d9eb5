// Rows for tests, told apart by a number.
#pragma once

#include "replication/store/store.h"

#include <string>

namespace chapterd {

template <class F>
F id_of(std::uint8_t number) {
  F value;
  value.bytes.fill(number);
  return value;
}

inline StoredFeed feed_of(std::uint8_t row) {
  StoredFeed feed;
  feed.row = FeedRow(row);
  feed.id = id_of<FeedId>(row);
  feed.intro = {1, 2, row};
  return feed;
}

// `count` entries of a feed from `seq`, body of `size` bytes.
inline StoredPiece piece_of(std::uint64_t arrival,
                            std::uint64_t feed,
                            std::uint64_t seq,
                            std::uint32_t count,
                            std::size_t size = 10) {
  StoredPiece piece;
  piece.arrival = Arrival(arrival);
  piece.feed = FeedRow(feed);
  piece.seq = Sequence(seq);
  piece.count = count;
  piece.via = 7;
  piece.prev = id_of<EntryHash>(static_cast<std::uint8_t>(seq));
  piece.last = id_of<EntryHash>(static_cast<std::uint8_t>(seq + count));
  piece.body = Bytes(size, static_cast<std::uint8_t>(arrival));
  piece.links = {0, 3};
  return piece;
}

inline StoredSpace space_of(std::uint8_t row, std::uint8_t home, Audience audience) {
  StoredSpace space;
  space.row = SpaceRow(row);
  space.home = id_of<ChapterId>(home);
  space.audience = audience;
  return space;
}

inline StoredLayer layer_of(std::uint64_t row,
                            std::uint64_t space,
                            std::uint8_t record,
                            std::uint64_t kind) {
  StoredLayer layer;
  layer.row = LayerRow(row);
  layer.space = SpaceRow(space);
  layer.record = id_of<RecordId>(record);
  layer.kind = KindRow(kind);
  layer.newest = Arrival(row);
  layer.state = {9, static_cast<std::uint8_t>(row)};
  return layer;
}

inline StoredReceipt receipt_of(std::uint64_t arrival,
                                std::uint64_t feed,
                                std::uint8_t node,
                                std::uint64_t seq) {
  StoredReceipt receipt;
  receipt.arrival = Arrival(arrival);
  receipt.feed = FeedRow(feed);
  receipt.node = id_of<PublicKey>(node);
  receipt.seq = Sequence(seq);
  receipt.via = 3;
  receipt.bytes = {4, 5};
  return receipt;
}

inline StoredPeer peer_of(std::uint64_t row, std::uint8_t node) {
  StoredPeer peer;
  peer.row = row;
  peer.node = id_of<PublicKey>(node);
  peer.epoch = Epoch(0xFFFF'0000'FFFF'0000U);
  peer.grant = 5;
  for (std::size_t lane = 0; lane < lanes; ++lane) {
    peer.held[lane] = Arrival(10 + lane);
    peer.acknowledged[lane] = Arrival(20 + lane);
  }
  peer.heard_ms = -1;
  return peer;
}

// Two feeds, three spaces (two of one home), two kinds: what other rows refer to.
inline Batch ground() {
  Batch batch;
  batch.feeds = {feed_of(1), feed_of(2)};
  batch.spaces = {space_of(1, 1, Audience::chapter), space_of(2, 1, Audience::all),
                  space_of(3, 2, Audience::all)};
  batch.kinds = {{KindRow(1), "insight"}, {KindRow(2), "member"}};
  return batch;
}

// One of everything that a batch can hold.
inline Batch one_of_everything() {
  Batch batch;
  batch.feeds = {feed_of(3)};
  batch.heads = {feed_of(1)};
  batch.heads[0].seq = Sequence(2);
  batch.heads[0].hash = id_of<EntryHash>(3);
  batch.pieces = {piece_of(1, 1, 1, 2)};
  batch.spaces = {space_of(4, 9, Audience::to)};
  batch.spaces[0].target = id_of<ChapterId>(5);
  batch.kinds = {{KindRow(3), "review"}};
  batch.new_layers = {layer_of(1, 1, 1, 1)};
  batch.receipts = {receipt_of(3, 1, 1, 2)};
  batch.peers = {peer_of(1, 1)};
  batch.pending = {{Arrival(2), "format"}};
  batch.values = {{"invite/1", {1}}};
  return batch;
}

// Arrivals: 1-2 live, 3 auth, 4-6 live of feed 2, 7 auth, 8 live.
inline Batch mixed_log() {
  Batch batch;
  batch.pieces = {piece_of(1, 1, 1, 2), piece_of(3, 2, 1, 1), piece_of(4, 2, 2, 3),
                  piece_of(7, 1, 3, 1), piece_of(8, 1, 4, 1)};
  batch.pieces[1].lane = Lane::auth;
  batch.pieces[3].lane = Lane::auth;
  return batch;
}

inline std::vector<std::uint64_t> arrivals_of(const std::vector<StoredPiece>& pieces) {
  std::vector<std::uint64_t> arrivals;
  for (const StoredPiece& piece : pieces) arrivals.push_back(piece.arrival.value);
  return arrivals;
}

inline std::vector<std::uint64_t> rows_of(const std::vector<StoredLayer>& layers) {
  std::vector<std::uint64_t> rows;
  for (const StoredLayer& layer : layers) rows.push_back(layer.row.value);
  return rows;
}

}  // namespace chapterd
