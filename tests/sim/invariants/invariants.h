// What must hold: one function an invariant, or a few that are one question to the store.
// quality.md numbers them; docs/reliability.md says in a sentence what each promises.
//
// To add one: write the function in a file of its own, name it here and in a table of all.cpp.
#pragma once

#include "replication/store/store.h"
#include "tests/sim/world.h"

namespace chapterd::sim {

// A head that a transaction moved, or that is stored (and may be older than a move).
enum class HeadIs { new_here, stored };

// After each transaction, and at the end.
void check_head(World& world, SimNode& node, const KnownFeed& feed, HeadIs what);  // I3 I4 I11 I12

// Of a store that was just opened, also of a copy whose power was cut.
void check_promises(World& world, Reader& reader, SimNode& node);  // I1 I14
void check_cursors(World& world, Reader& reader, SimNode& node);   // I9

// Of a node that runs, now and then.
void check_receipts(World& world, SimNode& node);     // I8
void check_revocations(World& world, SimNode& node);  // I13
void check_forks(World& world, SimNode& node);        // I5
void check_told(World& world, SimNode& node);         // I25
void check_waiting(World& world, SimNode& node);      // I20 I25; reads all of its log
// Of a piece that a transaction brought.
void check_arrived(World& world, SimNode& node, const StoredPiece& piece);  // I20 I25

// Once everything works again. Empty when all agree, else what differs.
[[nodiscard]] std::string find_difference(World& world);   // I15
[[nodiscard]] std::string find_unconfirmed(World& world);  // I8
[[nodiscard]] bool must_close(World& world, const FeedId& id);
[[nodiscard]] std::string find_open_fork(World& world);  // I5
void check_saved(World& world);                          // I2
void check_keys(World& world);                           // I15
void check_views(World& world);                          // I3 I6 I7
void check_canaries(World& world);                       // I10
void check_erased(World& world);                         // I23
void check_invites(World& world);                        // I21
// The last thing that is done: at some node it reads again what was read.
void check_repeats(World& world);  // I17

}  // namespace chapterd::sim
