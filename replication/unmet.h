// What a node wrote since it last met those above it, as long as they may tell that it was rolled
// back: it is chained anew then, so that nothing is signed a second time. Writer thread only.
#pragma once

#include "crypto/node_key.h"
#include "replication/format/change.h"
#include "replication/format/erase_order.h"
#include "replication/format/ids.h"
#include "replication/replica_words.h"

#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

namespace chapterd {

struct Unmet {
  Arrival line;                   // own entries after it have not left,
  std::set<PublicKey> handed_to;  // but for what these nodes may hold
};

[[nodiscard]] Bytes encode(const Unmet& unmet);
// Throws Damaged.
[[nodiscard]] Unmet decode_unmet(ByteView bytes);

// What entries that are chained anew were called, and are called now.
struct NewNames {
  std::unordered_map<std::uint64_t, std::uint64_t> values;
  std::unordered_map<EntryHash, Head, FixedHash> entries;
  // What signed orders say of entries that have moved, where they name others besides: to be said
  // once more, of the new places.
  std::vector<std::pair<Address, EraseOrder>> orders;

  bool apply(ValueName& name) const;  // whether it has a new one
};

}  // namespace chapterd
