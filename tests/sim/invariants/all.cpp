// Which invariants are looked at when.
#include "tests/sim/invariants/invariants.h"

namespace chapterd::sim {

void World::check_now() {
  for (const auto& each : nodes)
    if (each->process != nullptr) check_cursors(*this, each->process->store(), *each);
}

bool World::has_converged() {
  return find_difference(*this).empty();
}

void World::check_end() {
  const std::string difference = find_difference(*this);
  require(difference.empty(), "I15", difference);
  check_saved(*this);
  check_views(*this);
  check_canaries(*this);
  check_now();
}

}  // namespace chapterd::sim
