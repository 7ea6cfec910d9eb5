// I13: who once knew that a key is revoked knows it for ever, and in the end all do.
#include "tests/sim/invariants/invariants.h"

#include <string>

namespace chapterd::sim {

void check_revocations(World& world, SimNode& node) {
  const Authority& authority = node.process->replica().directory().authority();
  for (const auto& other : world.nodes) {
    // Whoever was interrupted in writing it may have written it.
    if (other->revoker >= 0 && authority.is_revoked(other->id())) other->is_revoked = true;
    if (!other->is_revoked || other->machine == node.machine) continue;
    const std::pair<int, int> pair{node.machine, other->machine};
    const bool knows = authority.is_revoked(other->id());
    if (knows) world.ledger.knows_revoked.insert(pair);
    // Of a node that it never met there is nothing to know, and nobody waits for a revoked one.
    const bool has_met = authority.node(other->id()) != nullptr;
    const bool learned = world.has_healed && node.counts();
    const bool must = has_met && (learned || world.ledger.knows_revoked.contains(pair));
    world.require(knows || !must, "I13",
                  "machine " + std::to_string(node.machine) +
                      " does not know that the key of machine " + std::to_string(other->machine) +
                      " is revoked");
  }
}

}  // namespace chapterd::sim
