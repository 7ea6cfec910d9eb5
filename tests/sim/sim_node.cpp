// Birth, ends and restarts of a node's process.
#include "tests/sim/sim_node.h"

#include "tests/sim/world.h"

#include <utility>

namespace chapterd::sim {
namespace {

constexpr std::int64_t supervisor_ms = 2'000;

}  // namespace

SimNode::SimNode(World& world_, int machine_, int chapter_, std::uint64_t seed)
    : world(world_),
      machine(machine_),
      chapter(chapter_),
      random(seed),
      clock(world_.agenda),
      disk(std::make_unique<SimDisk>(seed ^ 0xD15C)),
      key(std::make_unique<SigningKey>(SigningKey::generate(random))) {
  disk->faults.syncs_lie = world.control == Control::fsync_lies;
  disk->faults.ignores_full_sync = world.control == Control::synchronous_off;
}

void SimNode::found(const Bytes& genesis, const std::vector<Bytes>& chain) {
  SqliteOptions options;
  options.vfs = disk->vfs();
  auto store = SqliteStore::open(SimDisk::database, options);
  if (!store) throw std::runtime_error(store.error().code);
  if (auto made = Replica::initialise(**store, random, genesis, id()); !made)
    throw std::runtime_error(made.error().code);
  ChapterVault vault(random);
  auto replica = Replica::open(**store, clock, random, *key, vault);
  if (!replica) throw std::runtime_error(replica.error().code);
  if (auto introduced = (*replica)->introduce(chain); !introduced)
    throw std::runtime_error(introduced.error().code);
  (*replica)->commit();
}

void SimNode::start() {
  if (process != nullptr || is_gone) return;
  try {
    process = std::make_shared<Process>(world, *this);
  } catch (const std::runtime_error& trouble) {
    if (dynamic_cast<const Failure*>(&trouble) != nullptr) throw;
    return broke(std::string("cannot start: ") + trouble.what());
  }
  const auto started = process;
  started->now([born = started.get()] { born->start(); });
}

void SimNode::stop() {
  if (process == nullptr) return;
  process->end(false);
  // Its database is closed in order, unless the disk fails meanwhile.
  std::exchange(process, nullptr)->close();
  if (disk->is_dead()) return broke("killed while stopping");
  restart_later();
}

void SimNode::kill() {
  disk->faults.dies_after = 0;
  broke("killed");
}

void SimNode::lose_power() {
  loses_power_next = true;
  kill();
}

void SimNode::retire() {
  is_gone = true;
  kill();
}

void SimNode::broke(const std::string& why) {
  last_trouble = why;
  const bool power = std::exchange(loses_power_next, false);
  const bool was_killed = disk->is_dead();
  world.tell("machine " + std::to_string(machine) + (power ? " loses power: " : " ends: ") + why);
  disk->faults.dies_after = 0;  // nothing is written on the way out
  if (process != nullptr) process->end(power);
  process.reset();
  if (power) {
    disk->lose_power();
    ++world.figures.power_cuts;
  } else {
    disk->processes_died();
    if (was_killed) ++world.figures.kills;
  }
  restart_later();
}

void SimNode::restart_later() {
  ++restarts;
  const std::int64_t ms = supervisor_ms + static_cast<std::int64_t>(random.below(20'000));
  world.agenda.after_ms(ms, [this] {
    if (!stays_down) start();
  });
}

}  // namespace chapterd::sim
