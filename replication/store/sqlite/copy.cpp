// SQLite's online backup in a single step, which holds one read transaction from end to end: all
// of one moment. https://www.sqlite.org/c3ref/backup_finish.html
#include "replication/store/sqlite/copy.h"

#include "replication/store/sqlite/connection.h"

#include <sqlite3.h>

#include <cerrno>
#include <fcntl.h>
#include <memory>
#include <unistd.h>

namespace chapterd {
namespace {

struct Close {
  void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
};

using Database = std::unique_ptr<sqlite3, Close>;

constexpr int wait_ms = 5'000;  // for the moment in which the writer restarts the WAL

[[noreturn]] void raise(sqlite3* database, int code) {
  const int system_error = database == nullptr ? 0 : sqlite3_system_errno(database);
  const std::string what = std::string("SQLite: ") + sqlite3_errstr(code);
  if ((code & 0xFF) == SQLITE_FULL || system_error == ENOSPC || system_error == EDQUOT)
    throw DiskFull(what);
  if (means_damage(code)) throw Damaged(what);
  throw SqliteBroken(code, what);
}

Database open(const std::string& path, int flags) {
  sqlite3* opened = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &opened, flags, nullptr);
  Database database(opened);
  if (code != SQLITE_OK) raise(opened, code);
  sqlite3_busy_timeout(opened, wait_ms);
  return database;
}

void make_private(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0) throw Broken("the file " + path + " cannot be made");
  ::close(file);
}

void sync(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  const bool synced = file >= 0 && ::fsync(file) == 0;
  if (file >= 0) ::close(file);
  if (!synced) throw Broken("the file " + path + " cannot be written to disk");
}

}  // namespace

void copy_database(const std::string& from, const std::string& to) {
  make_private(to);
  {
    const Database source = open(from, SQLITE_OPEN_READONLY);
    const Database target = open(to, SQLITE_OPEN_READWRITE);
    sqlite3_backup* copy = sqlite3_backup_init(target.get(), "main", source.get(), "main");
    if (copy == nullptr) raise(target.get(), sqlite3_extended_errcode(target.get()));
    const int stepped = sqlite3_backup_step(copy, -1);
    const int finished = sqlite3_backup_finish(copy);
    if (stepped != SQLITE_DONE) raise(target.get(), stepped);
    if (finished != SQLITE_OK) raise(target.get(), finished);
  }
  sync(to);
}

}  // namespace chapterd
