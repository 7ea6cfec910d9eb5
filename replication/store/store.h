// Durable state behind about ten verbs of the engine. A backend is a folder beside this file.
//
// Everything that one transaction changes is one Batch. Integer row keys are handed out by the
// single writer (Replica) and live inside one database only; the outside world sees ids and hashes.
// What cannot go on (I/O error, failed fsync) is thrown as Broken and ends the process: nothing is
// acknowledged after it, and nothing is retried in place. Damaged ends only what met it.
#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "base/strong.h"
#include "crypto/signature.h"
#include "replication/format/audience.h"
#include "replication/format/ids.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace chapterd {

using FeedRow = Strong<struct FeedRowTag>;  // a branch of a feed in this database, from 1
using SpaceRow =
    Strong<struct SpaceRowTag>;  // a layer space: (home chapter, audience, target), from 1
using KindRow = Strong<struct KindRowTag>;    // a kind of record, from 1
using LayerRow = Strong<struct LayerRowTag>;  // a merged layer of a record, from 1

// The machine is broken (SQLite I/O error, failed fsync). Caught once, at the top.
class Broken : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Some of the bytes that are stored are not those that were written: a page, an entry, a merged
// record. All else can still be used, so this ends only what met it; but nothing that was half
// staged then may be committed (Replica::abandon()).
class Damaged final : public Broken {
 public:
  // store.damaged (check_failed). `what`: for the log, without content.
  explicit Damaged(const std::string& what)
      : Broken(what),
        error(
            Errc::check_failed,
            "store.damaged",
            "The database is damaged: part of what this needs cannot be read any more.",
            "Nothing was changed. All else can be used; what other nodes received is safe there.",
            "See what is wrong with 'chapterd verify'. Keep a copy of the whole data folder, then "
            "put the last backup back: chapterd backup restore FILE --replace. A disk that "
            "damages one file will damage others: replace it.") {}

  explicit Damaged(Error told) : Broken(told.what), error(std::move(told)) {}

  const Error error;
};

// The disk is full or read-only: the transaction did not happen, everything before it is safe.
class DiskFull : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Order of delivery. A cursor has one arrival a lane.
enum class Lane : std::uint8_t { auth = 0, receipts = 1, live = 2 };
inline constexpr std::size_t lanes = 3;

// An entry of a feed.
struct Position {
  Sequence seq;
  EntryHash hash;

  friend bool operator==(const Position&, const Position&) = default;
};

// Everything counts.
inline constexpr Sequence stands_whole(UINT64_MAX);

// A feed, or one more branch of it: the entries after the one that it shares with its trunk.
struct StoredFeed {
  FeedRow row;
  FeedId id;
  Bytes intro;
  Sequence seq;  // of the newest entry held, 0 before the first
  EntryHash hash;
  FeedRow trunk;  // the branch that it leaves; 0 for the first one, and for one from the beginning
  Position fork;  // the entry of the trunk that its first entry follows
  Position stands{stands_whole, {}};  // the last entry that counts
};

// Consecutive entries of one feed and run, stored and sent as one (replication/format/piece.h).
struct StoredPiece {
  Arrival arrival;  // of the first entry; those of the others follow
  FeedRow feed;
  Sequence seq;             // of the first entry
  std::uint32_t count = 0;  // entries
  Lane lane = Lane::live;   // auth or live
  std::uint64_t via = 0;    // row of the peer that sent it, 0 when written here
  EntryHash prev;           // hash before the first entry
  EntryHash last;           // hash of the last entry
  Bytes body;               // encoded Piece
  Bytes links;  // one varint an entry: arrival of the previous entry of the same layer, 0 for none
};

// One layer of one record, merged.
struct StoredLayer {
  LayerRow row;
  SpaceRow space;
  RecordId record;
  KindRow kind;
  Arrival newest;           // newest entry merged into it: the links start here
  Bytes state;              // encoded LayerState (replication/merge.h), or is_sealed()
  bool is_private = false;  // its state lies sealed on the disk
};

