// Disks that are lost with all that only they held. The machine comes back as a new node of its
// chapter, and its old key is never seen again.
#include "tests/sim/world.h"

#include <algorithm>

namespace chapterd::sim {
namespace {

using testing::SeededRandom;

constexpr std::size_t most_machines = 16;

void wipe(World& world, const Event& event) {
  SeededRandom random(event.salt);
  SimNode& lost = *world.nodes[random.below(world.nodes.size())];
  const bool may = lost.counts() && lost.copy_of < 0 && world.nodes.size() < most_machines;
  if (!may || !lost.is_up()) return;
  lost.retire();
  lost.yesterday.reset();
  ++world.figures.wipes;
  SimNode& made = world.make_machine(lost.chapter);
  made.peers = lost.peers;
  lost.replaced_by = made.machine;
  for (const auto& each : world.nodes) {
    std::ranges::replace(each->peers, lost.machine, made.machine);
    if (each->process != nullptr) each->process->redirect(lost.machine, made.machine);
  }
  world.tell("machine " + std::to_string(lost.machine) + " loses its disk and is machine " +
             std::to_string(made.machine) + " from here on");
  world.begin_machine(made);
  // In its place: machines that others call are never taken away from them.
  std::vector<int>& machines = world.chapter_of(lost).machines;
  machines.pop_back();
  std::ranges::replace(machines, lost.machine, made.machine);
  world.strike_lost();
}

}  // namespace

const std::vector<EventKind>& wipe_events() {
  static const std::vector<EventKind> all = {{"wipe", "wipe", 1, wipe}};
  return all;
}

}  // namespace chapterd::sim
