// I23: what was ordered to be erased is in no byte of any disk that should have obeyed: once all
// have met, of none.
#include "tests/sim/invariants/invariants.h"

#include <string>

namespace chapterd::sim {

void check_erased(World& world) {
  for (const auto& node : world.nodes) {
    if (node->is_revoked) continue;
    for (const Bytes* content : node->disk->contents()) {
      for (const std::string& mark : world.ledger.erased) {
        world.require(as_text(*content).find(mark) == std::string_view::npos, "I23",
                      "machine " + std::to_string(node->machine) + " still holds erased words");
      }
    }
  }
}

}  // namespace chapterd::sim
