// Seeds of runs from which something was erased: they would give the salt of what is gone away.
#include "base/contract.h"
#include "replication/replica.h"
#include "replication/stored_piece.h"

#include <deque>
#include <utility>

namespace chapterd {

// The other pieces of the run keep salts too, on whatever branch: its seed would give away that of
// the erased payload.
void Replica::hide_seed(const StoredPiece& from, const RunSeed& seed) {
  std::deque<StoredPiece> spread{from};
  while (!spread.empty()) {
    for (const auto& [feed, seq] : beside(spread.front())) {
      if (auto next = hide_seed_in(feed, seq, seed)) spread.push_back(std::move(*next));
    }
    spread.pop_front();
  }
}

// In the piece with this entry, which is returned, if it has this seed.
std::optional<StoredPiece> Replica::hide_seed_in(FeedRow feed, Sequence seq, const RunSeed& seed) {
  auto held = piece_holding(feed, seq);
  if (!held) return std::nullopt;
  Piece piece = decoded(*held);
  if (piece.seed != seed) return std::nullopt;
  give_salts(piece);
  StoredPiece* staged = staged_piece(feed, seq);
  CHECK(staged != nullptr);
  staged->body = encode(piece);
  return held;
}

// The entries before and after a piece, with those of branches that leave within it.
std::vector<std::pair<FeedRow, Sequence>> Replica::beside(const StoredPiece& piece) const {
  const KnownFeed& feed = directory_.feed(piece.feed);
  const Sequence before(piece.seq.value - 1);
  std::vector<std::pair<FeedRow, Sequence>> entries{
      {before == feed.fork.seq ? feed.trunk : feed.row, before}, {feed.row, last_of(piece).next()}};
  for (const FeedRow row : directory_.branches(feed.head.feed)) {
    const KnownFeed& branch = directory_.feed(row);
    const bool leaves_here = branch.trunk == feed.row && branch.fork.seq >= piece.seq &&
                             branch.fork.seq <= last_of(piece);
    if (leaves_here) entries.emplace_back(row, branch.fork.seq.next());
  }
  std::erase_if(entries, [](const auto& entry) { return entry.second == Sequence(0); });
  return entries;
}

// Of one run either all pieces have the seed or none has: a piece that came without it follows one
// with it, or the other way round.
void Replica::hide_spent_seed(FeedRow feed, Sequence first) {
  if (first.value == 1) return;
  const KnownFeed& known = directory_.feed(feed);
  const Sequence last(first.value - 1);
  const auto before = piece_holding(last == known.fork.seq ? known.trunk : feed, last);
  StoredPiece* staged = staged_piece(feed, first);
  if (!before || staged == nullptr) return;
  const Piece earlier = decoded(*before);
  Piece piece = decoded(*staged);
  const bool ends_run = (earlier.entries[last.value - before->seq.value].flags & flag_run_end) != 0;
  if (ends_run || earlier.seed.has_value() == piece.seed.has_value()) return;
  if (earlier.seed) {
    if (const auto held = hide_seed_in(before->feed, last, *earlier.seed))
      hide_seed(*held, *earlier.seed);
  } else {
    give_salts(piece);
    staged->body = encode(piece);
  }
}

}  // namespace chapterd
