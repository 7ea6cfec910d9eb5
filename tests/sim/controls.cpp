// The list of deliberate faults, and those that a world can do to a window.
#include "tests/sim/controls.h"

#include "tests/sim/world.h"

namespace chapterd::sim {

const std::vector<ControlInfo>& controls() {
  static const std::vector<ControlInfo> all = {
      {Control::synchronous_off, "synchronous-off", "I1 I3", 3},
      {Control::fsync_lies, "fsync-lies", "I1 I3", 3},
      {Control::ack_before_commit, "ack-before-commit", "I1 I2", 20},
      {Control::loses_window, "loses-window", "I9", 5},
      {Control::leaks_chapter, "leaks-chapter", "I10", 5},
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
}

}  // namespace chapterd::sim
