// The list of deliberate faults, and those that a world can do to a window.
#include "tests/sim/controls.h"

#include "tests/sim/world.h"

#include <optional>
#include <string>
#include <utility>

namespace chapterd::sim {

const std::vector<ControlInfo>& controls() {
  static const std::vector<ControlInfo> all = {
      {Control::synchronous_off, "synchronous-off", "I1 I3", 5},
      {Control::fsync_lies, "fsync-lies", "I1 I3", 5},
      {Control::ack_before_commit, "ack-before-commit", "I1 I2 I9 I13", 40},
      {Control::loses_window, "loses-window", "I9", 5},
      {Control::cursor_first, "cursor-first", "I9", 5},
      {Control::no_entitlement, "no-entitlement", "I11", 5},
      {Control::no_verifier, "no-verifier", "I3 I4", 20},
      {Control::reuses_sequence, "reuses-sequence", "I4 I9 I25", 5},
      {Control::merges_by_clock, "merges-by-clock", "I7", 5},
      {Control::forgets_awaited, "forgets-awaited", "I6 I7 I20", 20},
      {Control::leaks_chapter, "leaks-chapter", "I10", 5},
      {Control::forgets_revocation, "forgets-revocation", "I13", 10},
      {Control::false_receipt, "false-receipt", "I8", 5},
      {Control::loses_receipts, "loses-receipts", "I8", 5},
      {Control::never_compares, "never-compares", "I15", 10},
      {Control::hides_fork, "hides-fork", "I5", 5},
      {Control::drops_fork, "drops-fork", "I15", 5},
      {Control::forgets_orders, "forgets-orders", "I23", 10},
      {Control::forgets_moves, "forgets-moves", "I11 I15", 10},
      {Control::trusts_disk, "trusts-disk", "I3", 5},
      {Control::takes_twice, "takes-twice", "I17", 5},
      {Control::rebuilds_on_top, "rebuilds-on-top", "I17", 5},
      {Control::forgets_invites, "forgets-invites", "I21", 5},
      {Control::hides_restore, "hides-restore", "I25", 5},
      {Control::silent_refusal, "silent-refusal", "I2", 40},
  };
  return all;
}

std::optional<Control> control_named(std::string_view name) {
  for (const ControlInfo& each : controls())
    if (name == each.name) return each.control;
  return std::nullopt;
}

void World::spoil(VerifiedWindow& window, Process& process) {
  if (control == Control::loses_window && process.node().random.below(50) == 0)
    window.received.pieces.clear();
  if (control == Control::loses_receipts) window.received.receipts.clear();
  if (control == Control::cursor_first && window.received.held) {
    Job job;
    job.stage = [peer = window.received.peer, held = window.received.held](Replica& replica) {
      ReceivedWindow only;
      only.peer = peer;
      only.held = held;
      replica.receive(std::move(only));
    };
    job.finish = [](const std::optional<std::string>&) {};
    process.post(std::move(job));
    process.run_group();
  }
}

}  // namespace chapterd::sim