// Seals merged layers that only the own chapter may read before they are written to the disk, and
// opens them when they are read. Any thread.
class LayerSeal {
 public:
  virtual ~LayerSeal() = default;
  // Begins as is_sealed() says; but what says nothing may stay as it is.
  [[nodiscard]] virtual Bytes seal(const RecordId& record, ByteView state) const = 0;
  // As it came when its key is not at hand. When it was changed since it was sealed: damaged_state,
  // which no decoder takes.
  [[nodiscard]] virtual Bytes open(const RecordId& record, Bytes stored) const = 0;
};

inline constexpr std::uint8_t damaged_state[] = {0xFF};

[[nodiscard]] inline bool is_damaged(ByteView state) {
  return std::ranges::equal(state, damaged_state);
}

// A state begins with a varint in its shortest form, so this is none.
inline constexpr std::uint8_t sealed_state_mark[] = {0x80, 0x00};

[[nodiscard]] inline bool is_sealed(ByteView state) {
  return state.size() >= 2 && state[0] == sealed_state_mark[0] && state[1] == sealed_state_mark[1];
}

struct StoredSpace {
  SpaceRow row;
  ChapterId home;
  Audience audience = Audience::all;
  ChapterId target;  // zero unless audience is `to`
};

struct StoredKind {
  KindRow row;
  std::string name;
};

// Newest receipt of one node for one feed. Receipts share the arrival counter with the entries.
struct StoredReceipt {
  Arrival arrival;
  FeedRow feed;
  PublicKey node;
  Sequence seq;
  std::uint64_t via = 0;  // row of the peer that sent it, 0 when signed here
  Bytes bytes;            // encoded Receipt
};

// What is remembered of another node between sessions.
struct StoredPeer {
  std::uint64_t row = 0;  // from 1
  PublicKey node;
  Epoch epoch;                  // of its database, as last met
  std::uint64_t grant = 0;      // what it could hold when the cursors were made
  Arrival held[lanes];          // how far we hold its log: the cursor
  Arrival acknowledged[lanes];  // how far it said it holds ours
  std::int64_t heard_ms = 0;    // when it was last heard, by our clock
};

// An entry that cannot be applied yet; it is kept, passed on, and tried again.
struct StoredPending {
  Arrival arrival;
  std::string waits_for;  // "format", "sealed": a code, not a sentence
};

struct Counters {
  Arrival arrival;  // newest handed out
  FeedRow feed;
  SpaceRow space;
  KindRow kind;
  LayerRow layer;
  std::uint64_t peer = 0;
};

struct NamedValue {
  std::string name;
  Bytes value;  // empty: remove
};

// All that one transaction changes. Rows and arrivals are set by the caller and go on from
// Counters.
struct Batch {
  std::vector<StoredFeed> feeds;    // new
  std::vector<StoredFeed> heads;    // of feeds known before: all but intro count
  std::vector<StoredPiece> pieces;  // new, in order of arrival
  std::vector<StoredPiece> moved;   // known before: all but arrival, count and lane
  std::vector<StoredSpace> spaces;  // new
  std::vector<StoredKind> kinds;    // new
  std::vector<StoredLayer> new_layers;
  std::vector<StoredLayer> layers;                    // known before: row, newest and state count
  std::vector<std::pair<FeedRow, PublicKey>> voided;  // receipts that count no more
  std::vector<StoredReceipt> receipts;  // replaces an older one of the same feed and node
  std::vector<StoredPeer> peers;        // new or known
  std::vector<StoredPending> pending;   // new
  std::vector<Arrival> settled;         // pending no more
  std::vector<NamedValue> values;
  // Something in it was taken out for good: nothing of that may be left in any file of the backend
  // once nobody reads any more, nor after a crash once the store was opened again.
  bool erased = false;
};

// Reading. One thread an object; each call sees a whole number of transactions, and all calls
// during the life of a Snapshot see the same ones.
class Reader {
 public:
  virtual ~Reader() = default;

  [[nodiscard]] virtual Counters counters() = 0;

  // Feeds with row > after, in order of row.
  [[nodiscard]] virtual std::vector<StoredFeed> feeds_after(FeedRow after, std::size_t limit) = 0;
  // Those of which not every entry counts, in order of row.
  [[nodiscard]] virtual std::vector<StoredFeed> cut_feeds() = 0;
  [[nodiscard]] virtual std::vector<StoredSpace> spaces_after(SpaceRow after) = 0;
  [[nodiscard]] virtual std::vector<StoredKind> kinds_after(KindRow after) = 0;

