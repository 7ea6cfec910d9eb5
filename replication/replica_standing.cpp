// What of the log counts: entries beyond the cut of a revocation are kept and linked, but not
// merged. When a cut comes or moves, the records that it touches are merged anew from their
// entries.
#include "base/contract.h"
#include "replication/replica.h"
#include "replication/stored_piece.h"

#include <algorithm>
#include <deque>
#include <set>
#include <utility>

namespace chapterd {
namespace {

constexpr Sequence all_of_it(UINT64_MAX);
constexpr std::size_t bytes_a_time = 1024 * 1024;

}  // namespace

Sequence Replica::stands(FeedRow feed) const {
  const auto at = cut_at_.find(feed);
  return at == cut_at_.end() ? all_of_it : at->second;
}

// The merged layers in the store show what stands as of the statements in the store.
void Replica::note_standing() {
  cut_at_.clear();
  cut_version_ = directory_.authority().cut_version();
  for (const KnownFeed& feed : directory_.feeds()) note_cut(feed);
}

void Replica::note_cut(const KnownFeed& feed) {
  if (const auto cut = directory_.authority().cut(feed.intro, feed.head.feed))
    cut_at_[feed.row] = cut->seq;
}

// After statements were applied, before the group is committed.
void Replica::follow_cuts() {
  recall_revocations();
  follow_moves();
  const Authority& authority = directory_.authority();
  if (std::exchange(cut_version_, authority.cut_version()) == authority.cut_version()) return;
  keep_revocations();
  close_piece();
  // All cuts first: a record may have entries of several feeds.
  const std::map<FeedRow, Sequence> before = std::exchange(cut_at_, {});
  for (const KnownFeed& feed : directory_.feeds()) note_cut(feed);
  std::set<std::pair<SpaceRow, RecordId>> touched;
  for (const KnownFeed& feed : directory_.feeds()) {
    const auto known = before.find(feed.row);
    const Sequence was = known == before.end() ? all_of_it : known->second;
    const Sequence is = stands(feed.row);
    if (is != was && feed.lane() == Lane::live)
      find_records(feed, std::min(is, was), std::max(is, was), touched);
  }
  for (const auto& [space, record] : touched) merge_anew(space, record);
  review_orders();
}

// The records that entries after `from` up to `to` change.
void Replica::find_records(const KnownFeed& feed,
                           Sequence from,
                           Sequence to,
                           std::set<std::pair<SpaceRow, RecordId>>& records) {
  const SpaceRow space = space_for(feed.intro);
  std::vector<ChangeVerdict> verdicts;
  std::vector<ChangeView> changes;
  const auto look = [&](const StoredPiece& stored) {
    const Piece piece = decoded(stored);
    decode_changes(piece, verdicts, changes);
    for (std::size_t i = 0; i < piece.entries.size(); ++i) {
      const Sequence seq = piece.first.plus(i);
      if (seq <= from || seq > to) continue;
      if (verdicts[i] == ChangeVerdict::good) records.emplace(space, changes[i].record);
      if (piece.entries[i].kind != EntryKind::erase) continue;
      if (const auto order = decode_erase_order(piece.entries[i].payload))
        records.emplace(space, order->record);
    }
  };
  for (Sequence next = from.next(); next <= std::min(to, feed.head.seq);) {
    const auto pieces = store_.pieces_of(feed.row, next, bytes_a_time);
    if (pieces.empty()) break;  // what is staged is not in the store yet
    for (const StoredPiece& stored : pieces) look(stored);
    next = last_of(pieces.back()).next();
  }
  for (const StoredPiece& staged : batch_.pieces) {
    if (staged.feed == feed.row) look(staged);
  }
}

void Replica::merge_anew(SpaceRow space, const RecordId& record) {
  StoredLayer* layer = find_staged(space, record);
  if (layer == nullptr) {
    auto stored = store_.layer(space, record);
    if (!stored) return;  // none of its entries was ever linked
    staged_layers_.emplace(LayerKey{space, record}, LayerRef{false, batch_.layers.size()});
    layer = &batch_.layers.emplace_back(std::move(*stored));
  }
  LayerState state;
  std::deque<StoredPiece> pieces;  // the state borrows from their bytes
  std::deque<EraseOrder> orders;   // and from these
  for (Arrival at = layer->newest; at.value != 0;) {
    const Arrival before = merge_entry(state, at, pieces.emplace_back(piece_with(at)), orders);
    if (before >= at) throw Broken("the links of a merged record are damaged");
    at = before;
  }
  layer->state = encode(state);
  staged_ = true;
}

// Returns the entry that was linked before it.
Arrival Replica::merge_entry(LayerState& state,
                             Arrival at,
                             const StoredPiece& stored,
                             std::deque<EraseOrder>& orders) {
  const Piece piece = decoded(stored);
  const std::size_t index = at.value - stored.arrival.value;
  const PieceEntry& entry = piece.entries[index];
  ChangeView change;
  if (stored.seq.plus(index) > stands(stored.feed)) {
    // It does not count.
  } else if (entry.kind == EntryKind::erase) {
    auto order = decode_erase_order(entry.payload);
    if (order && !erasures_.doubtful().contains(at))
      merge_order(state, orders.emplace_back(std::move(*order)));
  } else if (decode_change(entry.payload, change)) {
    const auto hashes = chain(piece, directory_.feed(stored.feed).head.feed, stored.prev);
    merge(state, change, hashes[index], entry.time);
  }
  return link_of(stored, index);
}

StoredPiece Replica::piece_with(Arrival at) {
  for (const StoredPiece& staged : batch_.pieces) {
    if (staged.arrival <= at && at < staged.arrival.plus(staged.count)) return staged;
  }
  for (const StoredPiece& moved : batch_.moved) {
    if (moved.arrival <= at && at < moved.arrival.plus(moved.count)) return moved;
  }
  auto stored = store_.piece_at(at);
  if (!stored) throw Broken("an entry of a merged record is missing");
  return std::move(*stored);
}

// Of an entry that is held; nullopt for any other sequence.
std::optional<EntryHash> Replica::hash_at(const KnownFeed& feed, Sequence seq) {
  if (seq == feed.head.seq) return feed.head.hash;
  if (seq > feed.head.seq || seq == Sequence(0)) return std::nullopt;
  const auto in_piece = [&](const StoredPiece& stored) {
    return chain(decoded(stored), feed.head.feed, stored.prev)[seq.value - stored.seq.value];
  };
  for (const StoredPiece& staged : batch_.pieces) {
    if (staged.feed == feed.row && staged.seq <= seq && seq <= last_of(staged))
      return in_piece(staged);
  }
  const auto pieces = store_.pieces_of(feed.row, seq, 1);
  if (pieces.empty() || pieces.front().seq > seq) return std::nullopt;
  return in_piece(pieces.front());
}

}  // namespace chapterd
