// What entries were called that a node had handed to nobody when it learned that it was rolled
// back, and are called now. Writer thread only.
#pragma once

#include "replication/format/change.h"
#include "replication/format/erase_order.h"
#include "replication/format/ids.h"
#include "replication/replica_words.h"

#include <unordered_map>
#include <utility>
#include <vector>

namespace chapterd {

struct NewNames {
  std::unordered_map<std::uint64_t, std::uint64_t> values;
  std::unordered_map<EntryHash, Head, FixedHash> entries;
  // What signed orders say of entries that have moved, where they name others besides: to be said
  // once more, of the new places.
  std::vector<std::pair<Address, EraseOrder>> orders;

  bool apply(ValueName& name) const;  // whether it has a new one
};

}  // namespace chapterd
