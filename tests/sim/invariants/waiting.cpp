// I20: a change that was written over values that are not here yet is remembered as waiting for
// them. I25: what a node holds and cannot read is listed. Both from the entries of its log.
#include "replication/format/piece.h"
#include "replication/merge.h"
#include "replication/vault.h"
#include "tests/sim/invariants/invariants.h"

#include <algorithm>
#include <string>

namespace chapterd::sim {
namespace {

// Values that a change took away.
struct Over {
  SpaceRow space;
  RecordId record;
  std::string field;
  std::vector<ValueName> names;
};

// What some entries say, read anew.
struct Log {
  std::vector<Over> over;
  std::set<Arrival> unread;  // entries that say something which cannot be read
};

void add_change(std::vector<Over>& all, SpaceRow space, const ChangeView& change) {
  for (const OperationView& operation : change.operations) {
    const auto names = change.supersedes(operation);
    if (!names.empty())
      all.push_back({space, change.record, std::string(operation.field),
                     std::vector<ValueName>(names.begin(), names.end())});
  }
}

void read_piece(Process& process,
                const KnownFeed& feed,
                const StoredPiece& stored,
                const std::set<Arrival>& pending,
                Log& log) {
  const FeedIntro& intro = feed.intro;
  const auto piece = decode_piece(stored.body);
  if (!piece) return;  // I3 looks at that
  const auto space = process.replica().directory().space_row(
      intro.home.chapter, intro.audience, intro.target ? intro.target->chapter : ChapterId{});
  const Sequence stands = Directory::standing_head(feed).seq;
  const auto keys = process.replica().vault().keys();
  Bytes opened;
  ChangeView change;
  for (std::size_t i = 0; i < piece->entries.size(); ++i) {
    const ChangeVerdict verdict = read_change(keys.get(), intro, piece->entries[i], opened, change);
    const Arrival arrival = stored.arrival.plus(i);
    if (verdict != ChangeVerdict::good && verdict != ChangeVerdict::none)
      log.unread.insert(arrival);
    const bool counts = space && stored.seq.plus(i) <= stands && !pending.contains(arrival);
    if (verdict == ChangeVerdict::good && counts) add_change(log.over, *space, change);
  }
}

// The names that a merged record remembers; nothing when it lies sealed, or is to be merged anew.
std::optional<std::vector<ValueName>> awaited_in(Process& process, const Over& over) {
  const auto stored = process.store().layer(over.space, over.record);
  if (!stored) return std::vector<ValueName>();
  if (is_sealed(stored->state)) return std::nullopt;
  const auto state = decode_layer(stored->state);
  if (!state) return std::nullopt;  // I6 looks at that
  for (const LayerField& field : state->fields)
    if (field.field == over.field) return field.awaited;
  return std::vector<ValueName>();
}

// The ledger knows every entry by its name.
bool is_held(const World& world, const SimNode& node, const ValueName& name) {
  const auto entry = world.ledger.by_name.find(name.entry);
  if (entry == world.ledger.by_name.end()) return true;  // a rogue's, or no entry's
  const Head& said = entry->second;
  return holds(world.ledger.promised[static_cast<std::size_t>(node.machine)],
               world.ledger.feeds.at(said.feed), said.seq, said.hash, said.feed);
}

void check_over(World& world, SimNode& node, const Over& over) {
  std::vector<ValueName> missing = over.names;
  std::erase_if(missing, [&](const ValueName& name) { return is_held(world, node, name); });
  if (missing.empty()) return;
  const auto awaited = awaited_in(*node.process, over);
  const bool waits = !awaited || std::ranges::all_of(missing, [&](const ValueName& name) {
    return std::ranges::find(*awaited, name) != awaited->end();
  });
  ++world.figures.awaited;
  world.require(waits, "I20",
                "machine " + std::to_string(node.machine) +
                    " does not know that a change waits for what it was written over");
}

void check_log(World& world, SimNode& node, const Log& log, const std::set<Arrival>& pending) {
  for (const Arrival arrival : log.unread)
    world.require(pending.contains(arrival), "I25",
                  "machine " + std::to_string(node.machine) +
                      " holds an entry that it cannot read, and does not list it");
  const auto is_stale = [&] {  // private records are merged anew once they are unlocked
    return !node.process->store().values(stored_name::stale).empty();
  };
  for (const Over& over : log.over) {
    const StoredSpace& space = node.process->replica().directory().space(over.space);
    if (space.audience != Audience::chapter || !is_stale()) check_over(world, node, over);
  }
}

std::set<Arrival> pending_from(Reader& reader, Arrival first) {
  std::set<Arrival> pending;
  for (const StoredPending& each : reader.pending(Arrival(first.value - 1), SIZE_MAX >> 1U))
    pending.insert(each.arrival);
  return pending;
}

}  // namespace

void check_arrived(World& world, SimNode& node, const StoredPiece& piece) {
  Process& process = *node.process;
  const auto stored = process.store().piece_at(piece.arrival);
  if (!stored) return;  // I1 looks at that
  const std::set<Arrival> pending = pending_from(process.store(), piece.arrival);
  Log log;
  read_piece(process, process.replica().directory().feed(stored->feed), *stored, pending, log);
  check_log(world, node, log, pending);
}

void check_waiting(World& world, SimNode& node) {
  Process& process = *node.process;
  const std::set<Arrival> pending = pending_from(process.store(), Arrival(1));
  Log log;
  for (const KnownFeed& feed : process.replica().directory().feeds()) {
    for (const StoredPiece& stored : process.store().pieces_of(feed.row, Sequence(1), SIZE_MAX))
      read_piece(process, feed, stored, pending, log);
  }
  check_log(world, node, log, pending);
}

}  // namespace chapterd::sim
