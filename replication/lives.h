// The lives of a node: what it writes from one restore to the next bears one incarnation. Those
// that it led itself, and those that a copy of its folder is likely to lead.
#pragma once

#include "base/time.h"
#include "replication/directory.h"

#include <optional>
#include <vector>

namespace chapterd {

// The value `stored_name::elsewhere`.
struct LedElsewhere {
  Instant told;                    // last, by this node's clock
  std::vector<Incarnation> lives;  // that others told of and this database never led
};

[[nodiscard]] Bytes encode(const LedElsewhere& led);
// nullopt for an empty value.
[[nodiscard]] std::optional<LedElsewhere> decode_led_elsewhere(ByteView stored);

// Lives under this node's key that others told of and this database does not lead.
[[nodiscard]] std::vector<Incarnation> lives_told(Reader& reader);
// The lives in which this database wrote, the one that is going on first; of very many the newest.
// Those of a copy are not among them, whichever way they came to be known here.
[[nodiscard]] std::vector<Incarnation> lives_led(Reader& reader, const Directory& directory);

}  // namespace chapterd
