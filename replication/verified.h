// Checking what a peer sent before the writer sees it: chain, commitments, checkpoint, shape of
// changes. Costs nearly all of a transfer's processor time and needs no state but the head before:
// it runs on any thread.
#pragma once

#include "base/result.h"
#include "replication/format/change.h"
#include "replication/format/feed.h"
#include "replication/format/piece.h"

#include <memory>
#include <unordered_map>
#include <vector>

namespace chapterd {

// A feed as a peer introduced it.
struct FeedOffer {
  FeedId id;
  FeedIntro intro;
  Bytes intro_bytes;
};

// A piece as it came, with what the session knew when it came.
struct InboundPiece {
  std::shared_ptr<const FeedOffer> feed;
  Head known;  // held of this feed when the piece came: other links bring entries too
  Bytes bytes;
  bool restarts = false;  // what the verifier follows was refused by the writer: back to `known`
};

// `sealed`: no key at hand opens it.
enum class ChangeVerdict : std::uint8_t { none, good, newer, malformed, sealed };

// Proof that every hash, commitment and the checkpoint of a piece are right, given that the entry
// before it has the hash `prev`. Only PieceVerifier makes one. Movable between threads.
class VerifiedPiece {
 public:
  [[nodiscard]] const FeedOffer& feed() const { return *feed_; }

  [[nodiscard]] const Piece& piece() const { return piece_; }

  [[nodiscard]] const Bytes& bytes() const { return bytes_; }

  [[nodiscard]] const EntryHash& prev() const { return prev_; }

  [[nodiscard]] const std::vector<EntryHash>& hashes() const { return hashes_; }

  // One an entry: `none` for other kinds than data and for sealed or erased payloads. Whether a
  // change may lie open in its feed is not judged here (replication/vault.h).
  [[nodiscard]] const std::vector<ChangeVerdict>& verdicts() const { return verdicts_; }

  [[nodiscard]] const std::vector<ChangeView>& changes() const { return changes_; }

  // Forgets the first entries, which are held already. At least one must be left.
  void drop(std::size_t count);

 private:
  friend class PieceVerifier;
  VerifiedPiece() = default;
  void keep_from(std::size_t index);

  std::shared_ptr<const FeedOffer> feed_;
  Bytes bytes_;  // piece_ and changes_ borrow from it; moving keeps its address
  Piece piece_;
  EntryHash prev_;
  std::vector<EntryHash> hashes_;
  std::vector<ChangeVerdict> verdicts_;
  std::vector<ChangeView> changes_;
};

// Follows the feeds of one session. One thread at a time.
class PieceVerifier {
 public:
  explicit PieceVerifier(FederationId federation) : federation_(federation) {}

  // A piece that names no prev follows the one before it in this session, or what was known; what
  // is held of it already is passed over.
  // Errc::malformed (bytes break the format), Errc::check_failed (hash chain or signature wrong,
  // code "piece.signature"), Errc::not_found (code "piece.gap": an entry before it is missing), and
  // Errc::failed (code "piece.known": all of it is held already).
  [[nodiscard]] Result<VerifiedPiece> verify(InboundPiece&& inbound);

 private:
  FederationId federation_;
  std::unordered_map<FeedId, Head, FixedHash> heads_;
};

// Decodes the changes among the entries of a piece; used also when records are rebuilt.
void decode_changes(const Piece& piece,
                    std::vector<ChangeVerdict>& verdicts,
                    std::vector<ChangeView>& changes);

}  // namespace chapterd
