// The SQLite backend: one file, one writing connection, which also does every checkpoint.
#pragma once

#include "base/result.h"
#include "replication/store/sqlite/sqlite_reader.h"

#include <memory>
#include <string>
#include <vector>

namespace chapterd {

struct SqliteOptions {
  std::string vfs;  // name of a registered SQLite VFS; empty for SQLite's own
  WriterOptions writer;
  const LayerSeal* seal = nullptr;  // needed for private layers; must outlive the store
};

// Whether this program can read the database that is there; changes nothing. Errors:
// store.newer-schema, store.foreign-file, store.damaged. Throws Broken when it cannot be opened.
[[nodiscard]] Result<void> check_schema(const std::string& path);

struct WriteStatements;

// At most one for a file at a time, in one process (SQLite before 3.51.3 can damage a WAL that two
// connections checkpoint); the lock of the DataFolder sees to that. One thread.
class SqliteStore final : public SqliteReads<Store> {
 public:
  // Makes the file (mode 0600) and its tables, or opens what is there. Errors:
  // store.newer-schema (Errc::not_compatible), store.foreign-file, store.damaged (check_failed),
  // store.cannot-make (disk or failed), store.read-only and store.disk-full (disk). A refused file
  // is left as it was. Throws Broken when the machine fails underneath.
  [[nodiscard]] static Result<std::unique_ptr<SqliteStore>> open(const std::string& path,
                                                                 const SqliteOptions& options);

  ~SqliteStore() override;

  void commit(const Batch& batch) override;
  void drop_layers() override;

  [[nodiscard]] bool holds_remains() override;
  void drop_remains() override;
  // Reads the whole file: about a second for each gigabyte on a fast disk.
  [[nodiscard]] std::vector<std::string> check() override;

 private:
  SqliteStore(std::unique_ptr<Connection> connection, const LayerSeal* seal);

  std::unique_ptr<WriteStatements> write_;
  bool holds_remains_ = false;
};

}  // namespace chapterd
