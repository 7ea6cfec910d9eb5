// A piece: entries of one feed and one run that follow each other, ended by a checkpoint. What
// travels in SEG frames and what the store keeps. Feed, salts and commitments are implied, and the
// hash before the first entry mostly is.
#pragma once

#include "base/result.h"
#include "replication/format/entry.h"

#include <optional>
#include <vector>

namespace chapterd {

struct PieceEntry {
  EntryKind kind = EntryKind::data;
  std::uint8_t flags = 0;  // header flags
  HybridTime time;
  std::uint32_t payload_bytes = 0;   // of the payload as written, also when erased
  ByteView payload;                  // borrowed; empty when erased
  std::optional<Commitment> erased;  // instead of the payload
  std::optional<Salt> salt;          // given when the piece has no seed any more
};

struct Piece {
  Sequence first;                       // seq of entries[0]
  std::optional<EntryHash> prev;        // on the wire, where it does not follow the piece before
  std::optional<RunSeed> seed;          // none once an entry of the run was erased
  std::vector<PieceEntry> entries;      // 1 … limits::run_entries
  std::optional<Signature> checkpoint;  // over the last entry; none only in an author's own store

  [[nodiscard]] Sequence last() const { return Sequence(first.value + entries.size() - 1); }
};

// docs/protocol.md, "Piece".
[[nodiscard]] Bytes encode(const Piece& piece);
// Payloads borrow from `bytes`. Refuses (Errc::malformed) counts and lengths over the limits, a run
// that goes on after its end flag, unknown flag bits, erased statements and erase orders, left-over
// bytes.
[[nodiscard]] Result<Piece> decode_piece(ByteView bytes);

// The hashes of all entries, in order, when entry `first` follows `prev`.
[[nodiscard]] std::vector<EntryHash> chain(const Piece& piece,
                                           const FeedId& feed,
                                           const EntryHash& prev);

// A salt for each payload instead of the seed, which would give away that of an erased one.
void give_salts(Piece& piece);
// The payload of this entry and its salt go; the commitment stays, and with it every hash. No
// effect on an entry that is erased already.
void erase(Piece& piece, std::size_t index);

// True when `second` continues `first` in one run and both fit one piece.
[[nodiscard]] bool can_join(const Piece& first, const Piece& second);
// Appends the entries of `second`, whose checkpoint replaces that of `first`. Needs can_join().
void join(Piece& first, const Piece& second);

}  // namespace chapterd
