// Checks beside rows: SQLite does not notice a byte that its disk changed inside a value.
#pragma once

#include "replication/store/store.h"

#include <cstdint>

namespace chapterd {

// Of everything in the row but the intro, which the feed's id vouches for.
[[nodiscard]] std::uint64_t check_of(const StoredFeed& feed);
[[nodiscard]] std::uint64_t check_of(const StoredSpace& space);
[[nodiscard]] std::uint64_t check_of(const StoredKind& kind);

// What is kept of a layer's state: the state, and a check over it and the layer's other columns.
[[nodiscard]] Bytes with_check(const StoredLayer& layer, ByteView state);
// The state again; damaged_state when any of these columns changed.
[[nodiscard]] Bytes without_check(const StoredLayer& layer, Bytes stored);

}  // namespace chapterd
