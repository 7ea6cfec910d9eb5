// Merging every record anew from the entries.
#include "base/byte_stream.h"
#include "base/contract.h"
#include "replication/replica.h"

namespace chapterd {

bool Replica::must_rebuild() {
  return !store_.values(stored_name::rebuilding).empty();
}

std::uint64_t Replica::rebuild() {
  CHECK(!staged_);
  constexpr std::size_t bytes_a_time = 8 * 1024 * 1024;
  Arrival after;
  if (const auto values = store_.values(stored_name::rebuilding); !values.empty()) {
    after = Arrival(ByteReader(values.front().value).u64());
  } else {
    ByteWriter zero;
    set_value(stored_name::rebuilding, zero.u64(0).take());
    commit();
    store_.drop_layers();
    clear_staged();
  }
  std::uint64_t entries = 0;
  for (;;) {
    const auto pieces = store_.pieces_after(Lane::live, after, bytes_a_time);
    if (pieces.empty()) break;
    entries += rebuild_pieces(pieces);
    after = Arrival(pieces.back().arrival.value + pieces.back().count - 1);
    ByteWriter next;
    set_value(stored_name::rebuilding, next.u64(after.value).take());
    commit();
  }
  set_value(stored_name::rebuilding, {});
  commit();
  return entries;
}

std::size_t Replica::rebuild_pieces(const std::vector<StoredPiece>& pieces) {
  std::size_t entries = 0;
  std::vector<ChangeVerdict> verdicts;
  std::vector<ChangeView> changes;
  for (const StoredPiece& stored : pieces) {
    const auto piece = decode_piece(stored.body);
    if (!piece) throw Broken("a piece in the database is damaged");
    const KnownFeed& feed = directory_.feed(stored.feed);
    const SpaceRow space = space_for(feed.intro);
    const auto hashes = chain(*piece, feed.head.feed, stored.prev);
    decode_changes(*piece, verdicts, changes);
    for (std::size_t i = 0; i < piece->entries.size(); ++i) {
      const Written written{stored.arrival.plus(i), stored.feed, stored.seq.plus(i), hashes[i]};
      if (verdicts[i] == ChangeVerdict::good)
        merge_into(space, changes[i], written, piece->entries[i].time);
    }
    entries += piece->entries.size();
  }
  return entries;
}

}  // namespace chapterd
