// What has not left this node since it last met those above it, and how that is chained anew when
// it turns out that the database was rolled back.
#include "base/byte_stream.h"
#include "replication/entitlement.h"
#include "replication/format/limits.h"
#include "replication/replica.h"
#include "replication/stored_piece.h"

#include <algorithm>
#include <utility>

namespace chapterd {
namespace {

constexpr std::size_t rows_a_time = 4096;

Bytes copy(ByteView view) {
  return {view.begin(), view.end()};
}

// The same change, with the values that it supersedes under their new names.
Bytes renamed_change(const ChangeView& view, const NewNames& names) {
  Change change;
  change.record = view.record;
  change.kind = std::string(view.kind);
  change.schema = view.schema;
  for (const OperationView& each : view.operations) {
    Operation operation{std::string(each.field), each.action, copy(each.value), {}};
    for (ValueName name : view.supersedes(each)) {
      names.apply(name);
      operation.supersedes.push_back(name);
    }
    std::ranges::sort(operation.supersedes);
    change.operations.push_back(std::move(operation));
  }
  return encode(change);
}

// What was written before a move is not for those above now. A new node made of a copy takes over
// what the old one had not sent.
FeedIntro for_same_readers(FeedIntro intro, const PublicKey& self, const Incarnation& life) {
  intro.node = self;
  intro.incarnation = life;
  intro.predecessors.clear();
  return intro;
}

bool is_moved(const Head& entry, const NewNames& names) {
  return names.entries.contains(entry.hash);
}

// The same order, naming entries where they lie now. A signature over other places is void; what
// has moved is new enough to need none. An order that needs its signature, for entries that stay
// where they are, stays as it is: what it says of others is said once more.
Bytes renamed_order(ByteView payload, const Address& address, NewNames& names) {
  auto order = decode_erase_order(payload);
  if (!order) return copy(payload);
  const bool is_signed = order->chapter_signature.has_value();
  bool has_moved = false;
  bool has_stayed = false;
  for (const Head& entry : order->entries) {
    has_moved = has_moved || is_moved(entry, names);
    has_stayed = has_stayed || !is_moved(entry, names);
  }
  if (is_signed && !has_moved) return copy(payload);
  const bool stays = is_signed && has_stayed;
  if (stays)
    std::erase_if(order->entries, [&](const Head& entry) { return !is_moved(entry, names); });
  for (Head& entry : order->entries)
    if (is_moved(entry, names)) entry = names.entries.at(entry.hash);
  for (Superseded& each : order->superseded) {
    for (ValueName& name : each.names) names.apply(name);
    std::ranges::sort(each.names);
  }
  std::ranges::sort(order->entries, [](const Head& a, const Head& b) {
    return std::tie(a.feed, a.seq, a.hash) < std::tie(b.feed, b.seq, b.hash);
  });
  order->chapter_signature.reset();
  if (!stays) return encode(*order);
  names.orders.emplace_back(address, std::move(*order));
  return copy(payload);
}

// Salts, and the new hashes with them, are drawn anew; a payload that is gone keeps its commitment.
void salt_anew(Piece& piece, Random& random) {
  const bool whole = std::ranges::none_of(
      piece.entries, [](const PieceEntry& entry) { return entry.erased.has_value(); });
  piece.seed.reset();
  if (whole) piece.seed = random.fixed<RunSeed>();
  for (PieceEntry& entry : piece.entries) {
    entry.salt.reset();
    if (!whole && !entry.erased) entry.salt = random.fixed<Salt>();
  }
}

}  // namespace

bool NewNames::apply(ValueName& name) const {
  const auto at = values.find(name.entry);
  if (at == values.end()) return false;
  name.entry = at->second;
  return true;
}

// From here until it meets its parent (the global node: anybody), what this node writes has left it
// only for those that it was handed to: should the parent then tell of newer entries, the rest is
// chained anew. What was written before this start stays where it is: the disk may be the image of
// one that has sent it since.
void Replica::note_unmet(Arrival before) {
  if (met_ || has_staged_meeting_ || unmet_) return;
  if (directory_.authority().node(directory_.self()) == nullptr) return;  // just being set up
  unmet_ = before;
}

void Replica::note_handed(const std::vector<PublicKey>& peers) {
  if (!met_) handed_to_.insert(peers.begin(), peers.end());
}

// Own entries that have not left move, where they lie in the log, from their feeds into new
// incarnations.
void Replica::chain_anew(Arrival line) {
  const auto has_left = [&](const KnownFeed& feed) {
    return std::ranges::any_of(handed_to_, [&](const PublicKey& peer) {
      return may_hold(directory_.authority(), peer, feed.intro);
    });
  };
  NewNames names;
  std::set<std::pair<SpaceRow, RecordId>> touched;
  for (Arrival after = line;;) {
    const auto pieces = store_.heads_after(after, rows_a_time);
    if (pieces.empty()) break;
    for (const StoredPiece& head : pieces) {
      after = Arrival(head.arrival.value + head.count - 1);
      const KnownFeed& feed = directory_.feed(head.feed);
      if (head.via == 0 && feed.intro.node == directory_.self() && !has_left(feed))
        move_piece(piece_with(head.arrival), names, touched);
    }
  }
  for (const auto& [space, record] : touched) merge_anew(space, record);
  say_orders_again(names);
}

void Replica::say_orders_again(const NewNames& names) {
  for (const auto& [address, order] : names.orders) append_order(own_feed(address), encode(order));
}

void Replica::move_piece(const StoredPiece& stored,
                         NewNames& names,
                         std::set<std::pair<SpaceRow, RecordId>>& touched) {
  Piece piece = decoded(stored);
  const KnownFeed from = directory_.feed(stored.feed);  // adding a feed may move it
  const auto old_hashes = hashes_in(stored, piece, from.head.feed);
  const Address address{from.intro.audience,
                        from.intro.target ? from.intro.target->chapter : ChapterId{}};
  const FeedRow to =
      own_feed(for_same_readers(from.intro, directory_.self(), directory_.incarnation()));
  std::vector<Bytes> payloads;
  payloads.reserve(piece.entries.size());
  Bytes opened;
  ChangeView change;
  for (PieceEntry& entry : piece.entries) {
    const bool is_order = entry.kind == EntryKind::erase;
    if (entry.erased || (entry.kind != EntryKind::data && !is_order)) continue;
    // Names keep their width, so that no limit can be passed.
    if (is_order) {
      payloads.push_back(renamed_order(entry.payload, address, names));
    } else {
      // What cannot be read moves as it is: a change that is sealed while its key is locked, too.
      // It then supersedes values under their old names, and a person sees both.
      ChapterKeys::Held by;
      const ChangeVerdict verdict = read_change(from.intro, entry, opened, change, &by);
      if (verdict == ChangeVerdict::sealed) set_value(stored_name::stale, {1});
      if (verdict != ChangeVerdict::good) continue;
      touched.emplace(space_for(from.intro), change.record);
      payloads.push_back(renamed_change(change, names));
      if (by != nullptr)
        payloads.back() = vault_.keys()->seal(*by, directory_.self(), payloads.back(), random_);
    }
    entry.payload = payloads.back();
    entry.payload_bytes = static_cast<std::uint32_t>(entry.payload.size());
  }
  const Head tip = directory_.feed(to).head;
  piece.first = tip.seq.next();
  salt_anew(piece, random_);
  const auto hashes = chain(piece, tip.feed, tip.hash);
  for (std::size_t i = 0; i < hashes.size(); ++i) {
    names.values.emplace(name_part(old_hashes[i]), name_part(hashes[i]));
    names.entries.emplace(old_hashes[i], Head{tip.feed, piece.first.plus(i), hashes[i]});
    const EntryKind kind = piece.entries[i].kind;
    if (kind == EntryKind::end_of_feed && piece.first.plus(i) > Sequence(1)) ended_.insert(to);
    if (kind != EntryKind::erase) continue;
    const Arrival order = stored.arrival.plus(i);
    for (NamedValue& note : erasures_.forget(order)) batch_.values.push_back(std::move(note));
    due_orders_.push_back(order);
  }
  // What its feed had before it is its head again.
  if (stored.seq <= directory_.feed(stored.feed).head.seq)
    directory_.advance(stored.feed, Sequence(stored.seq.value - 1), stored.prev);
  directory_.advance(to, piece.last(), hashes.back());
  piece.checkpoint.reset();
  if ((piece.entries.back().flags & flag_run_end) != 0)
    piece.checkpoint =
        sign_checkpoint(key_, directory_.authority().federation(), directory_.feed(to).head);
  StoredPiece moved = stored;
  moved.feed = to;
  moved.seq = piece.first;
  moved.prev = tip.hash;
  moved.last = hashes.back();
  moved.body = encode(piece);
  batch_.moved.push_back(std::move(moved));
  touched_feeds_.insert(stored.feed.value);
  touched_feeds_.insert(to.value);
  staged_ = true;
}

}  // namespace chapterd
