// The queries behind the Reader verbs.
#include "replication/store/sqlite/sqlite_reader.h"

#include "base/byte_stream.h"
#include "replication/store/sqlite/row_checks.h"

#include <utility>

namespace chapterd {

namespace {

// Columns in the order that read_piece(), read_layer() and the others expect.
const std::string piece_head_query = "SELECT arrival, feed, seq, count, lane, via, prev, last";
const std::string piece_query = piece_head_query + ", links, body FROM piece ";
const std::string feed_query =
    "SELECT row, id, intro, seq, hash, trunk, fork_seq, fork_hash, stands_seq, stands_hash, check_ "
    "FROM feed ";
const std::string layer_query = "SELECT row, space, record, kind, newest, state FROM layer ";
const std::string receipt_query = "SELECT arrival, feed, node, seq, via, bytes FROM receipt ";

// The piece that holds entry ?2 is the last one that begins at it or before it.
const std::string pieces_of_feed =
    piece_query +
    "WHERE feed = ?1 AND seq + count > ?2 AND seq >= coalesce("
    "(SELECT max(seq) FROM piece WHERE feed = ?1 AND seq <= ?2), 0) ORDER BY seq";

// The block that row ?2 falls into, and those after it.
const std::string blocks_of_kind_query =
    "SELECT first, more FROM kind_layers WHERE kind = ?1 AND first >= coalesce("
    "(SELECT max(first) FROM kind_layers WHERE kind = ?1 AND first <= ?2), 0) ORDER BY first";

// Records are the same when id and home are: spaces of one home differ in audience and target.
const std::string oldest_layer_of_record =
    "SELECT l.row, l.space, l.record, l.kind, l.newest FROM layer AS l "
    "WHERE l.row = ?1 AND NOT EXISTS ("
    "SELECT 1 FROM layer AS o WHERE o.record = l.record AND o.row < l.row AND o.kind = l.kind "
    "AND (SELECT home FROM space WHERE row = o.space) = "
    "(SELECT home FROM space WHERE row = l.space))";

const std::string all_counters =
    "SELECT max(coalesce((SELECT arrival + count - 1 FROM piece ORDER BY arrival DESC LIMIT 1), 0),"
    " coalesce((SELECT max(arrival) FROM receipt), 0),"
    " coalesce((SELECT CAST(CAST(value AS TEXT) AS INTEGER) FROM named_value WHERE name = '" +
    std::string(newest_arrival_name) +
    "'), 0)), (SELECT max(row) FROM feed), "
    "(SELECT max(row) FROM space), (SELECT max(row) FROM kind), (SELECT max(row) FROM layer), "
    "(SELECT max(row) FROM peer)";

const std::string all_peers =
    "SELECT row, node, epoch, grant_, held_auth, held_receipts, held_live, acknowledged_auth, "
    "acknowledged_receipts, acknowledged_live, heard_ms FROM peer ORDER BY row";

// Everything but links and body.
StoredPiece read_piece_head(const Query::Rows& rows) {
  StoredPiece piece;
  piece.arrival = Arrival(rows.number(0));
  piece.feed = FeedRow(rows.number(1));
  piece.seq = Sequence(rows.number(2));
  piece.count = static_cast<std::uint32_t>(rows.number(3));
  piece.lane = static_cast<Lane>(rows.number(4));
  piece.via = rows.number(5);
  piece.prev = rows.fixed<EntryHash>(6);
  piece.last = rows.fixed<EntryHash>(7);
  return piece;
}

StoredPiece read_piece(const Query::Rows& rows) {
  StoredPiece piece = read_piece_head(rows);
  piece.links = rows.owned_bytes(8);
  piece.body = rows.owned_bytes(9);
  return piece;
}

std::vector<StoredPiece> read_pieces(Query::Rows rows, std::size_t limit_bytes) {
  std::vector<StoredPiece> pieces;
  std::size_t bytes = 0;
  while ((pieces.empty() || bytes < limit_bytes) && rows.next()) {
    pieces.push_back(read_piece(rows));
    bytes += pieces.back().body.size();
  }
  return pieces;
}

StoredLayer read_layer_head(const Query::Rows& rows) {
  StoredLayer layer;
  layer.row = LayerRow(rows.number(0));
  layer.space = SpaceRow(rows.number(1));
  layer.record = rows.fixed<RecordId>(2);
  layer.kind = KindRow(rows.number(3));
  layer.newest = Arrival(rows.number(4));
  return layer;
}

// The entries of a layer that changed are there to make it anew.
StoredLayer read_layer(const Query::Rows& rows, const LayerSeal* seal) {
  StoredLayer layer = read_layer_head(rows);
  layer.state = without_check(layer, rows.owned_bytes(5));
  layer.is_private = is_sealed(layer.state);
  if (layer.is_private && seal != nullptr)
    layer.state = seal->open(layer.record, std::move(layer.state));
  return layer;
}

StoredReceipt read_receipt(const Query::Rows& rows) {
  StoredReceipt receipt;
  receipt.arrival = Arrival(rows.number(0));
  receipt.feed = FeedRow(rows.number(1));
  receipt.node = rows.fixed<PublicKey>(2);
  receipt.seq = Sequence(rows.number(3));
  receipt.via = rows.number(4);
  receipt.bytes = rows.owned_bytes(5);
  return receipt;
}

StoredFeed read_feed(const Query::Rows& rows) {
  StoredFeed feed;
  feed.row = FeedRow(rows.number(0));
  feed.id = rows.fixed<FeedId>(1);
  feed.intro = rows.owned_bytes(2);
  feed.seq = Sequence(rows.number(3));
  feed.hash = rows.fixed<EntryHash>(4);
  feed.trunk = FeedRow(rows.number(5));
  feed.fork = Position{Sequence(rows.number(6)), rows.fixed<EntryHash>(7)};
  feed.stands = Position{Sequence(rows.number(8)), rows.fixed<EntryHash>(9)};
  if (rows.number(10) != check_of(feed)) throw Damaged("a stored feed is damaged");
  return feed;
}

StoredSpace read_space(const Query::Rows& rows) {
  StoredSpace space;
  space.row = SpaceRow(rows.number(0));
  space.home = rows.fixed<ChapterId>(1);
  const auto audience = audience_from(static_cast<std::uint8_t>(rows.number(2)));
  if (!audience) throw Damaged("a stored layer space has an unknown audience");
  space.audience = *audience;
  space.target = rows.fixed<ChapterId>(3);
  if (rows.number(4) != check_of(space)) throw Damaged("a stored layer space is damaged");
  return space;
}

StoredPeer read_peer(const Query::Rows& rows) {
  StoredPeer peer;
  peer.row = rows.number(0);
  peer.node = rows.fixed<PublicKey>(1);
  peer.epoch = Epoch(rows.number(2));
  peer.grant = rows.number(3);
  for (std::size_t lane = 0; lane < lanes; ++lane) {
    const int column = static_cast<int>(lane);
    peer.held[lane] = Arrival(rows.number(4 + column));
    peer.acknowledged[lane] = Arrival(rows.number(7 + column));
  }
  peer.heard_ms = static_cast<std::int64_t>(rows.number(10));
  return peer;
}

template <class Read>
auto read_all(Query::Rows rows, Read read) {
  std::vector<decltype(read(rows))> all;
  while (rows.next()) all.push_back(read(rows));
  return all;
}

}  // namespace

ReadStatements::ReadStatements(Connection& connection)
    : counters(connection, all_counters),
      feeds_after(connection, feed_query + "WHERE row > ?1 ORDER BY row LIMIT ?2"),
      cut_feeds(connection, feed_query + "INDEXED BY feed_cut WHERE stands_seq <> -1 ORDER BY row"),
      spaces_after(
          connection,
          "SELECT row, home, audience, target, check_ FROM space WHERE row > ?1 ORDER BY row"),
      kinds_after(connection, "SELECT row, name, check_ FROM kind WHERE row > ?1 ORDER BY row"),
      auth_pieces_after(
          connection,
          piece_query + "INDEXED BY piece_auth WHERE lane = 0 AND arrival > ?1 ORDER BY arrival"),
      live_pieces_after(connection,
                        piece_query + "WHERE lane <> 0 AND arrival > ?1 ORDER BY arrival"),
      heads_after(connection,
                  piece_head_query + " FROM piece WHERE arrival > ?1 ORDER BY arrival LIMIT ?2"),
      pieces_of(connection, pieces_of_feed),
      piece_at(connection, piece_query + "WHERE arrival <= ?1 ORDER BY arrival DESC LIMIT 1"),
      layers_of(connection, layer_query + "WHERE record = ?1 ORDER BY row"),
      layer(connection, layer_query + "WHERE record = ?1 AND space = ?2"),
      blocks_of_kind(connection, blocks_of_kind_query),
      oldest_layer(connection, oldest_layer_of_record),
      layers_after(connection, layer_query + "WHERE row > ?1 ORDER BY row LIMIT ?2"),
      receipts_after(connection, receipt_query + "WHERE arrival > ?1 ORDER BY arrival LIMIT ?2"),
      receipts_of(connection, receipt_query + "WHERE feed = ?1 ORDER BY arrival"),
      peers(connection, all_peers),
      pending(
          connection,
          "SELECT arrival, waits_for FROM pending WHERE arrival > ?1 ORDER BY arrival LIMIT ?2"),
      values(connection, "SELECT name, value FROM named_value WHERE name >= ?1 ORDER BY name") {}

template <class Verbs>
Counters SqliteReads<Verbs>::counters() {
  auto rows = reading().counters.rows();
  Counters counters;
  if (!rows.next()) return counters;
  counters.arrival = Arrival(rows.number(0));
  counters.feed = FeedRow(rows.number(1));
  counters.space = SpaceRow(rows.number(2));
  counters.kind = KindRow(rows.number(3));
  counters.layer = LayerRow(rows.number(4));
  counters.peer = rows.number(5);
  return counters;
}

template <class Verbs>
std::vector<StoredFeed> SqliteReads<Verbs>::feeds_after(FeedRow after, std::size_t limit) {
  return read_all(reading().feeds_after.rows(after, limit), read_feed);
}

template <class Verbs>
std::vector<StoredFeed> SqliteReads<Verbs>::cut_feeds() {
  return read_all(reading().cut_feeds.rows(), read_feed);
}

template <class Verbs>
std::vector<StoredSpace> SqliteReads<Verbs>::spaces_after(SpaceRow after) {
  return read_all(reading().spaces_after.rows(after), read_space);
}

template <class Verbs>
std::vector<StoredKind> SqliteReads<Verbs>::kinds_after(KindRow after) {
  return read_all(reading().kinds_after.rows(after), [](const Query::Rows& rows) {
    StoredKind kind{KindRow(rows.number(0)), rows.text(1)};
    if (rows.number(2) != check_of(kind)) throw Damaged("a stored kind of record is damaged");
    return kind;
  });
}

template <class Verbs>
std::vector<StoredPiece> SqliteReads<Verbs>::pieces_after(Lane lane,
                                                          Arrival after,
                                                          std::size_t limit_bytes) {
  ReadStatements& read = reading();
  Query& query = lane == Lane::auth ? read.auth_pieces_after : read.live_pieces_after;
  return read_pieces(query.rows(after), limit_bytes);
}

template <class Verbs>
std::vector<StoredPiece> SqliteReads<Verbs>::heads_after(Arrival after, std::size_t limit) {
  return read_all(reading().heads_after.rows(after, limit), read_piece_head);
}

template <class Verbs>
std::vector<StoredPiece> SqliteReads<Verbs>::pieces_of(FeedRow feed,
                                                       Sequence from,
                                                       std::size_t limit_bytes) {
  return read_pieces(reading().pieces_of.rows(feed, from), limit_bytes);
}

template <class Verbs>
std::optional<StoredPiece> SqliteReads<Verbs>::piece_at(Arrival arrival) {
  auto rows = reading().piece_at.rows(arrival);
  if (!rows.next()) return std::nullopt;
  StoredPiece piece = read_piece(rows);
  // The arrival may lie behind the piece: it is a receipt's, or nothing has it yet.
  if (piece.arrival.plus(piece.count) <= arrival) return std::nullopt;
  return piece;
}

template <class Verbs>
std::vector<StoredLayer> SqliteReads<Verbs>::layers_of(const RecordId& record) {
  return read_all(reading().layers_of.rows(record),
                  [this](const Query::Rows& rows) { return read_layer(rows, seal_); });
}

template <class Verbs>
std::optional<StoredLayer> SqliteReads<Verbs>::layer(SpaceRow space, const RecordId& record) {
  auto rows = reading().layer.rows(record, space);
  if (!rows.next()) return std::nullopt;
  return read_layer(rows, seal_);
}

template <class Verbs>
std::vector<StoredLayer> SqliteReads<Verbs>::records_of(KindRow kind,
                                                        LayerRow after,
                                                        std::size_t limit) {
  ReadStatements& read = reading();
  std::vector<StoredLayer> records;
  auto blocks = read.blocks_of_kind.rows(kind, after);
  while (records.size() < limit && blocks.next()) {
    ByteReader more(blocks.bytes(1));
    for (LayerRow row(blocks.number(0));; row = row.plus(more.varint())) {
      if (row > after) {
        auto rows = read.oldest_layer.rows(row);
        if (rows.next()) records.push_back(read_layer_head(rows));
      }
      if (records.size() == limit || more.finished()) break;
    }
    if (!more.good()) throw Damaged("a stored list of layers is malformed");
  }
  return records;
}

template <class Verbs>
std::vector<StoredLayer> SqliteReads<Verbs>::layers_after(LayerRow after, std::size_t limit) {
  return read_all(reading().layers_after.rows(after, limit),
                  [this](const Query::Rows& rows) { return read_layer(rows, seal_); });
}

template <class Verbs>
std::vector<StoredReceipt> SqliteReads<Verbs>::receipts_after(Arrival after, std::size_t limit) {
  return read_all(reading().receipts_after.rows(after, limit), read_receipt);
}

template <class Verbs>
std::vector<StoredReceipt> SqliteReads<Verbs>::receipts_of(FeedRow feed) {
  return read_all(reading().receipts_of.rows(feed), read_receipt);
}

template <class Verbs>
std::vector<StoredPeer> SqliteReads<Verbs>::peers() {
  return read_all(reading().peers.rows(), read_peer);
}

template <class Verbs>
std::vector<StoredPending> SqliteReads<Verbs>::pending(Arrival after, std::size_t limit) {
  return read_all(reading().pending.rows(after, limit), [](const Query::Rows& rows) {
    return StoredPending{Arrival(rows.number(0)), rows.text(1)};
  });
}

template <class Verbs>
std::vector<NamedValue> SqliteReads<Verbs>::values(const std::string& prefix) {
  auto rows = reading().values.rows(std::string_view(prefix));
  std::vector<NamedValue> values;
  while (rows.next()) {
    std::string name = rows.text(0);
    if (!name.starts_with(prefix)) break;  // in order, so none after it starts with it either
    values.push_back({std::move(name), rows.owned_bytes(1)});
  }
  return values;
}

template class SqliteReads<Reader>;
template class SqliteReads<Store>;

std::unique_ptr<Reader> open_reader(const std::string& path, const LayerSeal* seal) {
  auto connection = std::make_unique<Connection>(path, std::string(), Access::read_only);
  return std::make_unique<SqliteReads<Reader>>(std::move(connection), seal);
}

}  // namespace chapterd
