// Verification of pieces.
#include "replication/verified.h"

#include "base/contract.h"

namespace chapterd {

void decode_changes(const Piece& piece,
                    std::vector<ChangeVerdict>& verdicts,
                    std::vector<ChangeView>& changes) {
  verdicts.assign(piece.entries.size(), ChangeVerdict::none);
  changes.resize(piece.entries.size());
  for (std::size_t i = 0; i < piece.entries.size(); ++i) {
    const PieceEntry& entry = piece.entries[i];
    if (entry.kind != EntryKind::data || entry.erased || (entry.flags & flag_sealed) != 0) continue;
    const auto decoded = decode_change(entry.payload, changes[i]);
    verdicts[i] = decoded                                        ? ChangeVerdict::good
                  : decoded.error().kind == Errc::not_compatible ? ChangeVerdict::newer
                                                                 : ChangeVerdict::malformed;
  }
}

// The checkpoint covers the last entry, and with it all that hash into it: any tail of a piece is a
// piece.
void VerifiedPiece::keep_from(std::size_t index) {
  if (index == 0 && !piece_.prev) return;
  piece_.prev.reset();  // what is stored has it beside the bytes
  const auto dropped = static_cast<std::ptrdiff_t>(index);
  piece_.first = piece_.first.plus(index);
  piece_.entries.erase(piece_.entries.begin(), piece_.entries.begin() + dropped);
  Bytes shorter = encode(piece_);
  auto again = decode_piece(shorter);
  CHECK(again.has_value());
  bytes_ = std::move(shorter);
  piece_ = std::move(*again);
}

void VerifiedPiece::drop(std::size_t count) {
  CHECK(count < hashes_.size());
  if (count == 0) return;
  prev_ = hashes_[count - 1];
  hashes_.erase(hashes_.begin(), hashes_.begin() + static_cast<std::ptrdiff_t>(count));
  keep_from(count);
  decode_changes(piece_, verdicts_, changes_);
}

Result<VerifiedPiece> PieceVerifier::verify(InboundPiece&& inbound) {
  auto piece = decode_piece(inbound.bytes);
  if (!piece) return forward(piece);
  const FeedId& id = inbound.feed->id;
  Head& head = heads_.try_emplace(id, inbound.known).first->second;
  if (inbound.restarts) head = inbound.known;
  // One that says what it follows may go to any branch: whether that is held, the writer knows.
  Head from = head;
  if (piece->first != head.seq.next() && inbound.known.seq > head.seq) from = inbound.known;
  if (piece->first == Sequence(1)) from = {id, Sequence(0), {}};
  if (piece->prev) from = {id, Sequence(piece->first.value - 1), *piece->prev};
  if (piece->last() <= from.seq) {
    return fail(Errc::failed, "piece.known", "All entries of this piece are held already.");
  }
  if (piece->first > from.seq.next()) {
    return fail(Errc::not_found, "piece.gap", "An entry before this piece is missing.");
  }
  if (!piece->checkpoint)
    return fail(Errc::malformed, "format.piece", "A piece came without a checkpoint.");

  VerifiedPiece verified;
  verified.feed_ = std::move(inbound.feed);
  verified.bytes_ = std::move(inbound.bytes);
  verified.piece_ = std::move(*piece);
  verified.keep_from(from.seq.next().value - verified.piece_.first.value);
  verified.prev_ = from.hash;
  verified.hashes_ = chain(verified.piece_, id, from.hash);
  const Head last{id, verified.piece_.last(), verified.hashes_.back()};
  if (!verify_checkpoint(verified.feed_->intro.node, federation_, last,
                         *verified.piece_.checkpoint)) {
    return fail(Errc::check_failed, "piece.signature",
                "Entries were changed on their way, or another branch of this feed exists.",
                "Nothing of them was stored.",
                "They are asked for again; if this stays, run 'chapterd doctor'.");
  }
  decode_changes(verified.piece_, verified.verdicts_, verified.changes_);
  head = last;
  return verified;
}

}  // namespace chapterd
