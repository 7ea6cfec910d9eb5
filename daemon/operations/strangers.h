// Who else writes with this node's key, or for its chapter, without belonging together with it.
#pragma once

#include "base/time.h"
#include "replication/directory.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace chapterd {

// How long ago, in milliseconds, another node last told this one of a life of its key that it never
// led: of a copy of its folder. Nothing when that was never so, when the copy said that it is a
// node of its own now, or after 30 days: it keeps happening while a copy is in use, and nobody can
// prove that one is.
[[nodiscard]] std::optional<std::int64_t> told_elsewhere(Reader& reader,
                                                         const Directory& directory,
                                                         Instant now);

// Computers of this chapter that were not revoked and do not belong together with this one (docs/
// protocol.md 4), in order of key.
[[nodiscard]] std::vector<PublicKey> strange_computers(const Directory& directory);

}  // namespace chapterd
