// Loading and following the log.
#include "replication/directory.h"

#include "base/byte_stream.h"
#include "base/contract.h"
#include "replication/format/piece.h"

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
  directory.read_authority(reader, Arrival(0));
  directory.read_new_feeds(reader);
  for (const auto& space : reader.spaces_after(SpaceRow(0))) directory.add_space(space);
  directory.kinds_ = reader.kinds_after(KindRow(0));
  directory.arrival_ = reader.counters().arrival;
  return directory;
}

void Directory::read_new_feeds(Reader& reader) {
  for (;;) {
    auto stored = reader.feeds_after(FeedRow(feeds_.size()), rows_a_time);
    if (stored.empty()) return;
    for (StoredFeed& feed : stored) {
      auto intro = decode_feed_intro(feed.intro);
      if (!intro) throw Broken("an intro of a feed in the database is damaged");
      add_feed(KnownFeed{feed.row, std::move(*intro), std::move(feed.intro),
                         Head{feed.id, feed.seq, feed.hash}});
    }
  }
}

// Statements in our own store were verified when they came in; they are checked again all the same:
// it costs a signature each, and a changed byte must not make a chapter.
void Directory::read_authority(Reader& reader, Arrival after) {
  for (;;) {
    const auto pieces = reader.pieces_after(Lane::auth, after, bytes_a_time);
    if (pieces.empty()) return;
    for (const StoredPiece& stored : pieces) {
      after = Arrival(stored.arrival.value + stored.count - 1);
      const auto piece = decode_piece(stored.body);
      if (!piece) throw Broken("a piece in the database is damaged");
      for (const PieceEntry& entry : piece->entries) {
        if (entry.kind == EntryKind::authority) authority_.apply_or_keep(entry.payload);
      }
    }
  }
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
  for (const auto& space : reader.spaces_after(SpaceRow(spaces_.size()))) add_space(space);
  for (auto& kind : reader.kinds_after(KindRow(kinds_.size()))) add_kind(std::move(kind));
  arrival_ = reader.counters().arrival;
  const auto epoch = reader.values(stored_name::epoch);
  if (!epoch.empty() && Epoch(ByteReader(epoch.front().value).u64()) != epoch_) {
    auto anew = load(now);
    CHECK(anew.has_value());
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

Head Directory::standing_head(const KnownFeed& feed) const {
  const auto cut = authority_.cut(feed.intro, feed.head.feed);
  return cut && cut->seq < feed.head.seq ? *cut : feed.head;
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
  by_id_.emplace(feed.head.feed, feed.row);
  if (feed.intro.node == self_) own_feeds_.push_back(feed.row);
  return feeds_.emplace_back(std::move(feed));
}

void Directory::advance(FeedRow row, Sequence seq, const EntryHash& hash) {
  Head& head = feeds_[row.value - 1].head;
  head.seq = seq;
  head.hash = hash;
}

}  // namespace chapterd
