// Erase orders: writing and obeying them. Payload and salt of the entries named go in the same
// transaction that brings the order, or the entry when the order was here first; their records are
// merged anew; what they had superseded stays so.
#include "base/byte_stream.h"
#include "base/contract.h"
#include "replication/format/limits.h"
#include "replication/replica.h"
#include "replication/stored_piece.h"

#include <algorithm>
#include <utility>

namespace chapterd {
namespace {

constexpr const char* waits_for_authority = "authority";

bool holds(const StoredPiece& piece, FeedRow feed, Sequence seq) {
  return piece.feed == feed && piece.seq <= seq && seq <= last_of(piece);
}

// What one order takes in, as long as it stays within the limits.
class OrderWriter {
 public:
  OrderWriter(const RecordId& record, std::string kind, EraseReason reason)
      : empty_{record, std::move(kind), reason, {}, {}, {}}, order_(empty_) {}

  void add(const Head& entry, std::map<std::string, std::vector<ValueName>> superseded) {
    begin(entry);
    for (auto& [field, names] : superseded) {
      for (const ValueName& name : names) {
        if (bytes_ > limits::order_bytes) begin_again(entry);
        put(field, name);
      }
    }
  }

  std::vector<EraseOrder> take() {
    if (!order_.entries.empty()) finish();
    return std::move(done_);
  }

 private:
  void begin(const Head& entry) {
    if (order_.entries.size() == limits::order_entries || bytes_ > limits::order_bytes) finish();
    bytes_ += 80;
    order_.entries.push_back(entry);
  }

  // One entry may have superseded more than one order holds: the next one names it again.
  void begin_again(const Head& entry) {
    finish();
    begin(entry);
  }

  void put(const std::string& field, const ValueName& name) {
    const auto at = std::ranges::find(order_.superseded, field, &Superseded::field);
    if (at != order_.superseded.end()) {
      at->names.push_back(name);
    } else {
      order_.superseded.push_back({field, {name}});
      bytes_ += field.size() + 8;
    }
    bytes_ += 10;
  }

  void finish() {
    std::ranges::sort(order_.entries, [](const Head& a, const Head& b) {
      return std::tie(a.feed, a.seq, a.hash) < std::tie(b.feed, b.seq, b.hash);
    });
    std::ranges::sort(order_.superseded, {}, &Superseded::field);
    for (Superseded& each : order_.superseded) {
      std::ranges::sort(each.names);
      each.names.erase(std::unique(each.names.begin(), each.names.end()), each.names.end());
    }
    done_.push_back(std::exchange(order_, empty_));
    bytes_ = 0;
  }

