// What of the log counts: entries beyond the cut of a revocation or the closing of a feed are kept
// and linked, but not merged. When another part counts, the records that it touches are merged anew
// from their entries. The verdict is a function of the statements and entries that are held, in
// whatever order they came. With it: merging one entry, and a record anew.
#include "base/contract.h"
#include "replication/replica.h"
#include "replication/stored_piece.h"

#include <algorithm>
#include <deque>
#include <set>
#include <utility>

namespace chapterd {
namespace {

constexpr std::size_t bytes_a_time = 1024 * 1024;

Error mended() {
  return Error(Errc::check_failed, "store.damaged-layer",
               "A merged record in the database was damaged, and was made anew from its entries.",
               "Nothing was lost.",
               "A disk that damages one place will damage others: run 'chapterd verify', make a "
               "backup to another disk.");
}

}  // namespace

Sequence Replica::stands(FeedRow feed) const {
  return directory_.feed(feed).stands.seq;
}

// Of a branch that is new here: when there is anything to say of its feed, nothing counts until
// settle() has looked.
void Replica::note_limits(const KnownFeed& feed) {
  for (const Predecessor& each : feed.intro.predecessors) {
    if (each.why == Continues::fork) unsettled_.insert(each.tip.feed);
  }
  if (directory_.limits(feed).empty()) return;
  directory_.set_stands(feed.row, feed.fork);
  unsettled_.insert(feed.head.feed);
}

// After entries and statements were applied, before the group is committed.
void Replica::follow_cuts() {
  recall_revocations();
  follow_moves();
  const Authority& authority = directory_.authority();
  if (std::exchange(cut_version_, authority.cut_version()) != authority.cut_version()) {
    keep_revocations();
    for (const KnownFeed& feed : directory_.feeds()) {
      if (feed.stands.seq != stands_whole || !directory_.limits(feed).empty())
        unsettled_.insert(feed.head.feed);
    }
  }
  if (unsettled_.empty()) return;
  close_piece();
  // All feeds first: a record may have entries of several. One may close others, so that they come
  // in again; each closes only what was there before it.
  Touched touched;
  bool has_moved = false;
  while (!unsettled_.empty()) {
    const FeedId id = unsettled_.extract(unsettled_.begin()).value();
    has_moved = settle(id, touched) || has_moved;
  }
  merge_readable(touched);
  if (has_moved) review_orders();
}

// Entries count when all lists say so; what a list says of ancestors holds for every branch.
// Returns whether another part counts now.
bool Replica::settle(const FeedId& id, Touched& touched) {
  const std::vector<FeedRow> rows = directory_.branches(id);
  if (rows.empty()) return false;  // not held
  const KnownFeed first = directory_.feed(rows.front());
  std::map<FeedRow, Sequence> stands;
  for (const FeedRow row : rows) stands[row] = stands_whole;
  const std::vector<std::vector<Head>> lists = directory_.limits(first);
  for (const std::vector<Head>& heads : lists) {
    for (const auto& [row, reach] : reach_of(heads, rows))
      stands[row] = std::min(stands[row], reach);
  }
  bool has_moved = false;
  for (const auto& stood : stands) {
    const FeedRow row = stood.first;
    const Sequence seq = stood.second;
    const KnownFeed& feed = directory_.feed(row);
    Position position{std::max(seq, feed.fork.seq), {}};
    if (seq <= feed.fork.seq) {
      position.hash = feed.fork.hash;
    } else if (!unless_damaged([&] { position.hash = hash_at(feed, seq).value_or(EntryHash{}); })) {
      for (const std::vector<Head>& heads : lists) {
        for (const Head& head : heads)
          if (head.seq == seq) position.hash = head.hash;
      }
    }
    has_moved = has_moved || feed.stands != position;
    const Sequence counted = Directory::standing_head(feed).seq;
    set_stands(row, position, touched);
    // What was set aside was not acknowledged.
    if (Directory::standing_head(directory_.feed(row)).seq > counted)
      received_feeds_.insert(row.value);
  }
  // What is written into a closed feed counts for nothing. Nothing was lost, so nobody waits.
  if (is_own_current(first.intro) && !directory_.closing(first).empty()) begin_incarnation();
  return has_moved;
}

// How far the ancestors of these heads go on each branch. Of a head that is not held it is not
// known whose ancestors are its own: all before it may be.
std::map<FeedRow, Sequence> Replica::reach_of(const std::vector<Head>& heads,
                                              const std::vector<FeedRow>& rows) {
  std::map<FeedRow, Sequence> reach;
  for (const FeedRow row : rows) reach[row] = directory_.feed(row).fork.seq;
  const auto raise = [&](FeedRow row, Sequence seq) { reach[row] = std::max(reach[row], seq); };
  for (const Head& head : heads) {
    std::optional<FeedRow> holder;
    const bool is_known = unless_damaged([&] {
      holder = holder_of(head.feed, {head.seq, head.hash});
    });
    // A damaged entry is taken for the one that is named: a cut must hold.
    if (!is_known && rows.size() == 1) holder = rows.front();
    if (!holder) {
      for (const FeedRow row : rows) raise(row, Sequence(head.seq.value - 1));
      continue;
    }
    Sequence seq = head.seq;
    for (FeedRow row = *holder; row.value != 0;) {
      raise(row, seq);
      seq = directory_.feed(row).fork.seq;
      row = directory_.feed(row).trunk;
    }
  }
  return reach;
}

void Replica::set_stands(FeedRow row, const Position& stands, Touched& touched) {
  const KnownFeed feed = directory_.feed(row);
  if (feed.stands == stands) return;
  const bool counted = Directory::standing_head(feed).seq > feed.fork.seq;
  directory_.set_stands(row, stands);
  touched_feeds_.insert(row.value);
  staged_ = true;
  if (feed.lane() == Lane::live && feed.stands.seq != stands.seq) {
    // Which records its sealed entries change is not known without the key.
    if (feed.intro.audience == Audience::chapter && vault_.is_locked()) {
      set_value(stored_name::stale, {1});
    } else {
      unless_damaged([&] {
        find_records(feed, std::min(feed.stands.seq, stands.seq),
                     std::max(feed.stands.seq, stands.seq), touched);
      });
    }
  }
  if ((Directory::standing_head(directory_.feed(row)).seq > feed.fork.seq) == counted) return;
  for (const Predecessor& each : feed.intro.predecessors) {
    if (each.why == Continues::fork) unsettled_.insert(each.tip.feed);
  }
}

// The records that entries after `from` up to `to` change.
void Replica::find_records(const KnownFeed& feed, Sequence from, Sequence to, Touched& records) {
  const SpaceRow space = space_for(feed.intro);
  Bytes opened;
  ChangeView change;
  const auto look = [&](const StoredPiece& stored) {
    const Piece piece = decoded(stored);
    for (std::size_t i = 0; i < piece.entries.size(); ++i) {
      const Sequence seq = piece.first.plus(i);
      if (seq <= from || seq > to) continue;
      const PieceEntry& entry = piece.entries[i];
      if (read_change(feed.intro, entry, opened, change) == ChangeVerdict::good)
        records.emplace(space, change.record);
      if (entry.kind != EntryKind::erase) continue;
      if (const auto order = decode_erase_order(entry.payload))
        records.emplace(space, order->record);
    }
  };
  for (Sequence next = std::max(from, feed.fork.seq).next(); next <= std::min(to, feed.head.seq);) {
    const auto pieces = store_.pieces_of(feed.row, next, bytes_a_time);
    if (pieces.empty()) break;  // what is staged is not in the store yet
    for (const StoredPiece& stored : pieces) unless_damaged([&] { look(stored); });
    next = last_of(pieces.back()).next();
  }
  for (const StoredPiece& staged : batch_.pieces) {
    if (staged.feed == feed.row) look(staged);
  }
}

// Returns the entry merged into this layer before, for the link.
Arrival Replica::merge_into(SpaceRow space,
                            const ChangeView& change,
                            const Written& written,
                            HybridTime time) {
  StoredLayer& layer = staged_layer(space, change);
  LayerState state;
  if (!layer.state.empty()) {
    auto decoded = decode_layer(layer.state);
    if (!decoded) {
      // Nobody's next change waits for a person: its entries are here, each with a check of its
      // own.
      merge_anew(space, change.record);
      decoded = decode_layer(layer.state);
    }
    if (!decoded) throw Damaged(decoded.error());
    state = std::move(*decoded);
  }
  merge(state, change, written.hash, time);
  layer.state = encode(state);
  return std::exchange(layer.newest, written.arrival);
}

// An entry that does not stand stays in the chain of its record, for the day that it is admitted.
Arrival Replica::link_only(SpaceRow space, const ChangeView& change, const Written& written) {
  StoredLayer& layer = staged_layer(space, change);
  if (layer.state.empty()) layer.state = encode(LayerState{});
  return std::exchange(layer.newest, written.arrival);
}

void Replica::merge_anew(SpaceRow space, const RecordId& record) {
  StoredLayer* layer = find_staged(space, record);
  if (layer == nullptr) {
    auto stored = store_.layer(space, record);
    if (!stored) return;  // none of its entries was ever linked
    staged_layers_.emplace(LayerKey{space, record}, StagedAt{false, batch_.layers.size()});
    layer = &batch_.layers.emplace_back(std::move(*stored));
  }
  // What is merged must be sealed again: it waits for the keys.
  layer->is_private = is_private(space);
  if (is_sealed(layer->state) || (layer->is_private && !vault_.can_seal()))
    return set_value(stored_name::stale, {1});
  LayerState state;
  std::deque<StoredPiece> pieces;  // the state borrows from their bytes
  Borrowed borrowed;               // and from these
  for (Arrival at = layer->newest; at.value != 0;) {
    const Arrival before = merge_entry(state, at, pieces.emplace_back(piece_with(at)), borrowed);
    if (before >= at) throw Damaged("the links of a merged record are damaged");
    at = before;
  }
  if (is_damaged(layer->state) && !damage_) damage_ = mended();
  layer->state = encode(state);
  staged_ = true;
}

// After a cut has moved: what cannot be read must not hold up statements, so its records stay as
// they were.
void Replica::merge_readable(const Touched& records) {
  for (const auto& named : records) unless_damaged([&] { merge_anew(named.first, named.second); });
}

// False when `work` met damage, which is told by take_damage(): all else goes on.
bool Replica::unless_damaged(const std::function<void()>& work) {
  try {
    work();
    return true;
  } catch (const Damaged& damaged) {
    if (!damage_) damage_ = damaged.error;
    return false;
  }
}

// Returns the entry that was linked before it.
Arrival Replica::merge_entry(LayerState& state,
                             Arrival at,
                             const StoredPiece& stored,
                             Borrowed& borrowed) {
  const Piece piece = decoded(stored);
  const std::size_t index = at.value - stored.arrival.value;
  const PieceEntry& entry = piece.entries[index];
  const KnownFeed& feed = directory_.feed(stored.feed);
  ChangeView change;
  if (stored.seq.plus(index) > stands(stored.feed)) {
    // It does not count.
  } else if (entry.kind == EntryKind::erase) {
    auto order = decode_erase_order(entry.payload);
    if (order && !erasures_.doubtful().contains(at))
      merge_order(state, borrowed.orders.emplace_back(std::move(*order)));
  } else if (read_change(feed.intro, entry, borrowed.opened.emplace_back(), change) ==
             ChangeVerdict::good) {
    const auto hashes = hashes_in(stored, piece, feed.head.feed);
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
  if (!stored) throw Damaged("an entry of a merged record is missing");
  return std::move(*stored);
}

// Of an entry that is held; nullopt for any other sequence.
std::optional<EntryHash> Replica::hash_at(const KnownFeed& feed, Sequence seq) {
  if (!feed.covers(seq)) return std::nullopt;
  if (seq == feed.head.seq) return feed.head.hash;
  const auto in_piece = [&](const StoredPiece& stored) {
    return hashes_in(stored, decoded(stored), feed.head.feed)[seq.value - stored.seq.value];
  };
  for (const auto* list : {&batch_.pieces, &batch_.moved}) {
    for (const StoredPiece& staged : *list) {
      if (staged.feed == feed.row && staged.seq <= seq && seq <= last_of(staged))
        return in_piece(staged);
    }
  }
  const auto pieces = store_.pieces_of(feed.row, seq, 1);
  if (pieces.empty() || pieces.front().seq > seq) return std::nullopt;
  return in_piece(pieces.front());
}

}  // namespace chapterd
