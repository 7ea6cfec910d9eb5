// Connections, statements and transactions over the SQLite C API.
#include "replication/store/sqlite/connection.h"

#include <sqlite3.h>

#include <cerrno>

namespace chapterd {

namespace {

// More gains nothing in bench/store_bench (100,000 changes).
constexpr const char* writer_cache = "PRAGMA cache_size = -32768";
constexpr const char* temporary_in_memory = "PRAGMA temp_store = MEMORY";
constexpr const char* reader_cache = "PRAGMA cache_size = -2048";

// How long a reader may hold up a checkpoint once the WAL is four times its size.
constexpr int reader_wait_ms = 100;

// The disk refuses and nothing was changed. A failed fsync is not among these: after it nobody
// knows what the disk holds. Nor is a database file that was moved away under us.
bool means_disk_full(int code, int system_error) {
  if (code == SQLITE_IOERR_FSYNC || code == SQLITE_IOERR_DIR_FSYNC) return false;
  if (code == SQLITE_READONLY_DBMOVED) return false;
  const int primary = code & 0xFF;
  if (primary == SQLITE_FULL || primary == SQLITE_READONLY) return true;
  if (primary != SQLITE_IOERR && primary != SQLITE_CANTOPEN) return false;
  return system_error == ENOSPC || system_error == EDQUOT || system_error == EROFS;
}

}  // namespace

bool means_damage(int code) {
  const int primary = code & 0xFF;
  return primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB || primary == SQLITE_FORMAT;
}

bool SqliteBroken::is_refusal_of_sql() const {
  return code_ == SQLITE_ERROR;
}

void Connection::Close::operator()(sqlite3* db) const {
  sqlite3_close_v2(db);
}

Connection::Connection(const std::string& path, const std::string& vfs, Access access) {
  int flags = access == Access::read_write ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY;
  flags |= SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE;
  sqlite3* db = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &db, flags, vfs.empty() ? nullptr : vfs.c_str());
  db_.reset(db);
  if (code != SQLITE_OK) raise(code);
  set_hard_settings(access);
}

Connection::~Connection() = default;