  EraseOrder empty_;
  EraseOrder order_;
  std::size_t bytes_ = 0;
  std::vector<EraseOrder> done_;
};

// What a change superseded, without values that are erased with it.
std::map<std::string, std::vector<ValueName>> superseded_by(const ChangeView& change,
                                                            const std::set<std::uint64_t>& erased) {
  std::map<std::string, std::vector<ValueName>> superseded;
  for (const OperationView& operation : change.operations) {
    for (const ValueName& name : change.supersedes(operation)) {
      if (!erased.contains(name.entry)) superseded[std::string(operation.field)].push_back(name);
    }
  }
  return superseded;
}

}  // namespace

std::vector<LayerEntry> Replica::entries_in(SpaceRow space, const RecordId& record) {
  close_piece();
  std::vector<LayerEntry> entries;
  const StoredLayer* staged = find_staged(space, record);
  const auto stored = staged == nullptr ? store_.layer(space, record) : std::nullopt;
  if (staged == nullptr && !stored) return entries;
  for (Arrival at = staged != nullptr ? staged->newest : stored->newest; at.value != 0;) {
    const StoredPiece held = piece_with(at);
    const Piece piece = decoded(held);
    const std::size_t index = at.value - held.arrival.value;
    const PieceEntry& entry = piece.entries[index];
    const KnownFeed& feed = directory_.feed(held.feed);
    const FeedId& id = feed.head.feed;
    Bytes payload;
    ChangeView change;
    if ((entry.flags & flag_sealed) == 0) {
      payload.assign(entry.payload.begin(), entry.payload.end());
    } else {
      static_cast<void>(read_change(feed.intro, entry, payload, change));
    }
    entries.push_back({Head{id, held.seq.plus(index), hashes_in(held, piece, id)[index]}, at,
                       entry.kind, entry.time, entry.erased.has_value(), std::move(payload)});
    at = link_of(held, index);
  }
  return entries;
}

Result<std::vector<EraseOrder>> Replica::orders_for(const Erasing& wanted) {
  const ChapterId target =
      wanted.address.audience == Audience::to ? wanted.address.target : ChapterId{};
  const auto space = directory_.space_row(directory_.chapter(), wanted.address.audience, target);
  const std::vector<LayerEntry> entries =
      space ? entries_in(*space, wanted.record) : std::vector<LayerEntry>();
  std::set<std::uint64_t> erased;
  for (const EntryHash& hash : wanted.entries) erased.insert(name_part(hash));
  std::optional<OrderWriter> writer;
  for (const LayerEntry& entry : entries) {
    ChangeView change;
    const bool named = std::ranges::find(wanted.entries, entry.place.hash) != wanted.entries.end();
    if (!named || entry.kind != EntryKind::data || entry.erased) continue;
    if (!decode_change(entry.payload, change)) continue;
    if (!writer) writer.emplace(wanted.record, std::string(change.kind), wanted.reason);
    writer->add(entry.place, superseded_by(change, erased));
  }
  if (writer) return writer->take();
  return fail(Errc::not_found, "erase.nothing", "Nothing of this is left to be erased here.",
              "Nothing was changed.");
}

// Without a signature an order is for its own history: by numbers alone a second one could take all
// of the first.
bool Replica::reaches(FeedRow from, const EraseOrder& order) {
  return order.chapter_signature || std::ranges::all_of(order.entries, [&](const Head& entry) {
           return leads_through(from, entry);
         });
}

// Of the orders, as they will stand in the own feed for this address.
Result<std::vector<Bytes>> Replica::payloads_for(const Erasing& wanted) {
  auto orders = orders_for(wanted);
  if (!orders) return forward(orders);
  const FeedIntro intro = own_intro(wanted.address);
  Head place;  // of a feed that is not there yet: nothing in it can be named
  const auto known = known_own_feed(intro);
  if (known) place = directory_.feed(*known).head;
  std::vector<Bytes> payloads;
  for (EraseOrder& order : *orders) {
    if (wanted.authority != nullptr)
      sign(order, directory_.authority().federation(), *wanted.authority);
    payloads.push_back(encode(order));
    place.seq = place.seq.next();
    if (is_authorised(directory_.authority(), intro, place, order, payloads.back()) &&
        reaches(known.value_or(FeedRow(0)), order))
      continue;
    return fail(Errc::not_allowed, "erase.needs-authority",
                "Erasing this needs the authority key of this chapter: it is older than the last " +
                    std::to_string(limits::order_reach) +
                    " entries of this machine, or was written on another one.",
                "Nothing was changed.",
                "Run the same command where authority.key is, or put that file back.");
  }
  return payloads;
}

Result<void> Replica::check_erase(const Erasing& wanted) {
  const auto payloads = payloads_for(wanted);
  if (!payloads) return forward(payloads);
  return {};
}

Result<std::vector<Written>> Replica::erase(const Erasing& wanted) {
  auto payloads = payloads_for(wanted);
  if (!payloads) return forward(payloads);
  const FeedRow feed = own_feed(wanted.address);
  std::vector<Written> written;
  for (Bytes& payload : *payloads) written.push_back(append_order(feed, std::move(payload)));
  follow_orders();
  return written;
}

Written Replica::append_order(FeedRow feed, Bytes payload) {
  const Written written = append(feed, EntryKind::erase, std::move(payload));
  PieceEntry entry = open_->entries.back().entry;
  entry.payload = open_->entries.back().payload;
  ByteWriter link;
  link.varint(take_order(space_for(directory_.feed(feed).intro), entry, written).value);
  chapterd::append(open_->links, link.view());
  if ((entry.flags & flag_run_end) != 0) close_piece();
  return written;
}

// Links an order to its record, as a change is. It is judged and obeyed once its piece is staged.
// Returns the entry linked before it.
Arrival Replica::take_order(SpaceRow space, const PieceEntry& entry, const Written& written) {
  const auto order = decode_erase_order(entry.payload);
  if (!order) {
    const bool is_newer = order.error().kind == Errc::not_compatible;
    keep_pending(is_newer ? ChangeVerdict::newer : ChangeVerdict::malformed, written.arrival);
    if (is_newer)
      batch_.values.push_back(erasures_.doubt(written.arrival, written.feed, written.seq));
    return Arrival(0);
  }
  due_orders_.push_back(written.arrival);
  ChangeView named;
  named.record = order->record;
  named.kind = order->kind;
  return link_only(space, named, written);
}

// An entry is here whose payload is not wanted, or not here.
bool Replica::is_without_payload(const PieceEntry& entry, const Written& written) {
  const bool ordered =
      can_be_erased(entry) &&
      erasures_.in_force({directory_.feed(written.feed).head.feed, written.seq, written.hash},
                         directory_.feed(written.feed).intro, directory_);
  if (ordered) {
    due_entries_.push_back({written.feed, written.seq});
  } else if (entry.erased) {
    batch_.values.push_back(erasures_.add_hole(written.feed, written.seq));
  }
  return ordered || entry.erased.has_value();
}

// After cuts were followed, before the group is committed.
void Replica::follow_orders() {
  if (std::exchange(judged_at_, directory_.authority().version()) !=
      directory_.authority().version())
    judge_doubtful();
  if (due_orders_.empty() && due_entries_.empty() && due_seeds_.empty()) return;
  close_piece();
  Touched touched;
  for (const auto& [feed, seq] : std::exchange(due_entries_, {})) erase_payload(feed, seq, touched);
  for (const Arrival order : std::exchange(due_orders_, {})) judge_order(order, touched);
  for (const auto& [feed, seq] : std::exchange(due_seeds_, {})) hide_spent_seed(feed, seq);
  for (const auto& [space, record] : touched) merge_anew(space, record);
  staged_ = true;
}

// What the statements of today say of them. Damage must not hold up these.
void Replica::judge_doubtful() {
  if (erasures_.doubtful().empty()) return;
  close_piece();
  Touched touched;
  for (const Arrival order : std::set(erasures_.doubtful()))
    unless_damaged([&] { judge_order(order, touched); });
  merge_readable(touched);
  staged_ = true;
}

void Replica::judge_order(Arrival at, Touched& touched) {
  const StoredPiece stored = piece_with(at);
  const Piece piece = decoded(stored);
  const std::size_t index = at.value - stored.arrival.value;
  const ByteView payload = piece.entries[index].payload;
  const auto order = decode_erase_order(payload);
  if (!order) return;
  const KnownFeed from = directory_.feed(stored.feed);
  const Head place{from.head.feed, stored.seq.plus(index), EntryHash{}};
  touched.emplace(space_for(from.intro), order->record);
  const bool was_doubtful = erasures_.doubtful().contains(at);
  if (!is_authorised(directory_.authority(), from.intro, place, *order, payload) ||
      !reaches(stored.feed, *order)) {
    if (was_doubtful) return;
    batch_.values.push_back(erasures_.doubt(at, stored.feed, place.seq));
    keep_doubtful(at);
    return;
  }
  if (was_doubtful) {
    batch_.values.push_back(erasures_.trust(at));
    batch_.settled.push_back(at);
    note_whole(stored.feed);
  }
  batch_.values.push_back(Erasures::newest(at));
  for (const Head& entry : order->entries) {
    batch_.values.push_back(erasures_.add({entry, stored.feed, place.seq, at}));
    const auto review = [&] { review_entry(entry, touched); };
    was_doubtful ? static_cast<void>(unless_damaged(review)) : review();
  }
}

void Replica::keep_doubtful(Arrival order) {
  batch_.pending.push_back({order, waits_for_authority});
}

// What is ordered is not here any more, and what is missing is known to be ordered or to be a hole.
void Replica::review_entry(const Head& entry, Touched& touched) {
  const auto row = holder_of(entry.feed, {entry.seq, entry.hash});
  if (!row) return;
  const FeedIntro intro = directory_.feed(*row).intro;
  const auto stored = piece_holding(*row, entry.seq);
  if (!stored) return;
  const Piece piece = decoded(*stored);
  const PieceEntry& held = piece.entries[entry.seq.value - stored->seq.value];
  const bool ordered = can_be_erased(held) && erasures_.in_force(entry, intro, directory_);
  const bool hole = erasures_.is_hole(*row, entry.seq);
  if (ordered && !held.erased) {
    erase_payload(*row, entry.seq, touched);
  } else if (ordered && hole) {
    batch_.values.push_back(erasures_.close_hole(*row, entry.seq));
    note_whole(*row);
  } else if (!ordered && held.erased && !hole) {
    batch_.values.push_back(erasures_.add_hole(*row, entry.seq));
  }
}

// Receipts may go further now, also those of branches that leave this one.
void Replica::note_whole(FeedRow feed) {
  for (const FeedRow row : directory_.branches(directory_.feed(feed).head.feed))
    received_feeds_.insert(row.value);
}

// After a cut has moved: orders may stand that did not, and the other way round.
void Replica::review_orders() {
  Touched touched;
  for (const auto& named : erasures_.orders())
    unless_damaged([&] { review_entry(named.second.front().entry, touched); });
  merge_readable(touched);
}

void Replica::erase_payload(FeedRow feed, Sequence seq, Touched& touched) {
  StoredPiece* stored = staged_piece(feed, seq);
  if (stored == nullptr) return;
  Piece piece = decoded(*stored);
  const std::size_t index = seq.value - stored->seq.value;
  const PieceEntry& entry = piece.entries[index];
  if (entry.erased) return;
  const FeedIntro intro = directory_.feed(feed).intro;
  Bytes opened;
  ChangeView change;
  const ChangeVerdict verdict = read_change(intro, entry, opened, change);
  if (verdict == ChangeVerdict::good) touched.emplace(space_for(intro), change.record);
  // Which record it was shows once the keys are here; what waits for one was never merged.
  if (verdict == ChangeVerdict::sealed && vault_.is_locked()) set_value(stored_name::stale, {1});
  const auto seed = piece.seed;
  const Arrival arrival = stored->arrival.plus(index);
  chapterd::erase(piece, index);
  stored->body = encode(piece);
  std::erase_if(batch_.pending, [&](const StoredPending& each) { return each.arrival == arrival; });
  batch_.settled.push_back(arrival);
  batch_.erased = true;
  lacks_room_ = false;
  own_feeds_.erase(feed.value);  // what is written next has a seed of its own
  if (seed) hide_seed(StoredPiece(*stored), *seed);
}

std::optional<StoredPiece> Replica::piece_holding(FeedRow feed, Sequence seq) {
  for (const auto* list : {&batch_.pieces, &batch_.moved}) {
    for (const StoredPiece& staged : *list) {
      if (holds(staged, feed, seq)) return staged;
    }
  }
  auto pieces = store_.pieces_of(feed, seq, 1);
  if (pieces.empty() || !holds(pieces.front(), feed, seq)) return std::nullopt;
  return std::move(pieces.front());
}

// The piece with this entry among those that the group writes; nullptr when it is not held.
// Valid until the next call.
StoredPiece* Replica::staged_piece(FeedRow feed, Sequence seq) {
  for (auto* list : {&batch_.pieces, &batch_.moved}) {
    for (StoredPiece& staged : *list) {
      if (holds(staged, feed, seq)) return &staged;
    }
  }
  auto stored = piece_holding(feed, seq);
  return stored ? &batch_.moved.emplace_back(std::move(*stored)) : nullptr;
}

bool Replica::drop_remains() {
  CHECK(!staged_);
  if (lacks_room_ || !store_.holds_remains()) return true;
  try {
    store_.drop_remains();
  } catch (const DiskFull&) {
    lacks_room_ = true;
  }
  return lacks_room_ || !store_.holds_remains();
}

}  // namespace chapterd
