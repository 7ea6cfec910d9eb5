// People who want words gone: an entry of a record of their chapter, for good and everywhere.
#include "replication/merge.h"
#include "tests/sim/world.h"

#include <algorithm>
#include <memory>

namespace chapterd::sim {
namespace {

using testing::SeededRandom;

// Digits of a number that nothing else in the world has: found anywhere, the words are still there.
constexpr std::size_t least_digits = 12;

std::string mark_in(ByteView payload) {
  std::string digits;
  for (const char c : as_text(payload)) {
    if (c >= '0' && c <= '9') {
      digits += c;
    } else if (digits.size() >= least_digits) {
      return digits;
    } else {
      digits.clear();
    }
  }
  return digits.size() >= least_digits ? digits : std::string();
}

struct Chosen {
  Erasing erasing;
  std::string mark;
};

// Some entry of an own record that holds a mark.
std::optional<Chosen> choose(Replica& replica, const SigningKey& authority, SeededRandom& random) {
  std::vector<Chosen> all;
  const Directory& directory = replica.directory();
  for (const StoredLayer& layer : replica.store().layers_after(LayerRow(0), 1'000)) {
    const StoredSpace& space = directory.space(layer.space);
    if (space.home != directory.chapter()) continue;
    for (const LayerEntry& entry : replica.entries_in(space.row, layer.record)) {
      const std::string mark = entry.erased ? std::string() : mark_in(entry.payload);
      if (entry.kind != EntryKind::data || mark.empty()) continue;
      all.push_back({{{space.audience, space.target},
                      layer.record,
                      {entry.place.hash},
                      EraseReason::request,
                      &authority},
                     mark});
    }
  }
  if (all.empty()) return std::nullopt;
  return all[random.below(all.size())];
}

void erase(World& world, const Event& event) {
  // An order beyond a cut does not stand, and what was erased by it meanwhile stays missing.
  const auto& faults = world.plan.faults;
  if (std::find(faults.begin(), faults.end(), "revoke") != faults.end()) return;
  SeededRandom random(event.salt);
  SimNode& node = *world.nodes[random.below(world.nodes.size())];
  if (node.process == nullptr || !node.process->has_started()) return;
  const auto mark = std::make_shared<std::string>();
  Job job;
  job.stage = [&world, &node, mark, salt = random.next()](Replica& replica) {
    SeededRandom choice(salt);
    const auto chosen = choose(replica, *world.chapter_of(node).authority, choice);
    if (chosen && replica.erase(chosen->erasing)) *mark = chosen->mark;
  };
  job.finish = [&world, mark](const std::optional<std::string>& error) {
    if (!error && !mark->empty()) world.ledger.erased.insert(*mark);
  };
  node.process->post(std::move(job));
}

}  // namespace

const std::vector<EventKind>& erasing_events() {
  static const std::vector<EventKind> all = {{"erase", nullptr, 1, erase}};
  return all;
}

}  // namespace chapterd::sim
