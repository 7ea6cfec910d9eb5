// Deliberate faults. A simulator that does not catch each of them proves nothing.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace chapterd::sim {

enum class Control {
  none,
  synchronous_off,     // the store runs with PRAGMA synchronous=OFF
  fsync_lies,          // the disk says that it synced and did not
  ack_before_commit,   // a person is answered before the transaction
  loses_window,        // a window is acknowledged to the peer and thrown away
  cursor_first,        // the cursor is stored in a transaction before its window's
  no_entitlement,      // a peer's pieces are handed to the writer whoever may hold them
  no_verifier,         // pieces are taken without a look at chain and signature
  reuses_sequence,     // a node is put back to yesterday's disk and goes on
  merges_by_clock,     // the newest time wins a field
  merges_twice,        // an entry that comes again is merged again
  leaks_chapter,       // what only the chapter may hold is written for everybody
  forgets_revocation,  // a restart loses the statements of a feed
  false_receipt,       // a receipt is signed for more than is held
  never_compares,      // digests are never compared: what a cursor skipped stays away
  silent_refusal,      // a write that was refused is answered as saved
  two_for_one_invite,  // an invite that was used admits another key
};

struct ControlInfo {
  Control control;
  const char* name;
  const char* caught_by;  // invariants, as "I1 I2": one of them must be the first to fail
  int seeds;              // within which it must be caught
};

[[nodiscard]] const std::vector<ControlInfo>& controls();
[[nodiscard]] std::optional<Control> control_named(std::string_view name);

}  // namespace chapterd::sim
