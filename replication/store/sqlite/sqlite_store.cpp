// Opening the database file, and writing a Batch in one transaction.
#include "replication/store/sqlite/sqlite_store.h"

#include "base/byte_stream.h"
#include "base/contract.h"
#include "replication/store/sqlite/row_checks.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <string_view>
#include <unistd.h>
#include <utility>

extern "C" const char store_sqlite_schema_001[];

namespace chapterd {

namespace {

constexpr std::int64_t application_id = 0x63687064;  // "chpd"

// Schema n is made from schema n - 1 by the n-th of these.
const std::array<const char*, 1> schemas = {store_sqlite_schema_001};
constexpr std::int64_t newest_schema = schemas.size();

// Named value: something was erased since the file was written anew.
constexpr const char* remains_name = "store/remains";

// Layers in one block of kind_layers: what records_of() reads in vain at most.
constexpr std::size_t most_listed_together = 256;

Error foreign_file(const std::string& path) {
  return Error(Errc::usage, "store.foreign-file", path + " is not a chapterd database.",
               "The file was not changed.",
               "Name another data folder, or move this file away if nothing needs it.");
}

Error damaged_file(const std::string& path) {
  return Error(Errc::check_failed, "store.damaged",
               path + " is a chapterd database, but its bytes are damaged.",
               "The file was not changed. What other nodes hold of it is safe there.",
               "Keep a copy of the whole data folder, then restore the last backup; a disk that "
               "damages one file will damage others.");
}

Error newer_schema(const std::string& path, std::int64_t found) {
  return Error(Errc::not_compatible, "store.newer-schema",
               path + " was written by a newer chapterd (schema " + std::to_string(found) +
                   ", this program knows " + std::to_string(newest_schema) + ").",
               "The file was not changed and nothing in it is lost.",
               "Install the newer chapterd again; a database does not go back to an older one.");
}

Error read_only_file(const std::string& path) {
  return Error(Errc::disk, "store.read-only",
               path + " cannot be written: the file or its disk is read-only.",
               "Everything in it is safe.",
               "Make the file writable for the user that chapterd runs as, or remount the disk.");
}

Error disk_full(const std::string& path) {
  return Error(
      Errc::disk, "store.disk-full", "The disk of " + path + " is full or refuses to be written.",
      "Everything that was saved before is safe.", "Free some space on this disk and start again.");
}

Error cannot_make(const std::string& path, int code) {
  const bool disk = code == ENOSPC || code == EDQUOT || code == EROFS;
  return Error(disk ? Errc::disk : Errc::failed, "store.cannot-make",
               path + " cannot be opened or made: " + std::strerror(code) + ".",
               "Nothing was changed.",
               "Check that the folder exists and belongs to the user that chapterd runs as.");
}

// SQLite would make the file readable for others; its WAL and index inherit the mode of the file.
Result<void> make_file(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file < 0 && errno == EACCES && ::access(path.c_str(), F_OK) == 0) {
    return fail(read_only_file(path));
  }
  if (file < 0) return fail(cannot_make(path, errno));
  ::close(file);
  return {};
}

// The header still names us although SQLite cannot make sense of it (file format 1.3: bytes 68 to
// 71 are the application id).
bool header_names_us(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  char id[4] = {};
  const ssize_t count = ::pread(file, id, sizeof id, 68);
  ::close(file);
  return count == sizeof id && std::string_view(id, sizeof id) == "chpd";
}

// Number of the schema in the file, 0 for a new one.
Result<std::int64_t> identify(Connection& connection, const std::string& path) {
  const std::int64_t id = connection.number("PRAGMA application_id");
  const std::int64_t schema = connection.number("PRAGMA user_version");
  const bool empty = connection.number("SELECT count(*) FROM sqlite_schema") == 0;
  if (id == 0 && schema == 0 && empty) return 0;
  if (id != application_id) return fail(foreign_file(path));
  if (schema > newest_schema) return fail(newer_schema(path, schema));
  if (schema < 1) return fail(damaged_file(path));
  return schema;
}

void bring_up_to_date(Connection& connection, std::int64_t schema) {
  if (schema == newest_schema) return;
  Transaction transaction(connection);
  for (std::int64_t next = schema; next < newest_schema; ++next) {
    connection.run(schemas[static_cast<std::size_t>(next)]);
  }
  connection.run(("PRAGMA application_id = " + std::to_string(application_id)).c_str());
  connection.run(("PRAGMA user_version = " + std::to_string(newest_schema)).c_str());
  transaction.commit();
}

Result<std::unique_ptr<Connection>> connect(const std::string& path, const SqliteOptions& options) {
  auto connection = std::make_unique<Connection>(path, options.vfs, Access::read_write);
  const auto schema = identify(*connection, path);
  if (!schema) return forward(schema);
  if (connection->is_read_only()) return fail(read_only_file(path));
  connection->become_writer(options.writer);
  connection->settle_wal();
  bring_up_to_date(*connection, *schema);
  return connection;
}

// Nothing private is ever written as it is. What is damaged says nothing, and stays so.
Bytes at_rest(const StoredLayer& layer, const LayerSeal* seal) {
  if (!layer.is_private || is_sealed(layer.state) || is_damaged(layer.state))
    return with_check(layer, layer.state);
  CHECK(seal != nullptr);
  return with_check(layer, seal->seal(layer.record, layer.state));
}

}  // namespace

