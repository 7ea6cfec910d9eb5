// What nodes do that do not keep to the rules.
#include "tests/sim/world.h"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>

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

constexpr int first_rogue = 1000;  // its place in the network
constexpr std::ptrdiff_t most_liars = 6;

Rogue& new_rogue(World& world, SeededRandom& random, bool certified) {
  const int machine = first_rogue + static_cast<int>(world.rogues.size());
  const int chapter = static_cast<int>(random.below(world.chapters.size()));
  auto key = std::make_shared<SigningKey>(SigningKey::generate(random));
  return *world.rogues.emplace_back(
      std::make_unique<Rogue>(world, machine, chapter, std::move(key), certified));
}

// An insider lies to one node; to a second one it may tell another history of the same feed.
void lie(World& world, const Event& event) {
  SeededRandom random(event.salt);
  const std::size_t count = world.nodes.size();
  const auto first = static_cast<int>(random.below(count));
  const auto second = static_cast<int>(random.below(count));
  const auto liars = std::count_if(world.rogues.begin(), world.rogues.end(),
                                   [](const auto& each) { return each->is_certified(); });
  if (liars >= most_liars || !world.is_listening(first)) return;
  Rogue& rogue = new_rogue(world, random, true);
  rogue.call(first, random.next(), 0);
  if (second == first || random.below(3) != 0) return;
  world.agenda.after_ms(25'000, [&world, &rogue, second, salt = random.next()] {
    if (world.is_listening(second)) rogue.call(second, salt, 1);
  });
}

// Keys that nobody certified call, one after the other.
void call_as_strangers(World& world, const Event& event) {
  SeededRandom random(event.salt);
  const auto called = static_cast<int>(random.below(world.nodes.size()));
  if (!world.is_listening(called)) return;
  for (int i = 0; i < 5; ++i) new_rogue(world, random, false).call(called, random.next(), 0);
}

}  // namespace

const std::vector<EventKind>& byzantine_events() {
  static const std::vector<EventKind> all = {
      {"corrupt", "corrupt", 2, corrupt},
      {"lie", "liar", 1, lie},
      {"call_as_strangers", "strangers", 1, call_as_strangers},
  };
  return all;
}

}  // namespace chapterd::sim
