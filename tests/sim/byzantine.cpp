// What nodes do that do not keep to the rules.
#include "tests/sim/world.h"

namespace chapterd::sim {
namespace {

using testing::SeededRandom;

SimNode& some_node(World& world, SeededRandom& random) {
  return *world.nodes[random.below(world.nodes.size())];
}

// For a while bytes change in what a machine relays.
void corrupt(World& world, const Event& event) {
  SeededRandom random(event.salt);
  SimNode& node = some_node(world, random);
  node.corrupts_until =
      world.agenda.now().plus_ms(static_cast<std::int64_t>(10'000 + random.below(60'000)));
}

}  // namespace

const std::vector<EventKind>& byzantine_events() {
  static const std::vector<EventKind> all = {
      {"corrupt", "corrupt", 2, corrupt},
  };
  return all;
}

}  // namespace chapterd::sim
