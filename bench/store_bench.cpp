// How much of plain SQLite's speed the store keeps: a commit stream of merged layers and log
// pieces, beside the same rows written by bare prepared statements in the same run.
//
// Usage: store_bench [folder]    (the folder must be on the disk to be measured; default: .)
// PAGE_BYTES and CHECKPOINT_PAGES in the environment replace the store's own settings.
#include "replication/store/sqlite/sqlite_store.h"

#include <sqlite3.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <unistd.h>
#include <vector>

namespace chapterd {

namespace {

constexpr std::size_t changes = 100'000;
constexpr std::size_t state_bytes = 300;
constexpr std::size_t pieces = 1'800;
constexpr std::size_t piece_bytes = 16 * 1024;
constexpr std::size_t update_percent = 30;  // of the changes go to a layer that is there already
constexpr int rounds = 5;

// Every record of a run is known beforehand, so that both sides do the same and neither is
// charged for chance.
struct Change {
  std::uint64_t row;  // of the layer, from 1
  bool is_new;
  RecordId record;
};

enum class Ids { random, by_time };

std::vector<Change> plan(Ids ids) {
  std::mt19937_64 chance(42);
  std::vector<Change> plan;
  std::vector<RecordId> records;
  for (std::size_t i = 0; i < changes; ++i) {
    const bool is_new = records.empty() || chance() % 100 >= update_percent;
    if (is_new) {
      RecordId record;
      for (std::uint8_t& byte : record.bytes) byte = static_cast<std::uint8_t>(chance());
      if (ids == Ids::by_time) {  // as a UUIDv7: big-endian milliseconds first
        for (std::size_t b = 0; b < 6; ++b) {
          record.bytes[5 - b] = static_cast<std::uint8_t>((1'700'000'000'000U + i) >> (8 * b));
        }
      }
      records.push_back(record);
      plan.push_back({records.size(), true, record});
    } else {
      const std::size_t at = chance() % records.size();
      plan.push_back({at + 1, false, records[at]});
    }
  }
  return plan;
}

Bytes noise(std::size_t size, std::uint64_t seed) {
  std::mt19937_64 chance(seed);
  Bytes bytes(size);
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(chance());
  return bytes;
}

void remove_database(const std::string& path) {
  for (const char* end : {"", "-wal", "-shm"}) ::unlink((path + end).c_str());
}

class Stopwatch {
 public:
  [[nodiscard]] double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

void must(int code) {
  if (code == SQLITE_OK || code == SQLITE_DONE) return;
  std::fprintf(stderr, "SQLite: %s\n", sqlite3_errstr(code));
  std::exit(1);
}

// One log row of 300 bytes and one keyed row a change, and nothing else.
double plain_sqlite(const std::string& path, const std::vector<Change>& plan, std::size_t batch) {
  remove_database(path);
  const Bytes state = noise(state_bytes, 1);
  sqlite3* db = nullptr;
  must(sqlite3_open(path.c_str(), &db));
  must(sqlite3_exec(db,
                    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; "
                    "PRAGMA cache_size = -32768; PRAGMA wal_autocheckpoint = 16384;"
                    "CREATE TABLE log(row INTEGER PRIMARY KEY, body BLOB);"
                    "CREATE TABLE item(row INTEGER PRIMARY KEY, key BLOB UNIQUE, state BLOB);",
                    nullptr, nullptr, nullptr));
  sqlite3_stmt* log = nullptr;
  sqlite3_stmt* insert = nullptr;
  sqlite3_stmt* update = nullptr;
  must(sqlite3_prepare_v2(db, "INSERT INTO log VALUES(NULL, ?)", -1, &log, nullptr));
  must(sqlite3_prepare_v2(db, "INSERT INTO item VALUES(?, ?, ?)", -1, &insert, nullptr));
  must(sqlite3_prepare_v2(db, "UPDATE item SET state = ?3 WHERE row = ?1 AND key = ?2", -1, &update,
                          nullptr));
  const Stopwatch watch;
  for (std::size_t start = 0; start < plan.size(); start += batch) {
    must(sqlite3_exec(db, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr));
    const std::size_t end = std::min(start + batch, plan.size());
    for (std::size_t i = start; i < end; ++i) {
      sqlite3_bind_blob(log, 1, state.data(), state_bytes, SQLITE_STATIC);
      must(sqlite3_step(log));
      sqlite3_reset(log);
      sqlite3_stmt* keyed = plan[i].is_new ? insert : update;
      sqlite3_bind_int64(keyed, 1, static_cast<sqlite3_int64>(plan[i].row));
      sqlite3_bind_blob(keyed, 2, plan[i].record.bytes.data(), RecordId::size, SQLITE_STATIC);
      sqlite3_bind_blob(keyed, 3, state.data(), state_bytes, SQLITE_STATIC);
      must(sqlite3_step(keyed));
      sqlite3_reset(keyed);
    }
    must(sqlite3_exec(db, "COMMIT", nullptr, nullptr, nullptr));
  }
  const double seconds = watch.seconds();
  for (sqlite3_stmt* statement : {log, insert, update}) sqlite3_finalize(statement);
  must(sqlite3_close(db));
  remove_database(path);
  return seconds;
}

void add_pieces(Batch& batch, std::uint64_t& arrival, std::size_t end, const Bytes& body) {
  while (arrival * changes < end * pieces) {
    StoredPiece piece;
    piece.arrival = Arrival(++arrival);
    piece.feed = FeedRow(1);
    piece.seq = Sequence(arrival);
    piece.count = 1;
    piece.body = body;
    batch.pieces.push_back(std::move(piece));
  }
}

void prepare(Store& store) {
  Batch batch;
  StoredFeed feed;
  feed.row = FeedRow(1);
  feed.intro = noise(200, 3);
  batch.feeds.push_back(feed);
  StoredSpace space;
  space.row = SpaceRow(1);
  batch.spaces.push_back(space);
  batch.kinds.push_back({KindRow(1), "insight"});
  store.commit(batch);
}

// The same through the store: each layer is looked up first, as merging does.
double through_store(const std::string& path, const std::vector<Change>& plan, std::size_t size) {
  remove_database(path);
  const Bytes state = noise(state_bytes, 1);
  const Bytes body = noise(piece_bytes, 2);
  SqliteOptions options;
  if (const char* text = std::getenv("PAGE_BYTES")) {
    options.writer.page_bytes = static_cast<std::uint32_t>(std::atoi(text));
  }
  if (const char* text = std::getenv("CHECKPOINT_PAGES")) {
    options.writer.checkpoint_pages = static_cast<std::uint32_t>(std::atoi(text));
  }
  auto opened = SqliteStore::open(path, options);
  if (!opened) std::exit(1);
  Store& store = **opened;
  prepare(store);
  std::uint64_t arrival = 0;
  const Stopwatch watch;
  for (std::size_t start = 0; start < plan.size(); start += size) {
    const std::size_t end = std::min(start + size, plan.size());
    Batch batch;
    add_pieces(batch, arrival, end, body);
    std::vector<std::uint64_t> seen;
    for (std::size_t i = start; i < end; ++i) {
      const auto held = store.layer(SpaceRow(1), plan[i].record);
      StoredLayer layer;
      layer.row = LayerRow(plan[i].row);
      layer.space = SpaceRow(1);
      layer.record = plan[i].record;
      layer.kind = KindRow(1);
      layer.newest = Arrival(arrival);
      layer.state = state;
      (plan[i].is_new ? batch.new_layers : batch.layers).push_back(std::move(layer));
      if (plan[i].is_new && held) std::exit(2);
    }
    store.commit(batch);
  }
  const double seconds = watch.seconds();
  opened->reset();
  remove_database(path);
  return seconds;
}

void compare(const std::string& folder, Ids ids, std::size_t batch) {
  const std::vector<Change> changes_planned = plan(ids);
  const std::string path = folder + "/store_bench.db";
  double plain = 1e9;
  double store = 1e9;
  for (int round = 0; round < rounds; ++round) {  // in turn, so that noise meets both
    plain = std::min(plain, plain_sqlite(path, changes_planned, batch));
    store = std::min(store, through_store(path, changes_planned, batch));
  }
  const double count = changes;
  std::printf("%-10s ids, batches of %5zu: plain %7.0f changes/s, store %7.0f changes/s, %.2f\n",
              ids == Ids::random ? "random" : "time", batch, count / plain, count / store,
              plain / store);
}

}  // namespace

}  // namespace chapterd

int main(int argc, char** argv) {
  const std::string folder = argc > 1 ? argv[1] : ".";
  for (const std::size_t batch : {2'000UL, 8'000UL}) {
    chapterd::compare(folder, chapterd::Ids::random, batch);
    chapterd::compare(folder, chapterd::Ids::by_time, batch);
  }
  return 0;
}
