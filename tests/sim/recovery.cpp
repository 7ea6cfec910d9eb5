// What every transaction promises, and what a disk must still hold after the power went.
#include "base/contract.h"
#include "replication/format/piece.h"
#include "tests/sim/invariants/invariants.h"
#include "tests/sim/world.h"

#include <algorithm>

namespace chapterd::sim {
namespace {

// How often a commit is cut short on a copy of the disk, and how often such a copy loses power.
constexpr std::size_t one_commit_in = 100;
constexpr std::size_t most_io_ahead = 24;
constexpr int cuts_a_probe = 2;

// Who knows that its chapter has moved writes into feeds with the new path, from the transaction
// after the one in which it learned of it. Once all have met, everybody knows.
void check_path(World& world, Process& process, const KnownFeed& feed) {
  const SimNode& node = process.node();
  const Directory& directory = process.replica().directory();
  const bool all_know = world.has_met && node.counts();
  const ChapterPath now = all_know ? world.places.path_of(node.chapter)
                                   : directory.authority().path_of(directory.chapter());
  const bool is_known = all_know || (process.has_started() && node.home == now);
  if (!is_known || feed.intro.node != node.id()) return;
  world.require(feed.intro.home == now, "I11",
                "machine " + std::to_string(node.machine) +
                    " goes on in a feed from before its chapter moved, audience " +
                    std::string(name_of(feed.intro.audience)));
}

// What a node has signed becomes the truth about its feeds; what came back to it is that already.
void note_own_piece(World& world, Process& process, const KnownFeed& feed, const StoredPiece& at) {
  FeedTruth& truth = world.ledger.feeds[feed.head.feed];
  const auto piece = decode_piece(at.body);
  world.require(piece.has_value(), "I3", "an own piece cannot be decoded");
  const auto hashes = chain(*piece, feed.head.feed, at.prev);
  EntryHash prev = at.prev;
  for (std::size_t i = 0; i < hashes.size(); ++i) {
    const Sequence seq = piece->first.plus(i);
    if (!truth.wrote(seq, hashes[i])) {
      const std::string where = " (machine " + std::to_string(process.node().machine) + ", entry " +
                                std::to_string(seq.value) + ")";
      world.require(at.via == 0, "I3", "an entry comes back that its author never wrote" + where);
      world.require(seq.value <= truth.places.size() + 1, "I3", "an own feed has a gap" + where);
      check_path(world, process, feed);
      truth.places.resize(std::max<std::size_t>(truth.places.size(), seq.value));
      auto& place = truth.places[seq.value - 1];
      const bool may_fork =
          world.ledger.may_fork.contains({feed.intro.node, feed.intro.incarnation});
      world.require(place.empty() || may_fork, "I4",
                    "two entries of one feed have one sequence" + where);
      place.push_back({hashes[i], prev});
      world.ledger.by_name[name_part(hashes[i])] = {feed.head.feed, seq, hashes[i]};
      ++world.figures.entries;
    }
    prev = hashes[i];
  }
}

void note_own_entries(World& world, Process& process, const KnownFeed& feed, Sequence after) {
  FeedTruth& truth = world.ledger.feeds[feed.head.feed];
  if (truth.places.empty()) {
    truth.intro = feed.intro;
    const SimNode& node = process.node();
    truth.author = node.copy_of < 0 ? node.machine : node.copy_of;
  }
  for (const StoredPiece& stored : process.store().pieces_of(feed.row, after.next(), SIZE_MAX))
    note_own_piece(world, process, feed, stored);
}

// What had not left the node is chained anew when it finds that it was put back. Where it lies in
// the log it stays.
void follow_moved(World& world, Process& process) {
  SimNode& node = process.node();
  Directory& directory = process.replica().directory();
  const Promised& promised = world.ledger.promised[static_cast<std::size_t>(node.machine)];
  for (Saved& saved : world.ledger.saved) {
    if (saved.machine != node.machine || saved.life != node.life) continue;
    if (holds(promised, world.ledger.feeds[saved.feed], saved.seq, saved.hash, saved.feed))
      continue;
    const auto stored = process.store().piece_at(saved.arrival);
    world.require(stored.has_value(), "I1", "what was saved is gone, and not chained anew");
    const KnownFeed& feed = directory.feed(stored->feed);
    const auto piece = decode_piece(stored->body);
    const std::size_t at = saved.arrival.value - stored->arrival.value;
    world.require(feed.intro.node == node.id() && piece && at < piece->entries.size(), "I1",
                  "what was saved is gone, and something else is in its place");
    const FeedIntro& before = world.ledger.feeds[saved.feed].intro;
    const bool goes_up = before.audience == Audience::up || before.audience == Audience::to;
    world.require(!goes_up || feed.intro.home == before.home, "I11",
                  "a draft from before a move is handed to those above now");
    const Head was{saved.feed, saved.seq, saved.hash};
    saved.feed = feed.head.feed;
    saved.seq = piece->first.plus(at);
    saved.hash = chain(*piece, saved.feed, stored->prev)[at];
    world.ledger.renamed.emplace_back(was, Head{saved.feed, saved.seq, saved.hash});
  }
}

// Arrival numbers of one database name one log. A new epoch tells its log from the beginning.
void note_log(World& world, Process& process) {
  Ledger& ledger = world.ledger;
  SimNode& node = process.node();
  Arrival& read = ledger.read[static_cast<std::size_t>(node.machine)];
  Directory& directory = process.replica().directory();
  const bool is_new = node.epochs.insert(directory.epoch()).second;
  if (is_new) read = Arrival(0);
  auto& log = ledger.logs[directory.epoch()];
  for (const StoredPiece& piece : process.store().heads_after(read, SIZE_MAX >> 1U)) {
    const Arrival last(piece.arrival.value + piece.count - 1);
    log.push_back({last, piece.lane, directory.feed(piece.feed).head.feed,
                   Sequence(piece.seq.value + piece.count - 1)});
    read = last;
    if (piece.via != 0 && process.has_started() && world.figures.commits % 4 == 0)
      check_arrived(world, node, piece);
  }
}

// A new life of the feeds begins only when a disk was put back, or copied.
void check_life(World& world, Process& process) {
  SimNode& node = process.node();
  const Incarnation& now = process.replica().directory().incarnation();
  const bool is_first = node.incarnation == Incarnation{};
  world.require(is_first || node.incarnation == now || node.may_come_back, "I14",
                "machine " + std::to_string(node.machine) +
                    " takes itself for restored, and its disk was never put back");
  node.incarnation = now;
  const InstanceToken token = mark_in(process.store()).value_or(ExportMark{}).token;
  if (node.token != InstanceToken{} && node.token != token) {
    node.has_come_back = true;
    node.has_met = false;
  }
  node.token = token;
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
  const bool may_move =
      each.may_come_back && each.incarnation != process.replica().directory().incarnation();
  check_life(*this, process);
  bool has_moved = false;
  for (const KnownFeed& feed : process.replica().directory().feeds()) {
    Head& before = promised[{feed.head.feed, feed.row}];
    if (before == feed.head || (feed.head.seq == before.seq && feed.head.seq == Sequence(0)))
      continue;
    const bool is_own = feed.intro.node == each.id();
    const bool goes_back = feed.head.seq <= before.seq;
    require(!goes_back || (is_own && may_move), "I14",
            "a head went back or changed (machine " + std::to_string(each.machine) + ", feed " +
                to_hex(feed.head.feed.view()).substr(0, 8) + ", from " +
                std::to_string(before.seq.value) + " to " + std::to_string(feed.head.seq.value) +
                ")");
    has_moved = has_moved || goes_back;
    if (is_own) note_own_entries(*this, process, feed, goes_back ? Sequence(0) : before.seq);
    if (feed.head.seq != Sequence(0)) check_head(*this, each, feed, HeadIs::new_here);
    before = feed.head;
  }
  std::erase_if(promised, [](const auto& held) { return held.second.seq == Sequence(0); });
  if (has_moved) follow_moved(*this, process);
  follow_moves(process);
  note_log(*this, process);
  // A revocation whose writer died before it answered counts all the same.
  for (const auto& other : nodes) {
    if (!process.replica().directory().authority().is_revoked(other->id())) continue;
    ledger.knows_revoked.insert({each.machine, other->machine});
    if (!std::exchange(other->is_revoked, true)) strike_lost();  // what only that one held
  }
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
