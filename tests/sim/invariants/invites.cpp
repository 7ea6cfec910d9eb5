// I21: an invite lets one key in. Over all that any node knows of the chapter that it was for.
#include "tests/sim/invariants/invariants.h"

#include <string>

namespace chapterd::sim {

void check_invites(World& world) {
  for (const HandedInvite& handed : world.ledger.invites) {
    std::set<PublicKey> known;
    for (const auto& node : world.nodes) {
      if (node->is_gone) continue;
      const Authority& authority = node->process->replica().directory().authority();
      for (const PublicKey& key : authority.keys_ever(handed.chapter))
        if (handed.asked.contains(key)) known.insert(key);
    }
    world.require(known.size() <= 1, "I21",
                  std::to_string(known.size()) + " keys came in with one invite of machine " +
                      std::to_string(handed.door));
  }
}

}  // namespace chapterd::sim
