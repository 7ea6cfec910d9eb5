// I23: what was ordered to be erased is in nothing that a database hands out, nor in any byte of
// any file, once all have met.
#include "replication/forks.h"
#include "tests/sim/invariants/invariants.h"

#include <algorithm>
#include <string>

namespace chapterd::sim {
namespace {

// All that one database still shows, one after the other.
std::string all_of(Reader& reader, const Directory& directory) {
  std::string all;
  for (const KnownFeed& feed : directory.feeds())
    for (const StoredPiece& piece : reader.pieces_of(feed.row, Sequence(1), SIZE_MAX))
      all += as_text(piece.body);
  for (const StoredLayer& layer : reader.layers_after(LayerRow(0), SIZE_MAX >> 1U))
    all += as_text(layer.state);
  for (const NamedValue& value : reader.values("")) all += as_text(value.value);
  return all;
}

// A copy wrote the order beside the list that ended its feed: it is obeyed once somebody lists it.
bool is_set_aside(World& world, const Saved& order) {
  return std::ranges::any_of(world.nodes, [&](const auto& node) {
    if (!node->counts()) return false;
    const Directory& directory = node->process->replica().directory();
    return std::ranges::any_of(directory.branches(order.feed), [&](FeedRow row) {
      const KnownFeed& branch = directory.feed(row);
      return order.seq > Directory::standing_head(branch).seq &&
             hash_in(node->process->store(), branch, order.seq) == order.hash;
    });
  });
}

}  // namespace

void check_erased(World& world) {
  for (const auto& node : world.nodes) {
    if (!node->counts()) continue;
    std::string text = all_of(node->process->store(), node->process->replica().directory());
    for (const auto& [name, file] : node->disk->files) text += as_text(file->bytes());
    for (const Saved& saved : world.ledger.saved) {
      if (saved.erased.empty() || text.find(saved.erased) == std::string::npos) continue;
      world.require(is_set_aside(world, saved), "I23",
                    "machine " + std::to_string(node->machine) + " still holds erased words of " +
                        "feed " + to_hex(saved.feed.view()).substr(0, 8) + " by machine " +
                        std::to_string(saved.machine) + ": " + saved.erased);
    }
  }
}

}  // namespace chapterd::sim
