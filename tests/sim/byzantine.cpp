// What nodes do that do not keep to the rules.
#include "tests/sim/world.h"

namespace chapterd::sim {

const std::vector<EventKind>& byzantine_events() {
  static const std::vector<EventKind> all = {};
  return all;
}

}  // namespace chapterd::sim
