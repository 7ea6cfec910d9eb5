// Opening, local writes and the group's one transaction. Receiving: replica_receive.cpp,
// rebuilding: replica_rebuild.cpp.
#include "replication/replica.h"

#include "base/byte_stream.h"
#include "base/contract.h"
#include "replication/entitlement.h"
#include "replication/format/limits.h"

#include <algorithm>

namespace chapterd {
namespace {

// How far ahead of our own clock another node's time may pull ours: enough for slow clocks, while
// one machine in 2099 does not take the whole federation there. Display only.
constexpr std::int64_t follow_ms = 24LL * 3600 * 1000;

Bytes copy(ByteView view) {
  return {view.begin(), view.end()};
}

}  // namespace

Replica::Replica(Store& store,
                 const Clock& clock,
                 Random& random,
                 const SigningKey& key,
                 ChapterVault& vault,
                 Directory directory)
    : store_(store),
      clock_(clock),
      random_(random),
      key_(key),
      vault_(vault),
      directory_(std::move(directory)) {
  clear_staged();
}

Result<void> Replica::initialise(Store& store,
                                 Random& random,
                                 ByteView genesis,
                                 const PublicKey& node) {
  if (!store.values(stored_name::genesis).empty()) {
    return fail(Errc::not_allowed, "node.exists", "This folder holds a node already.",
                "Nothing was changed.", "Choose another folder with --data.");
  }
  ByteWriter epoch;
  epoch.u64(epoch_after(Epoch(), random).value);
  Batch batch;
  batch.values.push_back({stored_name::genesis, copy(genesis)});
  batch.values.push_back({stored_name::node, copy(node.view())});
  batch.values.push_back({stored_name::epoch, epoch.take()});
  batch.values.push_back({stored_name::incarnation, copy(random.fixed<Incarnation>().view())});
  store.commit(batch);
  return {};
}

Result<std::unique_ptr<Replica>> Replica::open(
    Store& store, const Clock& clock, Random& random, const SigningKey& key, ChapterVault& vault) {
  auto directory = Directory::load(Snapshot(store));
  if (!directory) return forward(directory);
  if (directory->self() != key.public_key()) {
    return fail(Errc::not_allowed, "node.other-key",
                "The node key in this folder belongs to another database.", "Nothing was changed.",
                "Put the folder's own node.key back.");
  }
  std::unique_ptr<Replica> replica(
      new Replica(store, clock, random, key, vault, std::move(*directory)));
  replica->peers_ = store.peers();
  replica->erasures_ = Erasures::load(store);
  replica->cut_version_ = replica->directory_.authority().cut_version();
  replica->note_place();
  replica->read_wraps();
  return replica;
}

void Replica::abandon() {
  reload();
}

std::optional<Error> Replica::take_damage() {
  return std::exchange(damage_, std::nullopt);
}

// After a transaction that did not happen: memory goes back to what the store holds.
void Replica::reload() {
  auto directory = Directory::load(Snapshot(store_));
  if (!directory) throw Damaged(directory.error());
  directory_ = std::move(*directory);
  peers_ = store_.peers();
  erasures_ = Erasures::load(store_);
  cut_version_ = directory_.authority().cut_version();
  read_wraps();
  // A key whose entry did not come through must seal nothing.
  sealing_.reset();
  if (const auto box = vault_.box()) vault_.unlock(box, open_keys(*box));
  own_feeds_.clear();
  // What the keeper knows and the store does not have comes with the next group; what this one
  // would have added is not known to it.
  if (keeper_ != nullptr) revocations_ = recalled_ = keeper_->read_revocations();
  note_place();
  // The mark too: a keeper that is ahead of the database would look like a roll-back.
  if (const auto mark = decode_export_mark(value_in_store(stored_name::instance))) mark_ = *mark;
  mark_due_ = false;
  wrote_ = false;
  has_staged_meeting_ = false;
  due_return_.reset();
  judged_at_ = 0;
  own_staged_ = 0;
  clear_staged();
}

void Replica::clear_staged() {
  staged_ = false;
  batch_ = Batch{};
  open_.reset();
  touched_feeds_.clear();
  received_feeds_.clear();
  unsettled_.clear();
  staged_layers_.clear();
  due_orders_.clear();
  due_entries_.clear();
  due_seeds_.clear();
  const Counters counters = store_.counters();
  committed_ = counters.arrival;
  committed_feed_ = counters.feed;
  next_layer_ = counters.layer.value + 1;
}

Arrival Replica::next_arrival() {
  directory_.set_arrival(directory_.arrival().next());
  return directory_.arrival();
}

void Replica::see_time(HybridTime time) {
  if (time > time_ && time.instant() < clock_.now().plus_ms(follow_ms)) time_ = time;
}

FeedRow Replica::add_feed(FeedIntro intro, Bytes bytes, const FeedId& id) {
  KnownFeed feed;
  feed.intro = std::move(intro);
  feed.intro_bytes = std::move(bytes);
  feed.head.feed = id;
  return stage_feed(std::move(feed));
}

FeedRow Replica::stage_feed(KnownFeed feed) {
  feed.row = FeedRow(directory_.feeds().size() + 1);
  const FeedRow row = feed.row;
  directory_.add_feed(std::move(feed));
  note_limits(directory_.feed(row));
  touched_feeds_.insert(row.value);
  staged_ = true;
  return row;
}

Result<Written> Replica::write_statement(ByteView statement) {
  if (auto applied = directory_.authority().apply(statement); !applied) return forward(applied);
  follow_moves();  // it goes into the feed of today
  const Written written = append_statement(statement);
  follow_cuts();
  follow_orders();
  rotate_when_revoked();
  return written;
}

Result<void> Replica::introduce(const std::vector<Bytes>& chain) {
  for (const Bytes& statement : chain) {
    if (auto applied = directory_.authority().apply(statement); !applied) return forward(applied);
  }
  if (directory_.authority().node(directory_.self()) == nullptr) {
    return fail(Errc::not_allowed, "node.unknown", "The certificates do not name this node.",
                "Nothing was changed.");
  }
  note_place();
  for (const Bytes& statement : chain) append_statement(statement);
  return {};
}

Written Replica::append_statement(ByteView statement) {
  directory_.authority().note_carried(directory_.self(), statement);
  return append_auth(EntryKind::authority, copy(statement));
}

Written Replica::append_auth(EntryKind kind, Bytes payload) {
  const Written written = append(own_feed({Audience::auth, {}}), kind, std::move(payload));
  open_->links.push_back(0);
  if ((open_->entries.back().entry.flags & flag_run_end) != 0) close_piece();
  return written;
}

// Chains one entry to an own feed. The caller adds its link and closes the piece at a run's end.
Written Replica::append(FeedRow feed, EntryKind kind, Bytes payload) {
  const bool fits =
      open_ && open_->feed == feed && open_->bytes + payload.size() <= limits::piece_bytes;
  if (!fits) close_piece();
  const Head head = directory_.feed(feed).head;
  const auto [own, is_first] = own_feeds_.try_emplace(feed.value);
  // A run's seed is not kept across restarts: a new one only means that two pieces cannot be
  // joined.
  if (is_first || own->second.run_entries == 0)
    own->second = OwnFeed{random_.fixed<RunSeed>(), 0, 0};
  note_unmet(directory_.arrival());
  own_staged_ += 1;
  const Arrival arrival = next_arrival();
  if (!open_) {
    OpenPiece open;
    open.feed = feed;
    open.first = head.seq.next();
    open.prev = head.hash;
    open.arrival = arrival;
    open.seed = own->second.seed;
    open_ = std::move(open);
  }
  own->second.run_entries += 1;
  own->second.run_bytes += payload.size();
  const bool ends_run =
      own->second.run_entries == limits::run_entries || own->second.run_bytes >= limits::run_bytes;
  if (ends_run) own->second.run_entries = 0;
  time_ = next_time(time_, clock_.now());

  OwnEntry own_entry;
  own_entry.entry.kind = kind;
  own_entry.entry.flags = ends_run ? flag_run_end : 0;
  if (kind == EntryKind::data && directory_.feed(feed).intro.audience == Audience::chapter)
    own_entry.entry.flags |= flag_sealed;
  own_entry.entry.time = time_;
  own_entry.entry.payload_bytes = static_cast<std::uint32_t>(payload.size());
  Header header{head.feed,
                head.seq.next(),
                head.hash,
                kind,
                own_entry.entry.flags,
                time_,
                own_entry.entry.payload_bytes,
                ::chapterd::commit(salt_for(open_->seed, head.seq.value + 1), payload)};
  const EntryHash hash = entry_hash(header);
  open_->bytes += payload.size();
  own_entry.payload = std::move(payload);
  open_->entries.push_back(std::move(own_entry));
  directory_.advance(feed, header.seq, hash);
  touched_feeds_.insert(feed.value);
  staged_ = true;
  return Written{arrival, feed, header.seq, hash};
}

// What is staged of one own feed becomes a piece, signed when a run ends with it. Other heads are
// signed when they leave the node: what has not left can still be chained anew.
void Replica::close_piece() {
  if (!open_) return;
  Piece piece;
  piece.first = open_->first;
  piece.seed = open_->seed;
  for (OwnEntry& own : open_->entries) {
    own.entry.payload = own.payload;
    piece.entries.push_back(own.entry);
  }
  const Head& head = directory_.feed(open_->feed).head;
  if ((piece.entries.back().flags & flag_run_end) != 0) {
    piece.checkpoint = sign_checkpoint(key_, directory_.authority().federation(), head);
  }
  StoredPiece stored;
  stored.arrival = open_->arrival;
  stored.feed = open_->feed;
  stored.seq = open_->first;
  stored.count = static_cast<std::uint32_t>(piece.entries.size());
  stored.lane = directory_.feed(open_->feed).lane();
  stored.prev = open_->prev;
  stored.last = head.hash;
  stored.body = encode(piece);
  stored.links = std::move(open_->links);
  batch_.pieces.push_back(std::move(stored));
  open_.reset();
}

SpaceRow Replica::space_for(const FeedIntro& intro) {
  const ChapterId target = intro.target ? intro.target->chapter : ChapterId{};
  if (const auto known = directory_.space_row(intro.home.chapter, intro.audience, target))
    return *known;
  const StoredSpace space{SpaceRow(directory_.spaces().size() + 1), intro.home.chapter,
                          intro.audience, target};
  directory_.add_space(space);
  batch_.spaces.push_back(space);
  return space.row;
}

KindRow Replica::kind_for(std::string_view name) {
  if (const auto known = directory_.kind_row(name)) return *known;
  const StoredKind kind{KindRow(directory_.kinds().size() + 1), std::string(name)};
  directory_.add_kind(kind);
  batch_.kinds.push_back(kind);
  return kind.row;
}

bool Replica::is_private(SpaceRow space) const {
  return directory_.space(space).audience == Audience::chapter;
}

StoredLayer* Replica::find_staged(SpaceRow space, const RecordId& record) {
  const auto at = staged_layers_.find(LayerKey{space, record});
  if (at == staged_layers_.end()) return nullptr;
  return at->second.is_new ? &batch_.new_layers[at->second.index]
                           : &batch_.layers[at->second.index];
}

StoredLayer& Replica::staged_layer(SpaceRow space, const ChangeView& change) {
  if (StoredLayer* staged = find_staged(space, change.record)) return *staged;
  auto stored = store_.layer(space, change.record);
  const bool is_new = !stored.has_value();
  auto& list = is_new ? batch_.new_layers : batch_.layers;
  staged_layers_.emplace(LayerKey{space, change.record}, StagedAt{is_new, list.size()});
  StoredLayer layer;
  if (stored) {
    layer = std::move(*stored);
  } else {
    layer.row = LayerRow(next_layer_++);
    layer.space = space;
    layer.record = change.record;
    layer.kind = kind_for(change.kind);
  }
  layer.is_private = is_private(space);
  return list.emplace_back(std::move(layer));
}

std::vector<HeldLayer> Replica::layers_of(const RecordId& record) {
  std::vector<HeldLayer> layers;
  for (StoredLayer& stored : store_.layers_of(record)) {
    if (find_staged(stored.space, record) == nullptr) {
      layers.push_back({directory_.space(stored.space), std::move(stored)});
    }
  }
  if (staged_layers_.empty()) return layers;
  for (const StoredSpace& space : directory_.spaces()) {
    if (const StoredLayer* staged = find_staged(space.row, record))
      layers.push_back({space, *staged});
  }
  return layers;
}

void Replica::set_value(std::string name, Bytes value) {
  batch_.values.push_back({std::move(name), std::move(value)});
  staged_ = true;
}

Bytes Replica::value(const std::string& name) {
  for (auto staged = batch_.values.rbegin(); staged != batch_.values.rend(); ++staged) {
    if (staged->name == name) return staged->value;
  }
  return value_in_store(name);
}

Bytes Replica::value_in_store(const std::string& name) {
  for (NamedValue& stored : store_.values(name)) {
    if (stored.name == name) return std::move(stored.value);
  }
  return {};
}

void Replica::stage_heads() {
  for (const std::uint64_t row : touched_feeds_) {
    const KnownFeed& feed = directory_.feed(FeedRow(row));
    const bool is_new = feed.row > committed_feed_;
    auto& list = is_new ? batch_.feeds : batch_.heads;
    list.push_back({feed.row, feed.head.feed, is_new ? feed.intro_bytes : Bytes{}, feed.head.seq,
                    feed.head.hash, feed.trunk, feed.fork, feed.stands});
  }
  std::sort(batch_.feeds.begin(), batch_.feeds.end(),
            [](const StoredFeed& a, const StoredFeed& b) { return a.row < b.row; });
}

void Replica::commit() {
  if (!staged_) return;
  tend_keys();
  close_piece();
  follow_cuts();
  tend_life();
  close_piece();  // of a revocation recalled just now, or a life
  sign_receipts();
  raise_mark_when_due();
  stage_heads();
  try {
    store_.commit(batch_);
  } catch (const DiskFull&) {
    reload();
    throw;
  }
  met_ = std::exchange(has_staged_meeting_, false) || met_;
  if (met_) unmet_.reset();
  clear_staged();
  write_mark();
  if (const auto line = std::exchange(due_return_, std::nullopt)) {
    come_back_anew(line);
    return commit();
  }
  if (waiting_) apply_waiting();
}

}  // namespace chapterd