void Connection::set_hard_settings(Access access) {
  // A connection that is not (yet) the writer must leave the WAL alone also when it closes.
  sqlite3_db_config(db_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  sqlite3_db_config(db_.get(), SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_wal_autocheckpoint(db_.get(), 0);
  run("PRAGMA trusted_schema = OFF");
  run("PRAGMA cell_size_check = ON");
  run("PRAGMA mmap_size = 0");
  run("PRAGMA foreign_keys = ON");
  run(temporary_in_memory);
  run("PRAGMA secure_delete = ON");
  run(access == Access::read_write ? writer_cache : reader_cache);
  // A reader may meet the one moment in which the writer recovers or restarts the WAL.
  sqlite3_busy_timeout(db_.get(), access == Access::read_write ? reader_wait_ms : 5'000);
}

void Connection::become_writer(const WriterOptions& options) {
  run(("PRAGMA page_size = " + std::to_string(options.page_bytes)).c_str());
  if (texts("PRAGMA journal_mode = WAL") != std::vector<std::string>{"wal"}) {
    throw Broken("SQLite cannot use a write-ahead log here");
  }
  run("PRAGMA synchronous = FULL");
  // A WAL that readers once made long does not stay so.
  run("PRAGMA journal_size_limit = 67108864");
  if (options.most_pages != 0) {
    run(("PRAGMA max_page_count = " + std::to_string(options.most_pages)).c_str());
  }
  sqlite3_db_config(db_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, nullptr);
  is_writer_ = true;
  checkpoint_pages_ = options.checkpoint_pages;
  sqlite3_wal_hook(
      db_.get(),
      [](void* self, sqlite3*, const char*, int pages) {
        static_cast<Connection*>(self)->wal_pages_ = static_cast<std::uint32_t>(pages);
        return SQLITE_OK;
      },
      this);
}

bool Connection::is_read_only() const {
  return sqlite3_db_readonly(db_.get(), "main") == 1;
}

void Connection::keep_reading() {
  if (is_writer_ && sqlite3_get_autocommit(db_.get()) != 0) run("BEGIN");
}

void Connection::stop_reading() {
  if (sqlite3_get_autocommit(db_.get()) == 0) run("COMMIT");
}

void Connection::begin_snapshot() {
  if (!is_writer_) run("BEGIN");
}

void Connection::end_snapshot() noexcept {
  // Nothing was written. Should it fail all the same, the next BEGIN throws Broken.
  if (!is_writer_) sqlite3_exec(db_.get(), "COMMIT", nullptr, nullptr, nullptr);
}

// A COMMIT whose write failed leaves no system error in the connection (seen with 3.40.1); the
// thread still has it.
void Connection::run(const char* sql) {
  errno = 0;
  const int code = sqlite3_exec(db_.get(), sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) raise(code, errno);
}

std::vector<std::string> Connection::texts(const char* sql) {
  Query statement(*this, sql);
  auto rows = statement.rows();
  std::vector<std::string> texts;
  while (rows.next()) texts.push_back(rows.text(0));
  return texts;
}

std::int64_t Connection::number(const char* sql) {
  Query statement(*this, sql);
  auto rows = statement.rows();
  if (!rows.next()) throw Broken("SQLite gave no answer");
  return static_cast<std::int64_t>(rows.number(0));
}

std::int64_t Connection::changes() const {
  return sqlite3_changes64(db_.get());
}

// What is written anew needs more room than memory may have.
void Connection::write_anew() {
  run("PRAGMA temp_store = FILE");
  try {
    run("VACUUM");
  } catch (...) {
    run(temporary_in_memory);
    throw;
  }
  run(temporary_in_memory);
}

void Connection::empty_wal() {
  must_empty_wal_ = true;
}

void Connection::checkpoint_when_due() {
  if (must_empty_wal_) return settle_wal();
  if (wal_pages_ < checkpointed_pages_) checkpointed_pages_ = 0;  // it began again from its start
  if (wal_pages_ - checkpointed_pages_ < checkpoint_pages_) return;
  const bool too_long = wal_pages_ / 4 >= checkpoint_pages_;
  const int mode = too_long ? SQLITE_CHECKPOINT_RESTART : SQLITE_CHECKPOINT_PASSIVE;
  const int code = sqlite3_wal_checkpoint_v2(db_.get(), nullptr, mode, nullptr, nullptr);
  // Also when it did not work: trying at each commit would make every commit slow.
  checkpointed_pages_ = wal_pages_;
  if (code == SQLITE_OK || (code & 0xFF) == SQLITE_BUSY) return;
  if (!means_disk_full(code, sqlite3_system_errno(db_.get()))) raise(code);
}

void Connection::settle_wal() {
  const int code =
      sqlite3_wal_checkpoint_v2(db_.get(), nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
  must_empty_wal_ = code != SQLITE_OK;
  if (code == SQLITE_OK || (code & 0xFF) == SQLITE_BUSY) return;
  if (!means_disk_full(code, sqlite3_system_errno(db_.get()))) raise(code);
}

void Connection::raise(int code, int system_error) const {
  if (const int kept = db_ ? sqlite3_system_errno(db_.get()) : 0; kept != 0) system_error = kept;
  std::string what = std::string("SQLite: ") + sqlite3_errstr(code) + " (code " +
                     std::to_string(code) + ", system error " + std::to_string(system_error) + ")";
  if (means_disk_full(code, system_error)) throw DiskFull(what);
  if (means_damage(code)) throw Damaged(what);
  throw SqliteBroken(code, what);
}

Query::Query(Connection& connection, std::string_view sql) : connection_(&connection) {
  sqlite3_stmt* statement = nullptr;
  const int code =
      sqlite3_prepare_v3(connection.db_.get(), sql.data(), static_cast<int>(sql.size()),
                         SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  statement_.reset(statement);
  if (code != SQLITE_OK) connection.raise(code);
}

void Query::Finalize::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

void Query::bind(int parameter, std::uint64_t value) {
  const int code =
      sqlite3_bind_int64(statement_.get(), parameter, static_cast<sqlite3_int64>(value));
  if (code != SQLITE_OK) connection_->raise(code);
}

void Query::bind(int parameter, ByteView value) {
  // A null pointer would bind NULL instead of no bytes.
  const void* data = value.empty() ? "" : static_cast<const void*>(value.data());
  const int code =
      sqlite3_bind_blob64(statement_.get(), parameter, data, value.size(), SQLITE_STATIC);
  if (code != SQLITE_OK) connection_->raise(code);
}

void Query::bind(int parameter, std::string_view value) {
  const char* data = value.empty() ? "" : value.data();
  const int code = sqlite3_bind_text64(statement_.get(), parameter, data, value.size(),
                                       SQLITE_STATIC, SQLITE_UTF8);
  if (code != SQLITE_OK) connection_->raise(code);
}

void Query::run_bound() {
  const int code = sqlite3_step(statement_.get());
  sqlite3_reset(statement_.get());  // repeats the code of the step
  if (code != SQLITE_DONE) connection_->raise(code);
}

Query::Rows::~Rows() {
  sqlite3_reset(statement_.statement_.get());
}

bool Query::Rows::next() {
  const int code = sqlite3_step(statement_.statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) statement_.connection_->raise(code);
  return false;
}

std::uint64_t Query::Rows::number(int column) const {
  return static_cast<std::uint64_t>(sqlite3_column_int64(statement_.statement_.get(), column));
}

ByteView Query::Rows::bytes(int column) const {
  sqlite3_stmt* statement = statement_.statement_.get();
  const auto* data = static_cast<const std::uint8_t*>(sqlite3_column_blob(statement, column));
  return {data, static_cast<std::size_t>(sqlite3_column_bytes(statement, column))};
}

Bytes Query::Rows::owned_bytes(int column) const {
  const ByteView view = bytes(column);
  return {view.begin(), view.end()};
}

std::string Query::Rows::text(int column) const {
  return std::string(as_text(bytes(column)));
}

Transaction::Transaction(Connection& connection) : connection_(connection) {
  if (sqlite3_get_autocommit(connection_.db_.get()) != 0) connection_.run("BEGIN IMMEDIATE");
}

Transaction::~Transaction() {
  sqlite3* db = connection_.db_.get();
  if (sqlite3_get_autocommit(db) != 0) return;  // committed, or SQLite rolled back by itself
  // Should this fail, the transaction stays open and the next BEGIN throws Broken.
  sqlite3_exec(db, "ROLLBACK", nullptr, nullptr, nullptr);
}

void Transaction::commit() {
  connection_.run("COMMIT");
}

}  // namespace chapterd
