// A new life of the database after it was rolled back: a new epoch and new incarnations of all own
// feeds, so that nothing is ever signed a second time; what had not left is chained anew.
#include "base/byte_stream.h"
#include "base/contract.h"
#include "replication/entitlement.h"
#include "replication/format/limits.h"
#include "replication/format/receipt.h"
#include "replication/replica.h"

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

// The same order, naming entries where they lie now. A signature over other places is void; what
// has moved is new enough to need none.
Bytes renamed_order(ByteView payload, const NewNames& names) {
  auto order = decode_erase_order(payload);
  if (!order) return copy(payload);
  bool moved = false;
  for (Head& entry : order->entries) {
    const auto at = names.entries.find(entry.hash);
    if (at == names.entries.end()) continue;
    entry = at->second;
    moved = true;
  }
  for (Superseded& each : order->superseded) {
    for (ValueName& name : each.names) moved = names.apply(name) || moved;
    std::ranges::sort(each.names);
  }
  if (!moved) return copy(payload);
  std::ranges::sort(order->entries, [](const Head& a, const Head& b) {
    return std::tie(a.feed, a.seq, a.hash) < std::tie(b.feed, b.seq, b.hash);
  });
  order->chapter_signature.reset();
  return encode(*order);
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

void Replica::keep_mark(MarkKeeper& keeper) {
  keeper_ = &keeper;
  const Bytes stored = value(stored_name::instance);
  std::optional<ExportMark> database;
  if (const auto decoded = decode_export_mark(stored)) database = *decoded;
  const std::optional<ExportMark> file = keeper.read();
  switch (compare_marks(file, database)) {
    case MarkVerdict::same:
      mark_ = *database;
      break;
    case MarkVerdict::fresh:
      mark_ = ExportMark{random_.fixed<InstanceToken>(), 0};
      set_value(stored_name::instance, encode(mark_));
      mark_due_ = true;
      break;
    case MarkVerdict::rolled_back:
    case MarkVerdict::file_missing:
    case MarkVerdict::other_pair:
      mark_.number = std::max(file ? file->number : 0, database ? database->number : 0);
      come_back();
      break;
  }
  revocations_ = keeper.read_revocations();
  recalled_ = revocations_;
  recall_revocations();
  follow_cuts();
  keep_revocations();
  commit();
  // For a fresh node number 0 says that the file may not be there yet.
  write_mark();
}

// What the keeper still knows of revocations and the database does not: it acts again, and goes
// into our own `auth` feed, so that the database has it too.
void Replica::recall_revocations() {
  for (Bytes& statement : std::exchange(recalled_, {})) {
    const auto applied = directory_.authority().apply(statement);
    if (applied && *applied == Applied::news) append_statement(statement);
    if (!applied && applied.error().kind == Errc::not_found)
      recalled_.push_back(std::move(statement));  // its issuer is still to come
  }
}

// Notes what the file beside the database must hold after this group.
void Replica::keep_revocations() {
  if (keeper_ == nullptr) return;
  std::vector<Bytes> now = directory_.authority().revocations();
  now.insert(now.end(), recalled_.begin(), recalled_.end());
  if (now == revocations_) return;
  revocations_ = std::move(now);
  mark_due_ = true;
}

void Replica::raise_mark() {
  if (keeper_ == nullptr) return;
  mark_.number += 1;
  own_since_mark_ = 0;
  mark_due_ = true;
  set_value(stored_name::instance, encode(mark_));
}

// Called while own entries are staged.
void Replica::raise_mark_when_due() {
  if (own_staged_ == 0) return;
  const bool is_first = !std::exchange(wrote_, true);
  own_since_mark_ += std::exchange(own_staged_, 0);
  if (is_first || own_since_mark_ >= limits::mark_entries) raise_mark();
}

// The database is committed. A full disk leaves the older file, which is safe: it is tried again.
void Replica::write_mark() {
  if (mark_due_ && keeper_ != nullptr && keeper_->write(mark_, revocations_)) mark_due_ = false;
}

void Replica::close() {
  // What is staged still belongs to a transaction that failed: the machine is broken.
  if (keeper_ == nullptr || own_since_mark_ == 0 || staged_) return;
  raise_mark();
  commit();
}

void Replica::begin_incarnation() {
  close_piece();
  directory_.begin_life(Epoch(random_.number() | 1U), directory_.incarnation());
  next_incarnation();
  ByteWriter epoch;
  epoch.u64(directory_.epoch().value);
  ByteWriter since;
  since.u64(static_cast<std::uint64_t>(clock_.now().ms));
  set_value(stored_name::epoch, epoch.take());
  set_value(stored_name::restored, since.take());
  set_value(stored_name::unmet, {});
  // Others void the receipts of the epoch before: what is still held is said anew.
  for (const KnownFeed& feed : directory_.feeds()) {
    if (acknowledges(directory_.chapter(), feed.intro)) received_feeds_.insert(feed.row.value);
  }
  wrote_unmet_ = false;
  mark_.token = random_.fixed<InstanceToken>();
  raise_mark();
}

// Others may hold entries of ours that we do not. Until we have met who stands above us we may know
// less than we did, and only statements go out.
void Replica::come_back() {
  begin_incarnation();
  set_value(stored_name::waits, {1});
}

// New feeds from here on, in the same life of the database.
void Replica::next_incarnation() {
  close_piece();
  directory_.begin_life(directory_.epoch(), random_.fixed<Incarnation>());
  set_value(stored_name::incarnation, copy(directory_.incarnation().view()));
  own_feeds_.clear();
  ended_.clear();
}

// The newest feeds for this address that no other own feed continues yet: of an earlier
// incarnation, or with a path from before a move, of this chapter or of the one written to.
std::vector<Predecessor> Replica::predecessors_of(const FeedIntro& intro) const {
  std::vector<Predecessor> predecessors;
  const auto is_continued = [&](const FeedId& id) {
    return std::ranges::any_of(directory_.own_feeds(), [&](FeedRow row) {
      const auto& named = directory_.feed(row).intro.predecessors;
      return std::ranges::any_of(named, [&](const Predecessor& p) { return p.tip.feed == id; });
    });
  };
  for (const FeedRow row : directory_.own_feeds()) {
    const KnownFeed& feed = directory_.feed(row);
    const auto chapter_of = [](const std::optional<ChapterPath>& target) {
      return target ? target->chapter : ChapterId{};
    };
    const bool is_restored = feed.intro.incarnation != intro.incarnation;
    const bool is_moved = ended_.contains(row) || feed.intro.target != intro.target;
    if (feed.intro.audience == intro.audience &&
        chapter_of(feed.intro.target) == chapter_of(intro.target) && (is_restored || is_moved) &&
        feed.head.seq > feed.fork.seq && !is_continued(feed.head.feed) &&
        predecessors.size() < limits::feed_tips) {
      predecessors.push_back({feed.head, is_restored ? Continues::restore : Continues::move});
    }
  }
  return predecessors;
}

// From here until it meets its parent (the global node: anybody), what this node writes has not
// left: should the other then tell of newer entries, this is what must be chained anew.
void Replica::note_unmet(Arrival before) {
  if (std::exchange(wrote_unmet_, true) || met_) return;
  if (directory_.authority().node(directory_.self()) == nullptr) return;  // just being set up
  if (!value(stored_name::unmet).empty()) return;
  ByteWriter line;
  line.u64(before.value);
  set_value(stored_name::unmet, line.take());
}

void Replica::meet(const Meeting& meeting, const PublicKey& peer) {
  for (const Incarnation& life : meeting.lives) {
    Bytes lives = value(stored_name::lives);
    chapterd::append(lives, life.view());
    set_value(stored_name::lives, std::move(lives));
  }
  if (meeting.rolled_back) {
    const Bytes line = value(stored_name::unmet);
    commit();  // what is staged is chained anew from the store
    come_back();
    if (!line.empty()) chain_anew(Arrival(ByteReader(line).u64()));
  }
  if (meeting.met) {
    met_ = true;
    unset(stored_name::unmet);
  }
  if (meeting.ends_wait) unset(stored_name::waits);
  if (meeting.recovered) note_recovered();
  if (meeting.may_end_forks && value(stored_name::restored).empty()) close_own_forks();
  if (meeting.new_epoch) void_receipts(peer, *meeting.new_epoch);
}

void Replica::unset(const char* name) {
  if (!value(name).empty()) set_value(name, {});
}

void Replica::confirm_restored(Complete complete) {
  unset(stored_name::waits);
  if (complete == Complete::yes) note_recovered();
}

void Replica::note_recovered() {
  if (value(stored_name::restored).empty()) return;
  unset(stored_name::restored);
  close_own_forks();
}

// A node that was restored may have lost what it had claimed to hold.
void Replica::void_receipts(const PublicKey& node, Epoch epoch) {
  for (const KnownFeed& feed : directory_.feeds()) {
    for (const StoredReceipt& stored : store_.receipts_of(feed.row)) {
      if (stored.node != node) continue;
      const auto receipt = decode_receipt(stored.bytes);
      if (receipt && receipt->epoch == epoch) continue;
      batch_.voided.emplace_back(feed.row, node);
      staged_ = true;
    }
  }
}

// Own entries after `line` move, where they lie in the log, from their feeds into new incarnations.
void Replica::chain_anew(Arrival line) {
  NewNames names;
  std::set<std::pair<SpaceRow, RecordId>> touched;
  for (Arrival after = line;;) {
    const auto pieces = store_.heads_after(after, rows_a_time);
    if (pieces.empty()) break;
    for (const StoredPiece& head : pieces) {
      after = Arrival(head.arrival.value + head.count - 1);
      if (head.via == 0 && directory_.feed(head.feed).intro.node == directory_.self())
        move_piece(piece_with(head.arrival), names, touched);
    }
  }
  for (const auto& [space, record] : touched) merge_anew(space, record);
}

void Replica::move_piece(const StoredPiece& stored,
                         NewNames& names,
                         std::set<std::pair<SpaceRow, RecordId>>& touched) {
  auto decoded = decode_piece(stored.body);
  if (!decoded) throw Damaged("a piece in the database is damaged");
  const KnownFeed from = directory_.feed(stored.feed);  // adding a feed may move it
  const auto old_hashes = chain(*decoded, from.head.feed, stored.prev);
  const FeedRow to =
      own_feed({from.intro.audience, from.intro.target ? from.intro.target->chapter : ChapterId{}});
  Piece piece = std::move(*decoded);
  std::vector<Bytes> payloads;
  payloads.reserve(piece.entries.size());
  Bytes opened;
  ChangeView change;
  for (PieceEntry& entry : piece.entries) {
    const bool is_order = entry.kind == EntryKind::erase;
    if (entry.erased || (entry.kind != EntryKind::data && !is_order)) continue;
    // Names keep their width, so that no limit can be passed.
    if (is_order) {
      payloads.push_back(renamed_order(entry.payload, names));
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
    if (piece.entries[i].kind == EntryKind::erase) due_orders_.push_back(stored.arrival.plus(i));
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
