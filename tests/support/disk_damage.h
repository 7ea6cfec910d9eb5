// Databases as a failing disk leaves them.
#pragma once

#include <sqlite3.h>

#include <stdexcept>
#include <string>

namespace chapterd::testing {

// Runs this on a database that no node has open, by a connection that knows nothing of checks.
// Throws when no row was changed.
inline void change_rows(const std::string& database, const std::string& sql) {
  sqlite3* db = nullptr;
  const bool done = sqlite3_open(database.c_str(), &db) == SQLITE_OK &&
                    sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK &&
                    sqlite3_changes(db) > 0;
  const std::string why = sqlite3_errmsg(db);
  sqlite3_close(db);
  if (!done) throw std::runtime_error("no row changed by " + sql + ": " + why);
}

}  // namespace chapterd::testing
