// The machine's own speed.
#include "bench/limits.h"

#include "bench/figures.h"
#include "crypto/hash.h"

#include <sqlite3.h>
#include <zstd.h>

#include <fcntl.h>
#include <filesystem>
#include <stdexcept>
#include <unistd.h>
#include <vector>

namespace chapterd::bench {
namespace {

// Just enough SQLite to be a limit: no layer of ours in between.
class Plain {
 public:
  explicit Plain(std::string path) : path_(std::move(path)) {
    std::filesystem::remove(path_);
    must(sqlite3_open(path_.c_str(), &db_));
    run("PRAGMA journal_mode=WAL");
    run("PRAGMA synchronous=FULL");
    run("PRAGMA cache_size=-32768");
    run("CREATE TABLE log(id INTEGER PRIMARY KEY, body BLOB)");
    run("CREATE TABLE record(id INTEGER PRIMARY KEY, key BLOB UNIQUE, body BLOB)");
    log_ = prepare("INSERT INTO log(body) VALUES(?1)");
    record_ = prepare(
        "INSERT INTO record(key, body) VALUES(?1, ?2) ON CONFLICT(key) DO UPDATE SET "
        "body=excluded.body");
  }

  Plain(const Plain&) = delete;
  Plain& operator=(const Plain&) = delete;

  ~Plain() {
    sqlite3_finalize(log_);
    sqlite3_finalize(record_);
    sqlite3_close(db_);
    std::filesystem::remove(path_);
  }

  void run(const char* sql) { must(sqlite3_exec(db_, sql, nullptr, nullptr, nullptr)); }

  void log(std::string_view body) {
    bind(log_, 1, as_bytes(body));
    step(log_);
  }

  void record(ByteView key, std::string_view body) {
    bind(record_, 1, key);
    bind(record_, 2, as_bytes(body));
    step(record_);
  }

 private:
  static void must(int code) {
    if (code != SQLITE_OK) throw std::runtime_error("plain SQLite failed");
  }

  sqlite3_stmt* prepare(const char* sql) {
    sqlite3_stmt* statement = nullptr;
    must(sqlite3_prepare_v2(db_, sql, -1, &statement, nullptr));
    return statement;
  }

  static void bind(sqlite3_stmt* statement, int at, ByteView bytes) {
    must(sqlite3_bind_blob(statement, at, bytes.data(), static_cast<int>(bytes.size()),
                           SQLITE_STATIC));
  }

  static void step(sqlite3_stmt* statement) {
    if (sqlite3_step(statement) != SQLITE_DONE) throw std::runtime_error("plain SQLite failed");
    must(sqlite3_reset(statement));
  }

  std::string path_;
  sqlite3* db_ = nullptr;
  sqlite3_stmt* log_ = nullptr;
  sqlite3_stmt* record_ = nullptr;
};

}  // namespace

double fsync_seconds(const std::string& folder) {
  const std::string path = folder + "/fsync.tmp";
  const int file = open(path.c_str(), O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) throw std::runtime_error("cannot write in " + folder);
  const std::vector<char> block(4096, 'x');
  std::vector<double> samples;
  for (int i = 0; i < 200; ++i) {
    const Stopwatch watch;
    if (write(file, block.data(), block.size()) != 4096 || fsync(file) != 0) {
      close(file);
      throw std::runtime_error("fsync failed in " + folder);
    }
    samples.push_back(watch.seconds());
  }
  close(file);
  std::filesystem::remove(path);
  return quantile(samples, 0.5);
}

double sqlite_two_rows(const std::string& folder, const Lines& lines) {
  Plain plain(folder + "/plain.db");
  std::vector<Digest> keys;  // not part of what is measured: they come with the changes
  for (const std::string& line : lines) {
    const std::size_t at = line.find("\"id\":");
    keys.push_back(
        hash("bench", as_bytes(std::string_view(line).substr(at, line.find(',', at) - at))));
  }
  const Stopwatch watch;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (i % 1000 == 0) plain.run(i == 0 ? "BEGIN" : "COMMIT; BEGIN");
    plain.log(lines[i]);
    plain.record(keys[i].view().first(16), lines[i]);
  }
  plain.run("COMMIT");
  return static_cast<double>(lines.size()) / watch.seconds();
}

double sqlite_single_commits(const std::string& folder, std::size_t count) {
  Plain plain(folder + "/plain.db");
  const std::string body(300, 'x');
  const Stopwatch watch;
  for (std::size_t i = 0; i < count; ++i) plain.log(body);
  return static_cast<double>(count) / watch.seconds();
}

std::size_t zstd3_bytes(ByteView bytes) {
  Bytes out(ZSTD_compressBound(bytes.size()));
  return ZSTD_compress(out.data(), out.size(), bytes.data(), bytes.size(), 3);
}

}  // namespace chapterd::bench
