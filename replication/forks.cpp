// Looking at branches as they are stored.
#include "replication/forks.h"

#include "replication/format/piece.h"
#include "replication/stored_piece.h"

#include <algorithm>
#include <tuple>

namespace chapterd {
namespace {

ForkedFeed describe(const Directory& directory, const FeedId& id) {
  ForkedFeed forked;
  const KnownFeed& first = *directory.feed(id);
  forked.id = id;
  forked.node = first.intro.node;
  forked.chapter = first.intro.home.chapter;
  forked.audience = first.intro.audience;
  forked.branches = directory.branches(id);
  forked.shared = first.head.seq;
  forked.closed = !directory.closing(first).empty();
  for (const FeedRow row : forked.branches) {
    const KnownFeed& branch = directory.feed(row);
    if (row != first.row) forked.shared = std::min(forked.shared, branch.fork.seq);
    if (branch.head.seq == branch.fork.seq) continue;
    forked.tips.push_back(branch.head);
    forked.aside += branch.head.seq.value - Directory::standing_head(branch).seq.value;
  }
  std::ranges::sort(forked.tips, {}, [](const Head& tip) { return std::tie(tip.seq, tip.hash); });
  return forked;
}

// A path of before a move: nobody can open the feed any more that would end this one.
bool is_moved(const Authority& authority, const FeedIntro& intro) {
  return intro.home != authority.path_of(intro.home.chapter) ||
         (intro.target && *intro.target != authority.path_of(intro.target->chapter));
}

// The stored piece that holds the entry after `shared`, from that entry on. Empty when unsigned.
Bytes piece_after(Reader& reader, const KnownFeed& branch, const Position& shared) {
  const auto pieces = reader.pieces_of(branch.row, shared.seq.next(), 1);
  if (pieces.empty() || pieces.front().seq > shared.seq.next()) return {};
  Piece piece = decoded(pieces.front());
  if (!piece.checkpoint) return {};
  piece.entries.erase(piece.entries.begin(),
                      piece.entries.begin() +
                          static_cast<std::ptrdiff_t>(shared.seq.next().value - piece.first.value));
  piece.first = shared.seq.next();
  if (piece.first != Sequence(1)) piece.prev = shared.hash;
  return encode(piece);
}

// The first entry of a piece, when the author signed for it.
std::optional<EntryHash> signed_entry(const FederationId& federation,
                                      const FeedIntro& intro,
                                      const FeedId& id,
                                      const Position& shared,
                                      ByteView bytes) {
  const auto piece = decode_piece(bytes);
  if (!piece || !piece->checkpoint || piece->first != shared.seq.next()) return std::nullopt;
  const auto hashes = chain(*piece, id, shared.hash);
  const Head last{id, piece->last(), hashes.back()};
  if (!verify_checkpoint(intro.node, federation, last, *piece->checkpoint)) return std::nullopt;
  return hashes.front();
}

}  // namespace

std::optional<EntryHash> hash_in(Reader& reader, const KnownFeed& branch, Sequence seq) {
  if (!branch.covers(seq)) return std::nullopt;
  if (seq == branch.head.seq) return branch.head.hash;
  const auto pieces = reader.pieces_of(branch.row, seq, 1);
  if (pieces.empty() || pieces.front().seq > seq) return std::nullopt;
  const StoredPiece& stored = pieces.front();
  return hashes_in(stored, decoded(stored), branch.head.feed)[seq.value - stored.seq.value];
}

bool wrote_tip_in(Reader& reader, const KnownFeed& branch) {
  const auto pieces = reader.pieces_of(branch.row, branch.head.seq, 1);
  return !pieces.empty() && pieces.front().via == 0;
}

std::vector<ForkedFeed> forked_feeds(const Directory& directory) {
  std::vector<ForkedFeed> all;
  for (const FeedId& id : directory.forked()) all.push_back(describe(directory, id));
  return all;
}

std::vector<FeedId> left_open(const Directory& directory,
                              const std::function<bool(const KnownFeed&)>& wrote_tip) {
  std::vector<FeedId> open;
  const Authority& authority = directory.authority();
  if (authority.is_revoked(directory.self())) return open;
  for (const FeedId& id : directory.forked()) {
    const KnownFeed& first = *directory.feed(id);
    const bool is_ours = first.intro.node == directory.self() && first.lane() == Lane::live &&
                         first.intro.incarnation != directory.incarnation();
    if (!is_ours || is_moved(authority, first.intro)) continue;
    const std::vector<Head> listed = directory.closing(first);
    const bool lacks_own = std::ranges::any_of(directory.branches(id), [&](FeedRow row) {
      const KnownFeed& branch = directory.feed(row);
      return std::ranges::find(listed, branch.head) == listed.end() && wrote_tip(branch);
    });
    if (listed.empty() || lacks_own) open.push_back(id);
  }
  return open;
}

std::optional<ForkProof> fork_proof(Reader& reader,
                                    const Directory& directory,
                                    const KnownFeed& branch) {
  // Beside it goes on the trunk, or another branch that leaves it at the same place.
  for (const FeedRow row : directory.branches(branch.head.feed)) {
    const KnownFeed& other = directory.feed(row);
    const bool is_beside = other.row != branch.row && other.covers(branch.fork.seq.next()) &&
                           (other.row == branch.trunk || other.fork == branch.fork);
    if (!is_beside) continue;
    ForkProof proof{branch.fork, piece_after(reader, other, branch.fork),
                    piece_after(reader, branch, branch.fork)};
    if (!proof.first.empty() && !proof.second.empty()) return proof;
  }
  return std::nullopt;
}

bool verify_fork(const FederationId& federation, ByteView bytes, const ForkProof& proof) {
  const auto intro = decode_feed_intro(bytes);
  if (!intro) return false;
  const FeedId id = feed_id(federation, bytes);
  const auto first = signed_entry(federation, *intro, id, proof.shared, proof.first);
  const auto second = signed_entry(federation, *intro, id, proof.shared, proof.second);
  return first && second && *first != *second;
}

}  // namespace chapterd
