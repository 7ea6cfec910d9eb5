// The Reader verbs over a connection: written once, used by read-only connections and the writer.
#pragma once

#include "replication/store/sqlite/connection.h"
#include "replication/store/store.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace chapterd {

// Value that keeps the newest arrival handed out, in decimal digits, once a receipt was deleted: no
// row may bear it any more.
inline constexpr const char* newest_arrival_name = "store/newest-arrival";

// Every query, prepared once for the life of the connection. Preparing fails (SqliteBroken) when
// the file lacks a table or column of the schema.
struct ReadStatements {
  explicit ReadStatements(Connection& connection);

  Query counters;
  Query feeds_after;
  Query cut_feeds;
  Query spaces_after;
  Query kinds_after;
  Query auth_pieces_after;
  Query live_pieces_after;
  Query heads_after;
  Query pieces_of;
  Query piece_at;
  Query layers_of;
  Query layer;
  Query blocks_of_kind;
  Query oldest_layer;
  Query layers_after;
  Query receipts_after;
  Query receipts_of;
  Query peers;
  Query pending;
  Query values;
};

// `Verbs` is Reader or Store. Each verb reads within one statement, or others inside its run, so it
// sees whole transactions only.
template <class Verbs>
class SqliteReads : public Verbs {
 public:
  // `seal` opens private layers; null: they stay sealed.
  SqliteReads(std::unique_ptr<Connection> connection, const LayerSeal* seal)
      : connection_(std::move(connection)), seal_(seal), read_(*connection_) {}

  [[nodiscard]] Counters counters() override;

  [[nodiscard]] std::vector<StoredFeed> feeds_after(FeedRow after, std::size_t limit) override;
  [[nodiscard]] std::vector<StoredFeed> cut_feeds() override;
  [[nodiscard]] std::vector<StoredSpace> spaces_after(SpaceRow after) override;
  [[nodiscard]] std::vector<StoredKind> kinds_after(KindRow after) override;

  [[nodiscard]] std::vector<StoredPiece> pieces_after(Lane lane,
                                                      Arrival after,
                                                      std::size_t limit_bytes) override;
  [[nodiscard]] std::vector<StoredPiece> heads_after(Arrival after, std::size_t limit) override;
  [[nodiscard]] std::vector<StoredPiece> pieces_of(FeedRow feed,
                                                   Sequence from,
                                                   std::size_t limit_bytes) override;
  [[nodiscard]] std::optional<StoredPiece> piece_at(Arrival arrival) override;

  [[nodiscard]] std::vector<StoredLayer> layers_of(const RecordId& record) override;
  [[nodiscard]] std::optional<StoredLayer> layer(SpaceRow space, const RecordId& record) override;
  [[nodiscard]] std::vector<StoredLayer> records_of(KindRow kind,
                                                    LayerRow after,
                                                    std::size_t limit) override;
  [[nodiscard]] std::vector<StoredLayer> layers_after(LayerRow after, std::size_t limit) override;

  [[nodiscard]] std::vector<StoredReceipt> receipts_after(Arrival after,
                                                          std::size_t limit) override;
  [[nodiscard]] std::vector<StoredReceipt> receipts_of(FeedRow feed) override;
  [[nodiscard]] std::vector<StoredPeer> peers() override;
  [[nodiscard]] std::vector<StoredPending> pending(Arrival after, std::size_t limit) override;

  [[nodiscard]] std::vector<NamedValue> values(const std::string& prefix) override;

 protected:
  void begin_snapshot() override { connection_->begin_snapshot(); }

  void end_snapshot() noexcept override { connection_->end_snapshot(); }

  [[nodiscard]] Connection& connection() { return *connection_; }

  [[nodiscard]] const LayerSeal* seal() const { return seal_; }

 private:
  // The statements, once the connection is ready for them.
  [[nodiscard]] ReadStatements& reading() {
    connection_->keep_reading();
    return read_;
  }

  std::unique_ptr<Connection> connection_;
  const LayerSeal* seal_;
  ReadStatements read_;
};

// A read-only connection to a database that SqliteStore::open has made or opened before. It never
// writes to the file or the WAL. `seal`, which must outlive it, opens private layers; with null
// they stay sealed. Throws Broken when it cannot be opened.
[[nodiscard]] std::unique_ptr<Reader> open_reader(const std::string& path,
                                                  const LayerSeal* seal = nullptr);

}  // namespace chapterd
