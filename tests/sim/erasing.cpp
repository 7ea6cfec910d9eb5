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

// An order beyond a cut does not stand, and what was erased by it meanwhile stays missing.
bool is_judged(const World& world) {
  return std::ranges::find(world.plan.faults, "revoke") == world.plan.faults.end();
}

void erase(World& world, const Event& event) {
  if (!is_judged(world)) return;
  SeededRandom random(event.salt);
  SimNode& node = *world.nodes[random.below(world.nodes.size())];
  if (node.process == nullptr || !node.process->has_started()) return;
  const auto ordered = std::make_shared<Saved>();
  Job job;
  job.stage = [&world, &node, ordered, salt = random.next()](Replica& replica) {
    SeededRandom choice(salt);
    const auto chosen =
        choose(replica, world.authority_of(world.chapter_of(node), replica), choice);
    if (!chosen) return;
    const auto orders = replica.erase(chosen->erasing);
    if (!orders || orders->empty()) return;
    const Written& order = orders->front();
    *ordered = {node.machine, node.life,  replica.directory().feed(order.feed).head.feed,
                order.seq,    order.hash, order.arrival,
                chosen->mark};
  };
  job.finish = [&world, ordered](const std::optional<std::string>& error) {
    if (!error && !ordered->erased.empty()) world.ledger.saved.push_back(*ordered);
  };
  node.process->post(std::move(job));
}

}  // namespace

const std::vector<EventKind>& erasing_events() {
  static const std::vector<EventKind> all = {{"erase", nullptr, 1, erase}};
  return all;
}

}  // namespace chapterd::sim
