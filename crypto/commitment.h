// Commitments: what an entry's header says about its payload, and stays true after erasure.
#pragma once

#include "base/bytes.h"

#include <cstdint>

namespace chapterd {

using Salt = Fixed<16, struct SaltTag>;
using RunSeed = Fixed<16, struct RunSeedTag>;
using Commitment = Fixed<32, struct CommitmentTag>;

// The salt of one entry: BLAKE2b-128(key = seed, message = seq as eight bytes, big endian)
// (RFC 7693, keyed; docs/protocol.md). One random seed travels for a whole run; a run with an
// erased entry sends the other entries' salts instead, from which the missing one cannot be
// computed. Allocates nothing; thread-safe.
[[nodiscard]] Salt salt_for(const RunSeed& seed, std::uint64_t seq);

// BLAKE2b-256(key = salt, message = payload). Binding, and hiding as long as the salt is unknown:
// once salt and payload are erased, no guess at the payload can be checked. Allocates nothing;
// thread-safe.
[[nodiscard]] Commitment commit(const Salt& salt, ByteView payload);

}  // namespace chapterd