  // Pieces whose first arrival is > after, in order; only of `lane` (auth) or of all but auth
  // (live). Ends once `limit_bytes` of bodies are read (at least one piece, when there is one).
  [[nodiscard]] virtual std::vector<StoredPiece> pieces_after(Lane lane,
                                                              Arrival after,
                                                              std::size_t limit_bytes) = 0;
  // The same for all lanes, without bodies and links: what the directory follows the log by.
  [[nodiscard]] virtual std::vector<StoredPiece> heads_after(Arrival after, std::size_t limit) = 0;
  // Pieces of one feed from the one that holds entry `from`, in order of seq.
  [[nodiscard]] virtual std::vector<StoredPiece> pieces_of(FeedRow feed,
                                                           Sequence from,
                                                           std::size_t limit_bytes) = 0;
  // The piece that holds the entry of this arrival.
  [[nodiscard]] virtual std::optional<StoredPiece> piece_at(Arrival arrival) = 0;

  // All layers of all records with this id (one, but for deliberate collisions between chapters).
  [[nodiscard]] virtual std::vector<StoredLayer> layers_of(const RecordId& record) = 0;
  [[nodiscard]] virtual std::optional<StoredLayer> layer(SpaceRow space,
                                                         const RecordId& record) = 0;
  // Records of a kind: the oldest layer of each, without state, with row > after, in order of row.
  [[nodiscard]] virtual std::vector<StoredLayer> records_of(KindRow kind,
                                                            LayerRow after,
                                                            std::size_t limit) = 0;
  // Any layers in order of row, with state.
  [[nodiscard]] virtual std::vector<StoredLayer> layers_after(LayerRow after,
                                                              std::size_t limit) = 0;

  [[nodiscard]] virtual std::vector<StoredReceipt> receipts_after(Arrival after,
                                                                  std::size_t limit) = 0;
  [[nodiscard]] virtual std::vector<StoredReceipt> receipts_of(FeedRow feed) = 0;
  [[nodiscard]] virtual std::vector<StoredPeer> peers() = 0;
  // Those with arrival > after, in order of arrival.
  [[nodiscard]] virtual std::vector<StoredPending> pending(Arrival after, std::size_t limit) = 0;

  // Small named values: the node's identity, invites. Names with this prefix, in order.
  [[nodiscard]] virtual std::vector<NamedValue> values(const std::string& prefix) = 0;

 protected:
  friend class Snapshot;
  virtual void begin_snapshot() = 0;
  virtual void end_snapshot() noexcept = 0;
};

// Holds what a reader sees still: what is committed meanwhile shows only after it. One at a time
// for each reader, and only briefly: space in the WAL is not used again while it lives.
class Snapshot {
 public:
  explicit Snapshot(Reader& reader) : reader_(reader) { reader_.begin_snapshot(); }

  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;

  ~Snapshot() { reader_.end_snapshot(); }

  [[nodiscard]] Reader& reader() const { return reader_; }

 private:
  Reader& reader_;
};

// Writing: the one read-write connection, used by one thread.
class Store : public Reader {
 public:
  // All or nothing, and on disk when it returns. Throws DiskFull (nothing changed) or Broken.
  virtual void commit(const Batch& batch) = 0;

  // Drops every merged layer and pending mark, for a rebuild from the entries; part of no Batch.
  virtual void drop_layers() = 0;

  // After a batch that erased something: its bytes may be left in unused parts of the files.
  [[nodiscard]] virtual bool holds_remains() = 0;
  // Writes the files anew, without such bytes; takes as long as copying them, and as much room. As
  // long as a reader needs some of them, they are still held, and it must be called again.
  // Throws DiskFull (nothing changed, remains are still held) or Broken.
  virtual void drop_remains() = 0;

  // Page-level check of the backend's own files: one sentence a fault, empty when sound.
  [[nodiscard]] virtual std::vector<std::string> check() = 0;
};

}  // namespace chapterd
