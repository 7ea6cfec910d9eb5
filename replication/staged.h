// What a replica keeps between write() or receive() and commit(), and while it merges.
#pragma once

#include "replication/format/change.h"
#include "replication/format/erase_order.h"
#include "replication/format/feed.h"
#include "replication/format/piece.h"
#include "replication/store/store.h"

#include <deque>
#include <vector>

namespace chapterd {

// Of a feed that this node writes: the run that its next entries go on.
struct OwnFeed {
  RunSeed seed;
  std::size_t run_entries = 0;
  std::size_t run_bytes = 0;
};

struct OwnEntry {
  PieceEntry entry;
  Bytes payload;
};

// Entries of one own feed that are staged and not yet a piece.
struct OpenPiece {
  FeedRow feed;
  Sequence first;
  EntryHash prev;
  Arrival arrival;
  RunSeed seed;
  std::vector<OwnEntry> entries;
  std::size_t bytes = 0;
  Bytes links;
};

// Names a staged layer.
struct LayerKey {
  SpaceRow space;
  RecordId record;
  friend bool operator==(const LayerKey&, const LayerKey&) = default;
};

struct LayerKeyHash {
  std::size_t operator()(const LayerKey& key) const {
    return FixedHash{}(key.record) + key.space.value;
  }
};

struct StagedAt {
  bool is_new = false;
  std::size_t index = 0;  // into batch_.new_layers or batch_.layers
};

// What a state that is merged anew borrows from, besides pieces.
struct Borrowed {
  std::deque<Bytes> opened;
  std::deque<EraseOrder> orders;
};

}  // namespace chapterd
