// What goes wrong: power, processes, disks, clocks and the network.
#include "tests/sim/world.h"

namespace chapterd::sim {
namespace {

using testing::SeededRandom;

SimNode& some_node(World& world, SeededRandom& random) {
  return *world.nodes[random.below(world.nodes.size())];
}

std::int64_t some_ms(SeededRandom& random, std::size_t most_seconds) {
  return static_cast<std::int64_t>(1000 * (1 + random.below(most_seconds)));
}

void cut_power(World& world, const Event& event) {
  SeededRandom random(event.salt);
  SimNode& node = some_node(world, random);
  if (!node.is_up()) return;
  if (random.below(3) == 0) return node.lose_power();
  // In the middle of what it writes next.
  node.loses_power_next = true;
  node.disk->faults.dies_after = 1 + static_cast<std::int64_t>(random.below(40));
}

void kill(World& world, const Event& event) {
  SeededRandom random(event.salt);
  SimNode& node = some_node(world, random);
  if (!node.is_up()) return;
  if (random.below(3) == 0) return node.kill();
  node.disk->faults.dies_after = 1 + static_cast<std::int64_t>(random.below(40));
}

void restart(World& world, const Event& event) {
  SeededRandom random(event.salt);
  some_node(world, random).stop();
}

void fill_disk(World& world, const Event& event) {
  SeededRandom random(event.salt);
  SimNode& node = some_node(world, random);
  node.disk->faults.room_bytes = static_cast<std::int64_t>(random.below(60'000));
  world.agenda.after_ms(some_ms(random, 60), [&node] { node.disk->faults.room_bytes = -1; });
}

void break_disk(World& world, const Event& event) {
  SeededRandom random(event.salt);
  SimNode& node = some_node(world, random);
  if (random.below(2) == 0) {
    node.disk->faults.bad_syncs = 1;
  } else {
    node.disk->faults.bad_writes = 1 + static_cast<int>(random.below(3));
  }
}

void jump_clock(World& world, const Event& event) {
  SeededRandom random(event.salt);
  SimNode& node = some_node(world, random);
  static constexpr Instant dates[] = {year_1970, year_2026, year_2038, year_2106};
  static constexpr std::int64_t drifts[] = {0, 0, 50'000, -50'000, -1'000'000};
  const Instant to = random.below(3) == 0
                         ? node.clock.now().plus_ms(some_ms(random, 7200) - 3'600'000)
                         : dates[random.below(std::size(dates))];
  node.clock.set(to, drifts[random.below(std::size(drifts))]);
}

void partition(World& world, const Event& event) {
  SeededRandom random(event.salt);
  const auto count = world.nodes.size();
  const auto side = static_cast<std::uint32_t>(random.next());
  const std::int64_t ms = some_ms(random, 240);
  for (std::size_t a = 0; a < count; ++a) {
    for (std::size_t b = a + 1; b < count; ++b) {
      if (((side >> a) & 1U) == ((side >> b) & 1U)) continue;
      Route& way = world.network.route(static_cast<int>(a), static_cast<int>(b));
      way.is_down = true;
      world.agenda.after_ms(ms, [&way] { way.is_down = false; });
    }
  }
}

void cut_connections(World& world, const Event& event) {
  SeededRandom random(event.salt);
  if (random.below(2) == 0) return world.network.cut_all_of(some_node(world, random).machine);
  const auto open = world.network.open_connections();
  if (!open.empty()) world.network.cut(open[random.below(open.size())]);
}

void half_open(World& world, const Event& event) {
  SeededRandom random(event.salt);
  world.network.make_half_open(some_node(world, random).machine);
}

void slow_down(World& world, const Event& event) {
  SeededRandom random(event.salt);
  const SimNode& node = some_node(world, random);
  const auto bits = static_cast<std::int64_t>(2'000 + random.below(62'000));
  const auto delay = static_cast<std::int64_t>(100 + random.below(2'000));
  for (const int peer : node.peers) {
    Route& way = world.network.route(node.machine, peer);
    way.bits_per_second = bits;
    way.delay_ms = delay;
    world.agenda.after_ms(some_ms(random, 300), [&way] {
      way.bits_per_second = 0;
      way.delay_ms = 20;
    });
  }
}

void pause(World& world, const Event& event) {
  SeededRandom random(event.salt);
  some_node(world, random).paused_until = world.agenda.now().plus_ms(some_ms(random, 120));
}

}  // namespace

const std::vector<EventKind>& fault_events() {
  static const std::vector<EventKind> all = {
      {"cut_power", "power", 6, cut_power},
      {"kill", "kill", 4, kill},
      {"restart", "restart", 3, restart},
      {"fill_disk", "full_disk", 3, fill_disk},
      {"break_disk", "bad_disk", 3, break_disk},
      {"jump_clock", "clock", 3, jump_clock},
      {"partition", "partition", 2, partition},
      {"cut_connections", "cut", 5, cut_connections},
      {"half_open", "half_open", 2, half_open},
      {"slow_down", "slow", 2, slow_down},
      {"pause", "pause", 3, pause},
  };
  return all;
}

}  // namespace chapterd::sim
