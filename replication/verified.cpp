// Verification of pieces.
#include "replication/verified.h"

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

Result<VerifiedPiece> PieceVerifier::verify(InboundPiece&& inbound) {
  auto piece = decode_piece(inbound.bytes);
  if (!piece) return forward(piece);
  const FeedId& id = inbound.feed->id;
  Head& head = heads_.try_emplace(id, inbound.known).first->second;
  if (piece->last() <= head.seq) {
    return fail(Errc::failed, "piece.known", "All entries of this piece are held already.");
  }
  if (piece->first != head.seq.next()) {
    return fail(Errc::not_found, "piece.gap", "An entry before this piece is missing.");
  }
  if (!piece->checkpoint)
    return fail(Errc::malformed, "format.piece", "A piece came without a checkpoint.");

  VerifiedPiece verified;
  verified.feed_ = std::move(inbound.feed);
  verified.prev_ = head.hash;
  verified.hashes_ = chain(*piece, id, head.hash);
  const Head last{id, piece->last(), verified.hashes_.back()};
  if (!verify_checkpoint(verified.feed_->intro.node, federation_, last, *piece->checkpoint)) {
    return fail(Errc::check_failed, "piece.signature",
                "Entries were changed on their way, or another branch of this feed exists.",
                "Nothing of them was stored.",
                "They are asked for again; if this stays, run 'chapterd doctor'.");
  }
  decode_changes(*piece, verified.verdicts_, verified.changes_);
  verified.bytes_ = std::move(inbound.bytes);
  verified.piece_ = std::move(*piece);
  head = last;
  return verified;
}

}  // namespace chapterd
