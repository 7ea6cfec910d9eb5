// What every transaction promises, and what a disk must still hold after the power went.
#include "base/contract.h"
#include "replication/format/piece.h"
#include "tests/sim/invariants/invariants.h"
#include "tests/sim/world.h"

#include <algorithm>

namespace chapterd::sim {
namespace {

// How often a commit is cut short on a copy of the disk, and how often such a copy loses power.
constexpr std::size_t one_commit_in = 40;
constexpr std::size_t most_io_ahead = 24;
constexpr int cuts_a_probe = 2;

// Entries of own feeds that nobody has seen before become the truth about these feeds.
void note_own_entries(World& world, Process& process, const KnownFeed& feed) {
  FeedTruth& truth = world.ledger.feeds[feed.head.feed];
  if (truth.hashes.empty()) {
    truth.intro = feed.intro;
    truth.author = process.node().machine;
  }
  const Sequence next(truth.hashes.size() + 1);
  if (next > feed.head.seq) return;
  for (const StoredPiece& stored : process.store().pieces_of(feed.row, next, SIZE_MAX)) {
    const auto piece = decode_piece(stored.body);
    world.require(piece.has_value(), "I3", "an own piece cannot be decoded");
    const auto hashes = chain(*piece, feed.head.feed, stored.prev);
    for (std::size_t i = 0; i < hashes.size(); ++i) {
      const std::uint64_t seq = piece->first.value + i;
      if (seq <= truth.hashes.size()) continue;
      world.require(seq == truth.hashes.size() + 1, "I3", "an own feed has a gap");
      truth.hashes.push_back(hashes[i]);
      ++world.figures.entries;
    }
  }
}

void note_log(World& world, Process& process) {
  Ledger& ledger = world.ledger;
  Arrival& read = ledger.read[static_cast<std::size_t>(process.node().machine)];
  Directory& directory = process.replica().directory();
  auto& log = ledger.logs[directory.epoch()];
  for (const StoredPiece& piece : process.store().heads_after(read, SIZE_MAX >> 1U)) {
    const Arrival last(piece.arrival.value + piece.count - 1);
    log.push_back({last, piece.lane, directory.feed(piece.feed).head.feed,
                   Sequence(piece.seq.value + piece.count - 1)});
    read = last;
  }
}

}  // namespace

void World::before_commit(SimNode& each) {
  ++figures.commits;
  if (each.random.below(one_commit_in) == 0)
    each.disk->faults.probe_after = 1 + static_cast<std::int64_t>(each.random.below(most_io_ahead));
}

void World::after_commit(Process& process) {
  SimNode& each = process.node();
  each.disk->faults.probe_after = -1;
  check_probes(each);  // before this transaction was promised to anybody
  auto& promised = ledger.promised[static_cast<std::size_t>(each.machine)];
  for (const KnownFeed& feed : process.replica().directory().feeds()) {
    Head& before = promised[{feed.head.feed, feed.row}];
    if (before == feed.head || feed.head.seq == Sequence(0)) continue;
    require(feed.head.seq > before.seq, "I14", "a head went back or changed");
    if (feed.intro.node == each.id()) note_own_entries(*this, process, feed);
    check_head(*this, each, feed);
    before = feed.head;
  }
  note_log(*this, process);
  // A revocation whose writer died before it answered counts all the same.
  for (const auto& other : nodes)
    if (process.replica().directory().authority().is_revoked(other->id())) other->is_revoked = true;
  trace_hash.u64(process.replica().directory().arrival().value);
  if (each.random.below(one_commit_in) == 0) {
    each.disk->probes.push_back(each.disk->copy(each.random.next()));
    check_probes(each);
  }
}

void World::check_probes(SimNode& each) {
  auto probes = std::exchange(each.disk->probes, {});
  for (const auto& probe : probes) {
    for (int cut = 1; cut < cuts_a_probe; ++cut)
      check_recovery(*probe->copy(each.random.next()), each);
    check_recovery(*probe, each);
  }
}

void World::check_recovery(SimDisk& disk, SimNode& each) {
  ++figures.power_cuts;
  disk.lose_power();
  SqliteOptions store_options;
  store_options.vfs = disk.vfs();
  try {
    auto store = SqliteStore::open(SimDisk::database, store_options);
    require(store.has_value(), "I1", "after a power cut the database does not open");
    check_promises(*this, **store, each);
    check_cursors(*this, **store, each);
  } catch (const Broken& broken) {
    throw Failure("I1", std::string("after a power cut the database is broken: ") + broken.what());
  }
  disk.faults.dies_after = 0;  // closing writes nothing
}

}  // namespace chapterd::sim
