// Who joins in the middle of it all: a new chapter by an invite, a further machine of a chapter.
#include "tests/sim/world.h"

#include <memory>

namespace chapterd::sim {
namespace {

using testing::SeededRandom;

constexpr std::size_t most_machines = 13;

SimChapter& some_chapter(World& world, SeededRandom& random) {
  return world.chapters[random.below(world.chapters.size())];
}

// What was answered counts once it is on the parent's disk; else nobody has joined.
void join_chapter(World& world, const Event& event) {
  SeededRandom random(event.salt);
  const int above = static_cast<int>(random.below(world.chapters.size()));
  const SimChapter& parent = world.chapters[static_cast<std::size_t>(above)];
  SimNode& door = world.node(parent.machines.front());
  if (world.nodes.size() >= most_machines || !door.counts() || !world.is_listening(door.machine))
    return;

  struct Joining {
    SimChapter chapter;
    std::unique_ptr<SigningKey> key;
  };

  const auto joining = std::make_shared<Joining>();
  joining->chapter = world.new_chapter(above, parent.code + "-L" + std::to_string(event.number));
  joining->key = std::make_unique<SigningKey>(SigningKey::generate(random));
  Job job;
  job.stage = [&world, &door, joining](Replica& replica) {
    joining->chapter.chain = world.join(replica, door, joining->chapter, *joining->key);
  };
  job.finish = [&world, &door, joining](const std::optional<std::string>& error) {
    if (error) return;
    world.chapters.push_back(std::move(joining->chapter));
    SimNode& made = world.make_machine(static_cast<int>(world.chapters.size()) - 1);
    made.key = std::move(joining->key);
    made.peers.push_back(door.machine);
    world.begin_machine(made);
  };
  door.process->post(std::move(job));
}

void join_machine(World& world, const Event& event) {
  SeededRandom random(event.salt);
  const SimChapter& chapter = some_chapter(world, random);
  if (world.nodes.size() >= most_machines || !world.node(chapter.machines.front()).counts()) return;
  world.add_machine(world.places.index_of(chapter.id));
}

}  // namespace

const std::vector<EventKind>& newcomer_events() {
  static const std::vector<EventKind> all = {
      {"join_chapter", "newcomer", 1, join_chapter},
      {"join_machine", "newcomer", 1, join_machine},
  };
  return all;
}

}  // namespace chapterd::sim
