// What is handed to a replica, and what it answers: addresses, erasures.
#pragma once

#include "crypto/node_key.h"
#include "replication/format/change.h"
#include "replication/format/entry.h"
#include "replication/format/erase_order.h"
#include "replication/store/store.h"

#include <vector>

namespace chapterd {

// Where a local change goes. `target` only with Audience::to.
struct Address {
  Audience audience = Audience::chapter;
  ChapterId target;
};

// What became of a local write, once committed.
struct Written {
  Arrival arrival;
  FeedRow feed;
  Sequence seq;
  EntryHash hash;
};

// What an entry waits for that is kept but not applied: StoredPending::waits_for.
inline constexpr const char* waits_for_key = "sealed";

// A merged layer of a record with where it belongs.
struct HeldLayer {
  StoredSpace space;
  StoredLayer layer;
};

// What is to be erased of one record in one layer, and by whose word.
struct Erasing {
  Address address;
  RecordId record;
  std::vector<EntryHash> entries;
  EraseReason reason = EraseReason::unsaid;
  const SigningKey* authority = nullptr;  // of the chapter; null: it is not at hand
};

// An entry of one layer of a record.
struct LayerEntry {
  Head place;
  Arrival arrival;
  EntryKind kind = EntryKind::data;
  HybridTime time;
  bool erased = false;
  Bytes payload;  // opened; empty when it is erased, or sealed and its key is not at hand
};

enum class Complete { no, yes };

// Of a copied database: does what the old node wrote and nobody is known to hold become the new
// one's work, or does it stay the old one's, which has it too?
enum class Unsent { take, leave };

// The sized receipts in a value of the store that keeps those that came before their entries.
[[nodiscard]] std::vector<Bytes> receipts_in(ByteView stored);

}  // namespace chapterd
