// Bytes that changed on a disk. Copies are opened by the real core: whatever it hands out without
// complaint is what was written there. It may refuse, and it may hold less.
#include "replication/stored_piece.h"
#include "tests/sim/sim_mark.h"
#include "tests/sim/world.h"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

namespace chapterd::sim {
namespace {

using testing::SeededRandom;

constexpr int copies_at_once = 6;
constexpr std::size_t sector = 512;

// What a database hands out as whole.
struct HandedOut {
  std::set<std::tuple<FeedId, Sequence, EntryHash>> entries;  // heads among them
  std::set<std::tuple<LayerRow, RecordId, Bytes>> states;
};

// Damage ends what met it, and nothing else.
template <class Read>
void unless_damaged(Read&& read) {
  try {
    read();
  } catch (const Damaged&) {  // NOLINT(bugprone-empty-catch): refused in words
  }
}

void hand_out_feed(Reader& reader, const KnownFeed& feed, HandedOut& out) {
  const FeedId& id = feed.head.feed;
  if (feed.head.seq != Sequence(0)) out.entries.insert({id, feed.head.seq, feed.head.hash});
  unless_damaged([&] {
    for (const StoredPiece& stored : reader.pieces_of(feed.row, Sequence(1), SIZE_MAX)) {
      unless_damaged([&] {
        const Piece piece = decoded(stored);
        const auto hashes = hashes_in(stored, piece, id);
        for (std::size_t i = 0; i < hashes.size(); ++i)
          out.entries.insert({id, piece.first.plus(i), hashes[i]});
      });
    }
  });
}

void hand_out_layers(Reader& reader, HandedOut& out) {
  for (const StoredLayer& layer : reader.layers_after(LayerRow(0), SIZE_MAX >> 1U))
    if (!is_damaged(layer.state) && !is_sealed(layer.state))
      out.states.insert({layer.row, layer.record, layer.state});
}

HandedOut handed_out(SimDisk& disk, const LayerSeal& seal) {
  HandedOut out;
  SqliteOptions options;
  options.vfs = disk.vfs();
  options.seal = &seal;
  try {
    const auto store = SqliteStore::open(SimDisk::database, options);
    if (!store) return out;
    const auto directory = Directory::load(Snapshot(**store));
    if (!directory) return out;
    for (const KnownFeed& feed : directory->feeds()) hand_out_feed(**store, feed, out);
    unless_damaged([&] { hand_out_layers(**store, out); });
  } catch (const Broken&) {  // NOLINT(bugprone-empty-catch): refused as a whole, or in part
  }
  disk.faults.dies_after = 0;  // closing writes nothing
  return out;
}

// SQLite reads a WAL up to its first frame that has changed: what it then shows may be older.
enum class Shown { newest, older };

Shown change_bytes(SimDisk& disk, SeededRandom& random) {
  std::vector<std::string> files;
  for (const auto& [name, file] : disk.files)
    if (name != SimMark::file && file->size() > sector) files.push_back(name);
  if (files.empty()) return Shown::newest;
  const std::string& name = files[random.below(files.size())];
  SimFile& file = *disk.files.at(name);
  const std::size_t at = random.below(file.size() - sector);
  if (random.below(4) == 0) {
    file.write(Bytes(sector, 0), at);
  } else {
    const auto mask = static_cast<std::uint8_t>(1U << random.below(8));
    file.write(Bytes{static_cast<std::uint8_t>(file.bytes()[at] ^ mask)}, at);
  }
  file.sync();
  return name == SimDisk::database ? Shown::newest : Shown::older;
}

// What a machine chained anew since is in its older states under another name.
bool was_written(const World& world, const HandedOut& out) {
  return std::ranges::all_of(out.entries, [&](const auto& entry) {
    const auto& [feed, seq, hash] = entry;
    const auto truth = world.ledger.feeds.find(feed);
    return truth == world.ledger.feeds.end() || truth->second.wrote(seq, hash);
  });
}

void rot(World& world, const Event& event) {
  SeededRandom random(event.salt);
  SimNode& node = *world.nodes[random.below(world.nodes.size())];
  if (!node.is_up()) return;
  const std::uint64_t seed = random.next();
  const LayerSeal& seal = node.process->replica().vault();
  const auto lost_power = [&] {
    auto disk = node.disk->copy(seed);
    disk->lose_power();
    return disk;
  };
  const HandedOut whole = handed_out(*lost_power(), seal);
  for (int i = 0; i < copies_at_once; ++i) {
    const auto disk = lost_power();
    const Shown shown = change_bytes(*disk, random);
    const HandedOut rotten = handed_out(*disk, seal);
    const std::string who = " is handed out (machine " + std::to_string(node.machine) + ")";
    const bool is_whole = std::ranges::includes(whole.entries, rotten.entries);
    world.require(is_whole || (shown == Shown::older && was_written(world, rotten)), "I3",
                  "an entry that changed on the disk" + who);
    world.require(shown == Shown::older || std::ranges::includes(whole.states, rotten.states), "I3",
                  "a merged record that changed on the disk" + who);
    ++world.figures.rotten;
  }
}

}  // namespace

const std::vector<EventKind>& rot_events() {
  static const std::vector<EventKind> all = {{"rot", "rot", 1, rot}};
  return all;
}

}  // namespace chapterd::sim
