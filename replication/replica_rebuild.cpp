// Merging every record anew from the entries.
#include "base/byte_stream.h"
#include "base/contract.h"
#include "replication/replica.h"
#include "replication/stored_piece.h"

namespace chapterd {
namespace {

constexpr std::size_t bytes_a_time = 8 * 1024 * 1024;

Arrival last_arrival(const StoredPiece& piece) {
  return Arrival(piece.arrival.value + piece.count - 1);
}

}  // namespace

bool Replica::must_rebuild() {
  return !store_.values(stored_name::rebuilding).empty();
}

void Replica::note_rebuilt(Arrival through) {
  ByteWriter next;
  set_value(stored_name::rebuilding, next.u64(through.value).take());
  commit();
}

Result<std::uint64_t> Replica::rebuild() {
  CHECK(!staged_);
  Arrival after;
  if (const auto values = store_.values(stored_name::rebuilding); !values.empty()) {
    after = Arrival(ByteReader(values.front().value).u64());
  } else {
    if (auto sound = check_log(); !sound) return forward(sound);
    note_rebuilt(Arrival(0));
  }
  if (after == Arrival(0)) {  // an earlier one may have been cut short before or after this
    store_.drop_layers();
    clear_staged();
  }
  std::uint64_t entries = 0;
  for (;;) {
    const auto pieces = store_.pieces_after(Lane::live, after, bytes_a_time);
    if (pieces.empty()) break;
    for (const StoredPiece& stored : pieces) {
      const auto merged = merge_piece(stored);
      if (!merged) return forward(merged);
      entries += *merged;
    }
    follow_orders();
    after = last_arrival(pieces.back());
    note_rebuilt(after);
  }
  set_value(stored_name::rebuilding, {});
  commit();
  return entries;
}

// Nothing is dropped before all of it can be made again.
Result<void> Replica::check_log() {
  for (Arrival after;;) {
    const auto pieces = store_.pieces_after(Lane::live, after, bytes_a_time);
    if (pieces.empty()) return {};
    for (const StoredPiece& stored : pieces) {
      if (auto hashes = hashes_of(stored); !hashes) return forward(hashes);
    }
    after = last_arrival(pieces.back());
  }
}

// Of the entries as they are stored; an error when they are not what their author signed.
Result<std::vector<EntryHash>> Replica::hashes_of(const StoredPiece& stored) const {
  try {
    return hashes_in(stored, decoded(stored), directory_.feed(stored.feed).head.feed);
  } catch (const Damaged&) {  // NOLINT(bugprone-empty-catch): said below
  }
  return fail(Errc::check_failed, "store.damaged-log",
              "Entries in the database are not what their author signed.",
              "The records are as they were; what other nodes hold of them is safe there.",
              "Run 'chapterd verify' to see which, then restore the last backup.");
}

Result<std::size_t> Replica::merge_piece(const StoredPiece& stored) {
  const auto hashes = hashes_of(stored);
  if (!hashes) return forward(hashes);
  const auto piece = undamaged(stored);
  const FeedIntro& intro = directory_.feed(stored.feed).intro;
  const SpaceRow space = space_for(intro);
  const Sequence standing = stands(stored.feed);
  Bytes opened;
  ChangeView change;
  for (std::size_t i = 0; i < piece->entries.size(); ++i) {
    const PieceEntry& entry = piece->entries[i];
    const Written written{stored.arrival.plus(i), stored.feed, stored.seq.plus(i), (*hashes)[i]};
    if (is_without_payload(entry, written)) continue;
    const ChangeVerdict verdict = read_change(intro, entry, opened, change);
    Arrival previous;
    if (entry.kind == EntryKind::erase) {
      previous = take_order(space, entry, written);
      const bool is_doubtful = erasures_.doubtful().contains(written.arrival);
      if (is_doubtful && decode_erase_order(entry.payload)) keep_doubtful(written.arrival);
    } else if (verdict == ChangeVerdict::good && written.seq <= standing) {
      previous = merge_into(space, change, written, entry.time);
    } else if (verdict == ChangeVerdict::good) {
      previous = link_only(space, change, written);
    } else {
      keep_pending(verdict, written.arrival);
    }
    // What could not be read when it came was left out of the chain of its record.
    if (previous > link_of(stored, i))
      set_link(*staged_piece(stored.feed, written.seq), i, previous);
  }
  return piece->entries.size();
}

}  // namespace chapterd
