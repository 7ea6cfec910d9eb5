// The small federation of the vectors: keys from fixed seeds, and one of every structure.
#pragma once

#include "crypto/node_key.h"
#include "replication/format/change.h"
#include "replication/format/erase_order.h"
#include "replication/format/frame.h"
#include "replication/format/life.h"
#include "replication/format/piece.h"
#include "replication/format/receipt.h"
#include "replication/format/statements.h"

#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

namespace chapterd::samples {

template <class T>
struct Named {
  std::string name;
  T value;
};

struct SignedStatement {
  Statement statement;
  PublicKey signer;
  Bytes bytes;
};

struct Feed {
  FeedIntro intro;
  Bytes bytes;
  FeedId id;
};

// A piece with what stands before it. Payloads borrow from World::payloads.
struct Chained {
  FeedId feed;
  EntryHash prev;
  Piece piece;
};

struct SignedReceipt {
  Receipt receipt;
  Bytes bytes;
};

// Kenya's node writes, India's laptop is stolen, the global chapter is the root. Move-only.
struct World {
  SigningKey global_authority;
  SigningKey kenya_authority;
  SigningKey kenya_node;
  SigningKey india_node;
  BoxKey kenya_box;
  Genesis genesis;
  Bytes genesis_bytes;
  FederationId federation;
  std::vector<Named<SignedStatement>> statements;
  std::vector<Named<Feed>> feeds;
  std::vector<Named<Change>> changes;
  std::vector<Bytes> payloads;  // the changes, encoded
  RunSeed seed;
  std::vector<Named<Chained>> pieces;
  std::vector<Named<SignedReceipt>> receipts;
  std::vector<Named<EraseOrder>> erase_orders;
  std::vector<Named<Life>> lives;
  std::vector<Named<Frame>> frames;
};

[[nodiscard]] World make_world();

// Bytes that count up from `first`: readable in hexadecimal, and no two of them equal.
template <class F>
[[nodiscard]] F counting(std::uint8_t first) {
  F value;
  std::iota(value.bytes.begin(), value.bytes.end(), first);
  return value;
}

// The named one; throws when there is none.
template <class T>
[[nodiscard]] const T& find(const std::vector<Named<T>>& all, std::string_view name) {
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const auto& each) { return each.name == name; });
  if (found == all.end()) throw std::out_of_range("no sample " + std::string(name));
  return found->value;
}

// A zstd stream written by hand (RFC 8878): the frame's header, then every block stored raw.
[[nodiscard]] Bytes raw_packed_start();
[[nodiscard]] Bytes raw_packed_block(ByteView block);

}  // namespace chapterd::samples
