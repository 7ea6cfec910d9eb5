// I23: what was ordered to be erased is in nothing that a database hands out, nor in any byte of
// any file, once all have met.
#include "replication/forks.h"
#include "replication/format/piece.h"
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

// Whether an entry is held, and stands or is set aside.
bool holds_where(SimNode& node, const Saved& saved, bool stands) {
  const Directory& directory = node.process->replica().directory();
  return std::ranges::any_of(directory.branches(saved.feed), [&](FeedRow row) {
    const KnownFeed& branch = directory.feed(row);
    return (saved.seq <= Directory::standing_head(branch).seq) == stands &&
           hash_in(node.process->store(), branch, saved.seq) == saved.hash;
  });
}

// A copy wrote the order beside the list that ended its feed: it is obeyed once somebody lists it.
bool is_set_aside(World& world, SimNode& holder, const Saved& order) {
  if (holds_where(holder, order, true)) return false;
  return std::ranges::any_of(world.nodes, [&](const auto& node) {
    return node->counts() && holds_where(*node, order, false);
  });
}

bool is_held_at(World& world, const SimNode& node, const Head& entry) {
  return holds(world.ledger.promised[static_cast<std::size_t>(node.machine)],
               world.ledger.feeds[entry.feed], entry.seq, entry.hash, entry.feed);
}

// The entry has another name, under which somebody still holds it.
bool has_two_names(World& world, const EntryHash& hash) {
  return std::ranges::any_of(world.ledger.renamed, [&](const auto& names) {
    const auto& [was, is] = names;
    if (was.hash != hash && is.hash != hash) return false;
    return std::ranges::any_of(world.nodes, [&](const auto& node) {
      return node->counts() && is_held_at(world, *node, was);
    });
  });
}

// A copy had handed on what the original also held and then chained anew: the words lie under two
// names, and an order knows one (docs/architecture.md, limits).
bool lies_under_two_names(World& world, SimNode& node, const std::string& words) {
  bool lies = false;
  for (const KnownFeed& feed : node.process->replica().directory().feeds()) {
    for (const StoredPiece& stored :
         node.process->store().pieces_of(feed.row, Sequence(1), SIZE_MAX)) {
      const auto piece = decode_piece(stored.body);
      if (!piece || as_text(stored.body).find(words) == std::string::npos) continue;
      const auto hashes = chain(*piece, feed.head.feed, stored.prev);
      for (std::size_t i = 0; i < hashes.size(); ++i) {
        if (as_text(piece->entries[i].payload).find(words) == std::string::npos) continue;
        if (!has_two_names(world, hashes[i])) return false;
        lies = true;
      }
    }
  }
  return lies;
}

}  // namespace

void check_erased(World& world) {
  for (const auto& node : world.nodes) {
    if (!node->counts()) continue;
    std::string text = all_of(node->process->store(), node->process->replica().directory());
    for (const auto& [name, file] : node->disk->files) text += as_text(file->bytes());
    for (const Saved& saved : world.ledger.saved) {
      if (saved.erased.empty() || text.find(saved.erased) == std::string::npos) continue;
      // After a move an order reaches only those who may hold the feed that it stands in.
      if (world.places.has_moves() &&
          !is_held_at(world, *node, {saved.feed, saved.seq, saved.hash}))
        continue;
      if (is_set_aside(world, *node, saved) || lies_under_two_names(world, *node, saved.erased))
        continue;
      world.require(false, "I23",
                    "machine " + std::to_string(node->machine) + " still holds erased words of " +
                        "feed " + to_hex(saved.feed.view()).substr(0, 8) + " by machine " +
                        std::to_string(saved.machine) + ": " + saved.erased);
    }
  }
}

}  // namespace chapterd::sim