Result<void> check_schema(const std::string& path) {
  Connection connection(path, std::string(), Access::read_only);
  const auto schema = identify(connection, path);
  if (!schema) return forward(schema);
  return {};
}

struct WriteStatements {
  explicit WriteStatements(Connection& connection)
      : new_feed(connection,
                 "INSERT INTO feed(row, id, intro, seq, hash, trunk, fork_seq, fork_hash, "
                 "stands_seq, stands_hash, check_) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
        head(connection,
             "UPDATE feed SET seq = ?2, hash = ?3, stands_seq = ?4, stands_hash = ?5, check_ = ?6 "
             "WHERE row = ?1"),
        new_piece(connection,
                  "INSERT INTO piece(arrival, feed, seq, count, lane, via, prev, last, links, body)"
                  " VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
        moved_piece(connection,
                    "UPDATE piece SET feed = ?2, seq = ?3, prev = ?4, last = ?5, links = ?6, "
                    "body = ?7 WHERE arrival = ?1"),
        new_space(connection,
                  "INSERT INTO space(row, home, audience, target, check_) VALUES(?, ?, ?, ?, ?)"),
        new_kind(connection, "INSERT INTO kind(row, name, check_) VALUES(?, ?, ?)"),
        new_layer(connection,
                  "INSERT INTO layer(row, space, record, kind, newest, state) "
                  "VALUES(?, ?, ?, ?, ?, ?)"),
        kind_layers(connection, "INSERT INTO kind_layers(kind, first, more) VALUES(?, ?, ?)"),
        layer(connection, "UPDATE layer SET newest = ?2, state = ?3 WHERE row = ?1"),
        receipt(connection,
                "INSERT INTO receipt(arrival, feed, node, seq, via, bytes) "
                "VALUES(?, ?, ?, ?, ?, ?) ON CONFLICT(feed, node) DO UPDATE SET "
                "arrival = excluded.arrival, seq = excluded.seq, via = excluded.via, "
                "bytes = excluded.bytes"),
        voided(connection, "DELETE FROM receipt WHERE feed = ? AND node = ?"),
        peer(connection,
             "INSERT INTO peer VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
             "ON CONFLICT(row) DO UPDATE SET node = excluded.node, epoch = excluded.epoch, "
             "grant_ = excluded.grant_, held_auth = excluded.held_auth, "
             "held_receipts = excluded.held_receipts, held_live = excluded.held_live, "
             "acknowledged_auth = excluded.acknowledged_auth, "
             "acknowledged_receipts = excluded.acknowledged_receipts, "
             "acknowledged_live = excluded.acknowledged_live, heard_ms = excluded.heard_ms"),
        new_pending(connection, "INSERT INTO pending(arrival, waits_for) VALUES(?, ?)"),
        settled(connection, "DELETE FROM pending WHERE arrival = ?"),
        value(connection,
              "INSERT INTO named_value(name, value) VALUES(?, ?) "
              "ON CONFLICT(name) DO UPDATE SET value = excluded.value"),
        no_value(connection, "DELETE FROM named_value WHERE name = ?") {}

  // An update must meet its row: silently changing nothing would lose what was acknowledged.
  static void changed_one(const Connection& connection) {
    if (connection.changes() != 1) throw Damaged("a row to be changed is not in the database");
  }

  void write_log(const Connection& connection, const Batch& batch);
  void write_layers(const Connection& connection, const Batch& batch, const LayerSeal* seal);
  void list_by_kind(const std::vector<StoredLayer>& layers);
  void write_peers(const Batch& batch);
  void write_marks(const Batch& batch);

  Query new_feed;
  Query head;
  Query new_piece;
  Query moved_piece;
  Query new_space;
  Query new_kind;
  Query new_layer;
  Query kind_layers;
  Query layer;
  Query receipt;
  Query voided;
  Query peer;
  Query new_pending;
  Query settled;
  Query value;
  Query no_value;
};

void WriteStatements::write_log(const Connection& connection, const Batch& batch) {
  for (const StoredFeed& feed : batch.feeds) {
    new_feed.run(feed.row, feed.id, feed.intro, feed.seq, feed.hash, feed.trunk, feed.fork.seq,
                 feed.fork.hash, feed.stands.seq, feed.stands.hash, check_of(feed));
  }
  for (const StoredFeed& feed : batch.heads) {
    head.run(feed.row, feed.seq, feed.hash, feed.stands.seq, feed.stands.hash, check_of(feed));
    changed_one(connection);
  }
  // First: a new piece may come to where one of these was.
  for (const StoredPiece& piece : batch.moved) {
    moved_piece.run(piece.arrival, piece.feed, piece.seq, piece.prev, piece.last, piece.links,
                    piece.body);
    changed_one(connection);
  }
  for (const StoredPiece& piece : batch.pieces) {
    new_piece.run(piece.arrival, piece.feed, piece.seq, std::uint64_t{piece.count},
                  static_cast<std::uint64_t>(piece.lane), piece.via, piece.prev, piece.last,
                  piece.links, piece.body);
  }
  for (const auto& [feed, node] : batch.voided) voided.run(feed, node);
  for (const StoredReceipt& held : batch.receipts) {
    receipt.run(held.arrival, held.feed, held.node, held.seq, held.via, held.bytes);
  }
}

void WriteStatements::write_layers(const Connection& connection,
                                   const Batch& batch,
                                   const LayerSeal* seal) {
  for (const StoredSpace& space : batch.spaces) {
    new_space.run(space.row, space.home, static_cast<std::uint64_t>(space.audience), space.target,
                  check_of(space));
  }
  for (const StoredKind& kind : batch.kinds)
    new_kind.run(kind.row, std::string_view(kind.name), check_of(kind));
  for (const StoredLayer& made : batch.new_layers) {
    new_layer.run(made.row, made.space, made.record, made.kind, made.newest, at_rest(made, seal));
  }
  if (!batch.new_layers.empty()) list_by_kind(batch.new_layers);
  for (const StoredLayer& changed : batch.layers) {
    layer.run(changed.row, changed.newest, at_rest(changed, seal));
    changed_one(connection);
  }
}

void WriteStatements::list_by_kind(const std::vector<StoredLayer>& layers) {
  std::vector<std::pair<KindRow, LayerRow>> rows;
  rows.reserve(layers.size());
  for (const StoredLayer& made : layers) rows.emplace_back(made.kind, made.row);
  std::sort(rows.begin(), rows.end());
  for (std::size_t first = 0; first < rows.size();) {
    ByteWriter more;
    std::size_t next = first + 1;
    while (next < rows.size() && next - first < most_listed_together &&
           rows[next].first == rows[first].first) {
      more.varint(rows[next].second.value - rows[next - 1].second.value);
      ++next;
    }
    kind_layers.run(rows[first].first, rows[first].second, more.view());
    first = next;
  }
}

void WriteStatements::write_peers(const Batch& batch) {
  for (const StoredPeer& met : batch.peers) {
    peer.run(met.row, met.node, met.epoch, met.grant, met.held[0], met.held[1], met.held[2],
             met.acknowledged[0], met.acknowledged[1], met.acknowledged[2],
             static_cast<std::uint64_t>(met.heard_ms));
  }
}

void WriteStatements::write_marks(const Batch& batch) {
  for (const StoredPending& mark : batch.pending) {
    new_pending.run(mark.arrival, std::string_view(mark.waits_for));
  }
  for (const Arrival arrival : batch.settled) settled.run(arrival);
  for (const NamedValue& named : batch.values) {
    if (named.value.empty()) {
      no_value.run(std::string_view(named.name));
    } else {
      value.run(std::string_view(named.name), named.value);
    }
  }
}

Result<std::unique_ptr<SqliteStore>> SqliteStore::open(const std::string& path,
                                                       const SqliteOptions& options) {
  if (const auto made = make_file(path); !made) return forward(made);
  try {
    auto connection = connect(path, options);
    if (!connection) return forward(connection);
    return std::unique_ptr<SqliteStore>(new SqliteStore(std::move(*connection), options.seal));
  } catch (const DiskFull&) {
    return fail(disk_full(path));
  } catch (const Damaged&) {
    return fail(header_names_us(path) ? damaged_file(path) : foreign_file(path));
  } catch (const SqliteBroken& broken) {
    if (broken.is_refusal_of_sql()) return fail(damaged_file(path));  // a table is missing
    throw;
  }
}

SqliteStore::SqliteStore(std::unique_ptr<Connection> connection, const LayerSeal* seal)
    : SqliteReads<Store>(std::move(connection), seal),
      write_(std::make_unique<WriteStatements>(this->connection())),
      holds_remains_(!values(remains_name).empty()) {}

SqliteStore::~SqliteStore() = default;

void SqliteStore::commit(const Batch& batch) {
  Transaction transaction(connection());
  // One of these may be the newest of all: its number must not be handed out again.
  if (!batch.voided.empty()) {
    const std::string newest = std::to_string(counters().arrival.value);
    write_->value.run(std::string_view(newest_arrival_name), as_bytes(newest));
  }
  write_->write_log(connection(), batch);
  write_->write_layers(connection(), batch, seal());
  write_->write_peers(batch);
  write_->write_marks(batch);
  if (batch.erased) write_->value.run(std::string_view(remains_name), Bytes{1});
  transaction.commit();
  holds_remains_ = holds_remains_ || batch.erased;
  if (batch.erased) connection().empty_wal();
  connection().checkpoint_when_due();
}

void SqliteStore::drop_layers() {
  Transaction transaction(connection());
  connection().run("DELETE FROM layer");
  connection().run("DELETE FROM kind_layers");
  connection().run("DELETE FROM pending");
  transaction.commit();
  connection().checkpoint_when_due();
}

bool SqliteStore::holds_remains() {
  return holds_remains_ || connection().must_empty_wal();
}

// `secure_delete` overwrites what is deleted, but not what moving cells to other pages leaves
// between those that stay.
void SqliteStore::drop_remains() {
  connection().stop_reading();
  if (holds_remains_) {
    connection().write_anew();
    Transaction transaction(connection());
    write_->no_value.run(std::string_view(remains_name));
    transaction.commit();
    holds_remains_ = false;
    connection().empty_wal();
  }
  connection().checkpoint_when_due();
}

std::vector<std::string> SqliteStore::check() {
  std::vector<std::string> faults = connection().texts("PRAGMA integrity_check(100)");
  if (faults == std::vector<std::string>{"ok"}) faults.clear();
  for (const std::string& table : connection().texts("PRAGMA foreign_key_check")) {
    faults.push_back("A row of table " + table + " refers to a row that is not there.");
  }
  return faults;
}

}  // namespace chapterd
