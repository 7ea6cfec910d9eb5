// Loading and following the log.
#include "replication/directory.h"

#include "base/byte_stream.h"
#include "base/contract.h"
#include "replication/format/piece.h"
#include "replication/stored_piece.h"

#include <algorithm>
#include <utility>

namespace chapterd {
namespace {

constexpr std::size_t rows_a_time = 4096;
constexpr std::size_t bytes_a_time = 4 * 1024 * 1024;

Result<Bytes> required(Reader& reader, const char* name) {
  auto values = reader.values(name);
  if (values.size() == 1) return std::move(values.front().value);
  return fail(Errc::not_found, "node.not-initialised", "This folder holds no node yet.", {},
              "Found a federation with 'chapterd init', or join one with 'chapterd join'.");
}

// Rows have no gaps: one that is missing would make all behind it something else.
template <class Stored>
Stored next_row(std::size_t before, Stored stored) {
  if (stored.row.value != before + 1)
    throw Damaged("a row of a feed, a space or a kind of record is missing in the database");
  return stored;
}

}  // namespace

Result<Directory> Directory::load(const Snapshot& now) {
  Reader& reader = now.reader();
  const auto genesis = required(reader, stored_name::genesis);
  if (!genesis) return forward(genesis);
  const auto node = required(reader, stored_name::node);
  const auto epoch = required(reader, stored_name::epoch);
  const auto incarnation = required(reader, stored_name::incarnation);
  if (!node || !epoch || !incarnation) return forward(required(reader, "identity/complete"));
  auto authority = Authority::found(*genesis);
  if (!authority) return forward(authority);
  Directory directory(std::move(*authority));
  ByteReader node_in(*node);
  ByteReader epoch_in(*epoch);
  ByteReader incarnation_in(*incarnation);
  directory.self_ = node_in.fixed<PublicKey>();
  directory.epoch_ = Epoch(epoch_in.u64());
  directory.incarnation_ = incarnation_in.fixed<Incarnation>();
  directory.read_new_feeds(reader);
  directory.read_authority(reader, Arrival(0));
  directory.read_names(reader);
  directory.arrival_ = reader.counters().arrival;
  return directory;
}

void Directory::read_new_feeds(Reader& reader) {
  for (;;) {
    auto stored = reader.feeds_after(FeedRow(feeds_.size()), rows_a_time);
    if (stored.empty()) return;
    for (StoredFeed& each : stored) {
      StoredFeed feed = next_row(feeds_.size(), std::move(each));
      auto intro = decode_feed_intro(feed.intro);
      if (!intro || feed_id(authority_.federation(), feed.intro) != feed.id)
        throw Damaged("an intro of a feed in the database is damaged");
      // A trunk comes before what leaves it.
      if (feed.trunk >= feed.row || feed.fork.seq > feed.seq)
        throw Damaged("a branch in the database leaves a feed where it cannot");
      add_feed(KnownFeed{feed.row, std::move(*intro), std::move(feed.intro),
                         Head{feed.id, feed.seq, feed.hash}, feed.trunk, feed.fork, feed.stands});
    }
  }
}

// New spaces and kinds of records.
void Directory::read_names(Reader& reader) {
  for (const StoredSpace& space : reader.spaces_after(SpaceRow(spaces_.size())))
    add_space(next_row(spaces_.size(), space));
  for (StoredKind& kind : reader.kinds_after(KindRow(kinds_.size())))
    add_kind(next_row(kinds_.size(), std::move(kind)));
}

// Few feeds do not count whole, and what the writer decided of them is in the store.
void Directory::read_standing(Reader& reader) {
  std::set<FeedRow> cut_before = std::exchange(cut_rows_, {});
  const auto note = [&](FeedRow row, const Position& stands) {
    if (feed(row).stands == stands) return;
    feeds_[row.value - 1].stands = stands;
    ++standing_version_;
  };
  for (const StoredFeed& feed : reader.cut_feeds()) {
    cut_before.erase(feed.row);
    cut_rows_.insert(feed.row);
    note(feed.row, feed.stands);
  }
  for (const FeedRow row : cut_before) note(row, {stands_whole, {}});
}

// Statements in our own store were verified when they came in; they are checked again all the same:
// it costs a signature each, and a changed byte must not make a chapter.
void Directory::read_authority(Reader& reader, Arrival after) {
  for (;;) {
    const auto pieces = reader.pieces_after(Lane::auth, after, bytes_a_time);
    if (pieces.empty()) return;
    for (const StoredPiece& stored : pieces) {
      after = Arrival(stored.arrival.value + stored.count - 1);
      const Piece piece = decoded(stored);
      for (const PieceEntry& entry : piece.entries) {
        const PublicKey& author = feed(stored.feed).intro.node;
        if (entry.kind == EntryKind::life) note_life(author, entry.payload);
        if (entry.kind != EntryKind::authority) continue;
        authority_.note_carried(author, entry.payload);
        authority_.apply_or_keep(entry.payload);
      }
    }
  }
}

const ToldLives& Directory::lives_of(const PublicKey& node) const {
  static const ToldLives none;
  const auto at = lives_.find(node);
  return at == lives_.end() ? none : at->second;
}

bool Directory::note_life(const PublicKey& node, ByteView payload) {
  const auto life = decode_life(payload);
  return life && lives_[node].note(*life);
}

std::vector<StoredPiece> Directory::refresh(const Snapshot& now) {
  Reader& reader = now.reader();
  std::vector<StoredPiece> fresh;
  const Arrival before = arrival_;
  Arrival after = before;
  for (;;) {
    auto pieces = reader.heads_after(after, rows_a_time);
    if (pieces.empty()) break;
    after = Arrival(pieces.back().arrival.value + pieces.back().count - 1);
    std::move(pieces.begin(), pieces.end(), std::back_inserter(fresh));
  }
  bool has_authority = false;
  read_new_feeds(reader);
  for (const StoredPiece& piece : fresh) {
    has_authority = has_authority || piece.lane == Lane::auth;
    const Sequence last(piece.seq.value + piece.count - 1);
    // A new feed was read with its newest head.
    if (feed(piece.feed).head.seq < last) advance(piece.feed, last, piece.last);
  }
  if (has_authority) read_authority(reader, before);
  if (!fresh.empty()) read_standing(reader);
  read_names(reader);
  arrival_ = reader.counters().arrival;
  if (const auto values = reader.values(stored_name::incarnation); !values.empty())
    incarnation_ = ByteReader(values.front().value).fixed<Incarnation>();
  const auto epoch = reader.values(stored_name::epoch);
  if (!epoch.empty() && Epoch(ByteReader(epoch.front().value).u64()) != epoch_) {
    auto anew = load(now);
    if (!anew) throw Damaged(anew.error());
    *this = std::move(*anew);
  }
  return fresh;
}

ChapterId Directory::chapter() const {
  const KnownNode* node = authority_.node(self_);
  if (node != nullptr) return node->certificate.chapter;
  // A node whose certificate became void with the key that signed it is still of its chapter.
  return own_feeds_.empty() ? ChapterId{} : feed(own_feeds_.front()).intro.home.chapter;
}

Head Directory::standing_head(const KnownFeed& feed) {
  if (feed.stands.seq >= feed.head.seq) return feed.head;
  return {feed.head.feed, feed.stands.seq, feed.stands.hash};
}

Limits Directory::limits(const KnownFeed& feed) const {
  Limits limits = authority_.cuts(feed.intro, feed.head.feed);
  if (auto tips = closing(feed); !tips.empty()) limits.push_back(std::move(tips));
  return limits;
}

// A later feed that does not count itself closes nothing: it is not passed on, and others could not
// come to the same verdict. The same audience and path: whoever holds one may hold the other.
std::vector<Head> Directory::closing(const KnownFeed& feed) const {
  std::vector<Head> tips = authority_.closing(feed.intro, feed.head.feed);
  const auto closers = closers_.find(feed.head.feed);
  if (closers == closers_.end() || feed.intro.audience == Audience::auth) return tips;
  for (const FeedRow row : closers->second) {
    const KnownFeed& closer = this->feed(row);
    const FeedIntro& intro = closer.intro;
    if (intro.node != feed.intro.node || intro.audience != feed.intro.audience ||
        intro.home != feed.intro.home || intro.target != feed.intro.target ||
        !counts(closer.head.feed))
      continue;
    for (const Predecessor& each : intro.predecessors) {
      if (each.why == Continues::fork && each.tip.feed == feed.head.feed) tips.push_back(each.tip);
    }
  }
  return tips;
}

bool Directory::counts(const FeedId& id) const {
  return std::ranges::any_of(
      branches(id), [&](FeedRow row) { return standing_head(feed(row)).seq > feed(row).fork.seq; });
}

std::vector<FeedRow> Directory::branches(const FeedId& id) const {
  std::vector<FeedRow> rows;
  if (const auto at = by_id_.find(id); at != by_id_.end()) rows.push_back(at->second);
  if (const auto more = more_.find(id); more != more_.end())
    rows.insert(rows.end(), more->second.begin(), more->second.end());
  return rows;
}

std::vector<FeedId> Directory::forked() const {
  std::vector<FeedId> ids;
  const auto holds_something = [&](FeedRow row) { return feed(row).head.seq > feed(row).fork.seq; };
  for (const auto& [id, rows] : more_) {
    if (std::ranges::any_of(rows, holds_something)) ids.push_back(id);
  }
  return ids;
}

const KnownFeed* Directory::feed(const FeedId& id) const {
  const auto at = by_id_.find(id);
  return at == by_id_.end() ? nullptr : &feeds_[at->second.value - 1];
}

std::optional<KindRow> Directory::kind_row(std::string_view name) const {
  for (const StoredKind& kind : kinds_) {
    if (kind.name == name) return kind.row;
  }
  return std::nullopt;
}

std::optional<SpaceRow> Directory::space_row(const ChapterId& home,
                                             Audience audience,
                                             const ChapterId& target) const {
  const auto at = space_rows_.find({home, audience, target});
  if (at == space_rows_.end()) return std::nullopt;
  return at->second;
}

void Directory::add_space(const StoredSpace& space) {
  spaces_.push_back(space);
  space_rows_.emplace(std::tuple(space.home, space.audience, space.target), space.row);
}

KnownFeed& Directory::add_feed(KnownFeed feed) {
  CHECK(feed.row.value == feeds_.size() + 1);
  const bool is_first = by_id_.emplace(feed.head.feed, feed.row).second;
  if (!is_first) more_[feed.head.feed].push_back(feed.row);
  if (feed.stands.seq != stands_whole) cut_rows_.insert(feed.row);
  if (feed.intro.node == self_) own_feeds_.push_back(feed.row);
  for (const Predecessor& each : feed.intro.predecessors) {
    if (is_first && each.why == Continues::fork) closers_[each.tip.feed].push_back(feed.row);
  }
  return feeds_.emplace_back(std::move(feed));
}

void Directory::advance(FeedRow row, Sequence seq, const EntryHash& hash) {
  Head& head = feeds_[row.value - 1].head;
  head.seq = seq;
  head.hash = hash;
}

}  // namespace chapterd
