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
  no_entitlement,      // every node may hold every feed
  no_verifier,         // checkpoints are not checked
  reuses_sequence,     // a database is put back, and the mark beside it is not looked at
  merges_by_clock,     // the newest time wins a field
  forgets_awaited,     // a name that comes before its value is forgotten
  leaks_chapter,       // what only the chapter may hold is written for everybody
  forgets_revocation,  // nobody counts as revoked
  false_receipt,       // a receipt says more than is held
  loses_receipts,      // what others say that they hold is thrown away
  never_compares,      // digests are always equal: what a cursor passed over stays away
  hides_fork,          // a second history is held and not shown
  drops_fork,          // a second history is refused
  forgets_orders,      // words that were ordered to be erased are taken when they come again
  forgets_moves,       // everybody goes by the place where a chapter stood at first
  trusts_disk,         // a merged record that changed on the disk is taken for whole
  takes_twice,         // entries that a bundle brings again are taken again
  rebuilds_on_top,     // a rebuild merges onto what is there
  forgets_invites,     // an invite that was used is still open
  hides_restore,       // a disk that was put back is noticed and not told
  silent_refusal,      // a write that was refused is answered as saved
};

// The one of the run under way; the core has no other way to be told.
[[nodiscard]] Control& active_control();

struct ControlInfo {
  Control control;
  const char* name;
  const char* caught_by;  // invariants, as "I1 I2": one of them must be the first to fail
  int seeds;              // within which it must be caught
};

[[nodiscard]] const std::vector<ControlInfo>& controls();
[[nodiscard]] std::optional<Control> control_named(std::string_view name);

}  // namespace chapterd::sim
