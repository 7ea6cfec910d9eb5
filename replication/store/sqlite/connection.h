// Thin RAII over SQLite's C API: a connection with our hard settings, statements, transactions.
//
// Everything here throws DiskFull (full, read-only or out of quota: the transaction did not
// happen), Damaged (the file's bytes are wrong) or SqliteBroken (anything else unexpected), and
// never puts data into a message.
// One object belongs to one thread.
#pragma once

#include "base/bytes.h"
#include "base/strong.h"
#include "replication/store/store.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

struct sqlite3;
struct sqlite3_stmt;

namespace chapterd {

// What SQLite reported, kept so that opening a file can tell one trouble from another.
class SqliteBroken : public Broken {
 public:
  SqliteBroken(int code, const std::string& what) : Broken(what), code_(code) {}

  [[nodiscard]] int code() const { return code_; }  // extended result code

  // SQLite does not understand a statement of ours: the file lacks what the statement names.
  [[nodiscard]] bool is_refusal_of_sql() const;

 private:
  int code_;
};

// Whether this result code says that the file's bytes are wrong, as opposed to the machine refusing
// to read or write them.
[[nodiscard]] bool means_damage(int code);

enum class Access { read_write, read_only };

// What a writer fixes in the file or decides for itself.
struct WriterOptions {
  std::uint32_t page_bytes = 4'096;         // of a file made now
  std::uint32_t most_pages = 0;             // refuse to grow past this; 0: no limit (tests)
  std::uint32_t checkpoint_pages = 16'384;  // in the WAL before they are moved into the file
};

class Connection {
 public:
  // Opens an existing file (an empty one counts). `vfs`: empty for SQLite's own.
  Connection(const std::string& path, const std::string& vfs, Access access);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  // Everything that changes the file: page size, WAL, and from now on this connection is the one
  // that checkpoints. Not to be called before the file is known to be ours.
  void become_writer(const WriterOptions& options);

  // The file or its disk allows no writing, although read_write was asked for.
  [[nodiscard]] bool is_read_only() const;

  // On a writer, starts a read transaction that lasts until stop_reading() or a Transaction, which
  // takes it over: nobody else writes, so it never grows old, and the locks are taken once instead
  // of once a query (measured: a layer is found in 1.0 instead of 3.3 us). Does nothing on a
  // reader.
  void keep_reading();
  void stop_reading();

  // On a reader, a read transaction from the first query on until end_snapshot(). Nothing on a
  // writer: what it reads changes only by its own hand.
  void begin_snapshot();
  void end_snapshot() noexcept;

  // Runs SQL that has no parameters and no result.
  void run(const char* sql);
  // The first column of every row.
  [[nodiscard]] std::vector<std::string> texts(const char* sql);
  // The first column of the first row.
  [[nodiscard]] std::int64_t number(const char* sql);

  // Rows changed by the last statement.
  [[nodiscard]] std::int64_t changes() const;

  // Moves the WAL into the file when it has grown by checkpoint_pages. Readers are never waited
  // for, except briefly once they have let the WAL grow to four times that. A full disk is no
  // error: what is committed stays safe in the WAL, and the next call tries again.
  void checkpoint_when_due();

  // What was overwritten must not stay in the WAL: empties it now or, while readers need it, with
  // one of the next calls of checkpoint_when_due().
  void empty_wal();

  [[nodiscard]] bool must_empty_wal() const { return must_empty_wal_; }

  // VACUUM: copies every row into a new file, through a temporary one, and back over the WAL.
  void write_anew();

  // Once, before anything of the file is told to anybody: what a killed process had written to the
  // WAL and not synced reads as committed, but a power cut could still take it back. A full disk is
  // no error here either: the WAL is synced first. What could not be done is done by one of the
  // next calls of checkpoint_when_due().
  void settle_wal();

  // Throws what an unexpected result code means.
  // `system_error` for what SQLite does not keep.
  [[noreturn]] void raise(int code, int system_error = 0) const;

 private:
  friend class Query;
  friend class Transaction;

  struct Close {
    void operator()(sqlite3* db) const;
  };

  void set_hard_settings(Access access);

  std::unique_ptr<sqlite3, Close> db_;
  bool is_writer_ = false;
  std::uint32_t checkpoint_pages_ = 0;
  std::uint32_t wal_pages_ = 0;           // after the last commit
  std::uint32_t checkpointed_pages_ = 0;  // of them, when a checkpoint last ran
  bool must_empty_wal_ = false;
};

// A prepared statement, made once and kept. Parameters are borrowed only during one call.
class Query {
 public:
  Query(Connection& connection, std::string_view sql);

  // The result of one run of a query. Resets the statement at the end of its life, which ends the
  // read transaction; one at a time for each statement.
  class Rows {
   public:
    explicit Rows(Query& statement) : statement_(statement) {}

    Rows(const Rows&) = delete;
    Rows& operator=(const Rows&) = delete;
    ~Rows();

    // Goes to the next row; false after the last.
    [[nodiscard]] bool next();

    // Columns count from 0. Bytes and text live until the next call of next().
    [[nodiscard]] std::uint64_t number(int column) const;
    [[nodiscard]] ByteView bytes(int column) const;
    [[nodiscard]] Bytes owned_bytes(int column) const;
    [[nodiscard]] std::string text(int column) const;

    // Throws Damaged when the column does not hold exactly the bytes of an F.
    template <class F>
    [[nodiscard]] F fixed(int column) const {
      const auto value = F::from(bytes(column));
      if (!value) throw Damaged("a stored value has the wrong length");
      return *value;
    }

   private:
    Query& statement_;
  };

  template <class... Values>
  [[nodiscard]] Rows rows(const Values&... values) {
    bind_all(values...);
    return Rows(*this);
  }

  // Runs a statement without result.
  template <class... Values>
  void run(const Values&... values) {
    bind_all(values...);
    run_bound();
  }

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };

  template <class... Values>
  void bind_all(const Values&... values) {
    int parameter = 0;
    (bind(++parameter, values), ...);
  }

  void bind(int parameter, std::uint64_t value);
  void bind(int parameter, ByteView value);
  void bind(int parameter, std::string_view value);

  void bind(int parameter, const Bytes& value) { bind(parameter, ByteView(value)); }

  template <class Tag>
  void bind(int parameter, const Strong<Tag>& value) {
    bind(parameter, value.value);
  }

  template <std::size_t N, class Tag>
  void bind(int parameter, const Fixed<N, Tag>& value) {
    bind(parameter, value.view());
  }

  void run_bound();

  Connection* connection_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

// BEGIN IMMEDIATE … COMMIT; rolls back at the end of its life unless committed. Goes on from
// keep_reading().
class Transaction {
 public:
  explicit Transaction(Connection& connection);
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction();

  // On disk when it returns.
  void commit();

 private:
  Connection& connection_;
};

}  // namespace chapterd
