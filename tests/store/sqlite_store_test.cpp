// What only the SQLite backend promises: refused files, settings, full disks, kills.
#include "replication/store/sqlite/sqlite_store.h"

#include "tests/store/builders.h"
#include "tests/store/faulty_vfs.h"
#include "tests/store/scratch_folder.h"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <csignal>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace chapterd {

namespace {

class SqliteStoreTest : public testing::Test {
 protected:
  ~SqliteStoreTest() override { faults() = Faults{}; }

  [[nodiscard]] std::unique_ptr<SqliteStore> open(const SqliteOptions& options = {}) const {
    auto store = SqliteStore::open(path_, options);
    if (!store) throw std::runtime_error(store.error().what);
    return std::move(*store);
  }

  // The code of the error that opening gives, empty when it opens.
  [[nodiscard]] std::string refusal() const {
    const auto store = SqliteStore::open(path_, SqliteOptions{});
    return store ? "" : store.error().code;
  }

  // With a connection of its own, as any other program would have.
  void run_sql(const char* sql) const {
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open(path_.c_str(), &db), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(db, sql, nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(db);
    sqlite3_close(db);
  }

  [[nodiscard]] std::string contents() const {
    std::ifstream file(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }

  void write_contents(const std::string& bytes) const {
    std::ofstream(path_, std::ios::binary | std::ios::trunc) << bytes;
  }

  // A closed database with some pieces in it.
  void make_database() const {
    auto store = open();
    store->commit(ground());
    Batch batch;
    batch.pieces = {piece_of(1, 1, 1, 1, 30'000), piece_of(2, 1, 2, 1, 30'000)};
    store->commit(batch);
  }

  ScratchFolder folder_;
  std::string path_ = folder_.file("chapterd.db");
};

// Pieces of feed 1, one entry and 20 kB each.
Batch pieces_from(std::uint64_t arrival, std::size_t count) {
  Batch batch;
  for (std::size_t i = 0; i < count; ++i, ++arrival) {
    batch.pieces.push_back(piece_of(arrival, 1, arrival, 1, 20'000));
  }
  return batch;
}

mode_t mode_of(const std::string& path) {
  struct stat status = {};
  return ::stat(path.c_str(), &status) == 0 ? status.st_mode & 0777 : 0;
}

}  // namespace

TEST_F(SqliteStoreTest, KeepsItsFilesFromOthers) {
  const mode_t before = ::umask(0);
  const auto store = open();
  store->commit(ground());
  ::umask(before);
  EXPECT_EQ(mode_of(path_), 0600U);
  EXPECT_EQ(mode_of(path_ + "-wal"), 0600U);
  EXPECT_EQ(mode_of(path_ + "-shm"), 0600U);
}

TEST_F(SqliteStoreTest, RefusesANewerSchema) {
  make_database();
  run_sql("PRAGMA user_version = 999");
  const std::string before = contents();
  const auto store = SqliteStore::open(path_, SqliteOptions{});
  ASSERT_FALSE(store.has_value());
  EXPECT_EQ(store.error().code, "store.newer-schema");
  EXPECT_EQ(store.error().kind, Errc::not_compatible);
  EXPECT_NE(store.error().what.find("999"), std::string::npos);
  EXPECT_FALSE(store.error().safe.empty());
  EXPECT_FALSE(store.error().next.empty());
  EXPECT_EQ(contents(), before);
}

TEST_F(SqliteStoreTest, RefusesAForeignDatabaseAndLeavesItAsItWas) {
  run_sql("CREATE TABLE theirs(a); INSERT INTO theirs VALUES(1)");
  const std::string before = contents();
  EXPECT_EQ(refusal(), "store.foreign-file");
  EXPECT_EQ(contents(), before);
  run_sql("PRAGMA journal_mode = WAL; INSERT INTO theirs VALUES(2)");
  EXPECT_EQ(refusal(), "store.foreign-file");
}

TEST_F(SqliteStoreTest, RefusesAFileThatIsNoDatabase) {
  const std::string letter(5'000, 'x');
  write_contents(letter);
  EXPECT_EQ(refusal(), "store.foreign-file");
  EXPECT_EQ(contents(), letter);
}

TEST_F(SqliteStoreTest, RefusesAGarbledHeader) {
  make_database();
  std::string bytes = contents();
  bytes.replace(0, 16, 16, '?');
  write_contents(bytes);
  EXPECT_EQ(refusal(), "store.damaged");
}

TEST_F(SqliteStoreTest, RefusesATruncatedFile) {
  make_database();
  write_contents(contents().substr(0, 3 * 4096));
  EXPECT_EQ(refusal(), "store.damaged");
}

TEST_F(SqliteStoreTest, RefusesADatabaseThatLacksATable) {
  make_database();
  run_sql("DROP TABLE layer");
  EXPECT_EQ(refusal(), "store.damaged");
}

TEST_F(SqliteStoreTest, FindsADamagedPage) {
  make_database();
  std::string bytes = contents();
  ASSERT_TRUE(open()->check().empty());
  bytes[bytes.size() - 4096] = '\x7F';
  write_contents(bytes);
  const auto store = SqliteStore::open(path_, SqliteOptions{});
  ASSERT_TRUE(store.has_value());  // nobody has looked at the last page yet
  EXPECT_FALSE((*store)->check().empty());
}

TEST_F(SqliteStoreTest, TakesAnEmptyFileAsNew) {
  write_contents("");
  EXPECT_EQ(refusal(), "");
}

TEST_F(SqliteStoreTest, ReallySetsTheHardSettings) {
  make_database();
  for (const Access access : {Access::read_write, Access::read_only}) {
    Connection connection(path_, "", access);
    if (access == Access::read_write) connection.become_writer(WriterOptions{});
    EXPECT_EQ(connection.number("PRAGMA trusted_schema"), 0);
    EXPECT_EQ(connection.number("PRAGMA cell_size_check"), 1);
    EXPECT_EQ(connection.number("PRAGMA mmap_size"), 0);
    EXPECT_EQ(connection.number("PRAGMA secure_delete"), 1);
    EXPECT_EQ(connection.number("PRAGMA foreign_keys"), 1);
    EXPECT_EQ(connection.number("PRAGMA temp_store"), 2);
    EXPECT_EQ(connection.number("PRAGMA wal_autocheckpoint"), 0);
    EXPECT_EQ(connection.number("PRAGMA application_id"), 0x63687064);
    EXPECT_EQ(connection.number("PRAGMA user_version"), 1);
    EXPECT_EQ(connection.texts("PRAGMA journal_mode"), std::vector<std::string>{"wal"});
    // DEFENSIVE: not even a connection of our own writes the schema.
    EXPECT_ANY_THROW(connection.run("PRAGMA writable_schema = ON; DELETE FROM sqlite_schema"));
  }
  Connection writer(path_, "", Access::read_write);
  writer.become_writer(WriterOptions{});
  EXPECT_EQ(writer.number("PRAGMA synchronous"), 2);
  EXPECT_EQ(writer.number("PRAGMA page_size"), 4096);
}

TEST_F(SqliteStoreTest, NeverWritesThroughAReader) {
  make_database();
  Connection reader(path_, "", Access::read_only);
  EXPECT_THROW(reader.run("DELETE FROM feed"), DiskFull);  // as on a read-only disk
  EXPECT_THROW(open_reader(folder_.file("missing.db")), Broken);
}

TEST_F(SqliteStoreTest, ChangesNothingWhenTheFileMayNotGrow) {
  {
    SqliteOptions small;
    small.writer.most_pages = 60;
    auto store = open(small);
    store->commit(ground());
    store->commit(pieces_from(1, 3));
    EXPECT_THROW(store->commit(pieces_from(4, 100)), DiskFull);
    EXPECT_EQ(store->counters().arrival, Arrival(3));
    store->commit(pieces_from(4, 1));
    EXPECT_EQ(store->counters().arrival, Arrival(4));
  }
  auto store = open();
  EXPECT_EQ(store->counters().arrival, Arrival(4));
  store->commit(pieces_from(5, 100));
  EXPECT_EQ(store->counters().arrival, Arrival(104));
  EXPECT_TRUE(store->check().empty());
}

TEST_F(SqliteStoreTest, ChangesNothingWhenTheDiskIsFullAndGoesOnWithRoom) {
  SqliteOptions options;
  options.vfs = faulty_vfs();
  auto store = open(options);
  store->commit(ground());
  store->commit(pieces_from(1, 2));
  for (std::int64_t room = 0; room < 80'000; room += 7'919) {
    faults().room_bytes = room;
    EXPECT_THROW(store->commit(pieces_from(3, 4)), DiskFull) << room;
    EXPECT_EQ(store->counters().arrival, Arrival(2)) << room;
  }
  faults() = Faults{};
  store->commit(pieces_from(3, 4));
  EXPECT_EQ(store->counters().arrival, Arrival(6));
  store.reset();
  EXPECT_EQ(open()->counters().arrival, Arrival(6));
  EXPECT_TRUE(open()->check().empty());
}

TEST_F(SqliteStoreTest, AcknowledgesACommitWhoseCheckpointFindsTheDiskFull) {
  SqliteOptions options;
  options.vfs = faulty_vfs();
  options.writer.checkpoint_pages = 1;
  auto store = open(options);
  store->commit(ground());
  faults().room_bytes = 0;
  faults().only_database = true;
  store->commit(pieces_from(1, 5));
  EXPECT_EQ(store->counters().arrival, Arrival(5));
  faults() = Faults{};
  store->commit(pieces_from(6, 5));
  store.reset();
  EXPECT_EQ(open()->counters().arrival, Arrival(10));
}

TEST_F(SqliteStoreTest, ThrowsBrokenWhenFsyncFails) {
  SqliteOptions options;
  options.vfs = faulty_vfs();
  auto store = open(options);
  store->commit(ground());
  faults().syncs = 0;
  EXPECT_THROW(store->commit(pieces_from(1, 1)), Broken);
  store.reset();
  faults() = Faults{};
  EXPECT_TRUE(open()->check().empty());
}

TEST_F(SqliteStoreTest, KeepsTheWalBoundedBesideAReader) {
  SqliteOptions options;
  options.writer.checkpoint_pages = 50;
  auto store = open(options);
  store->commit(ground());
  const auto reader = open_reader(path_);
  for (std::uint64_t arrival = 1; arrival <= 300; ++arrival) {
    store->commit(pieces_from(arrival, 1));
    EXPECT_EQ(reader->counters().arrival, Arrival(arrival));
    EXPECT_EQ(store->counters().arrival, Arrival(arrival));  // the writer reads between commits
  }
  EXPECT_LT(std::filesystem::file_size(path_ + "-wal"), 200U * 4'120U);
  EXPECT_GT(std::filesystem::file_size(path_), 300U * 20'000U - 200U * 4'120U);
}

namespace {

// Commits one piece and one layer at a time and reports each once it is acknowledged, for ever.
[[noreturn]] void commit_for_ever(const std::string& path, int report) {
  SqliteOptions options;
  options.writer.checkpoint_pages = 40;  // so that kills hit checkpoints too
  auto store = SqliteStore::open(path, options);
  if (!store) ::_exit(1);
  const Counters counters = (*store)->counters();
  if (counters.feed == FeedRow(0)) (*store)->commit(ground());
  for (std::uint64_t arrival = counters.arrival.value + 1;; ++arrival) {
    Batch batch = pieces_from(arrival, 1);
    StoredLayer layer = layer_of(arrival, 1, 0, 1);
    layer.record.bytes[0] = static_cast<std::uint8_t>(arrival);
    layer.record.bytes[1] = static_cast<std::uint8_t>(arrival >> 8U);
    batch.new_layers = {layer};
    (*store)->commit(batch);
    if (::write(report, &arrival, sizeof arrival) != sizeof arrival) ::_exit(1);
  }
}

// Runs commit_for_ever() in a process of its own, kills it, and returns what it acknowledged last.
std::uint64_t commit_until_killed(const std::string& path, unsigned after_us) {
  int ends[2] = {};
  if (::pipe(ends) != 0) return 0;
  const pid_t child = ::fork();
  if (child == 0) commit_for_ever(path, ends[1]);
  ::close(ends[1]);
  std::uint64_t acknowledged = 0;
  std::uint64_t arrival = 0;
  // The first acknowledgement shows that it is at work; from then on the blow may fall any time.
  if (::read(ends[0], &arrival, sizeof arrival) == sizeof arrival) acknowledged = arrival;
  ::usleep(after_us);
  ::kill(child, SIGKILL);
  while (::read(ends[0], &arrival, sizeof arrival) == sizeof arrival) acknowledged = arrival;
  ::close(ends[0]);
  ::waitpid(child, nullptr, 0);
  return acknowledged;
}

}  // namespace

TEST_F(SqliteStoreTest, HoldsEverythingAcknowledgedAfterAKill) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 chance(seed);
  for (int round = 0; round < 20; ++round) {
    const std::uint64_t acknowledged =
        commit_until_killed(path_, static_cast<unsigned>(chance() % 30'000));
    ASSERT_GT(acknowledged, 0U);
    const auto store = open();
    const std::uint64_t arrival = store->counters().arrival.value;
    ASSERT_GE(arrival, acknowledged);
    ASSERT_EQ(store->heads_after(Arrival(0), 1'000'000).size(), arrival);
    ASSERT_EQ(store->layers_after(LayerRow(0), 1'000'000).size(), arrival);
    ASSERT_EQ(store->records_of(KindRow(1), LayerRow(0), 1'000'000).size(), arrival);
    ASSERT_TRUE(store->check().empty());
  }
}

}  // namespace chapterd
