// Everything that is stored, hashed and checked again: what `verify`, backups and doctor ask for.
#pragma once

#include "replication/directory.h"
#include "replication/erasure.h"
#include "replication/format/piece.h"
#include "replication/store/store.h"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace chapterd {

// For one moment of one database. Both handed in must outlive it.
class Verification {
 public:
  Verification(Reader& reader, const Directory& directory)
      : reader_(reader), directory_(directory), erasures_(Erasures::load(reader)) {}

  // Every feed, entry, signature and receipt. What cannot be read is a fault like any other.
  void run();

  // A fault of the database file itself.
  void find_in_file(const std::string& what) { put(nlohmann::json(), 0, what); }

  // {"ok", "feeds", "forked", "entries", "unread", "erased", "found", "faults": [{"feed", "seq",
  // "what"}]}; of the faults the first hundred.
  [[nodiscard]] nlohmann::json json() const;

 private:
  void find(const KnownFeed& feed, Sequence seq, const std::string& what);
  void put(nlohmann::json feed, std::uint64_t seq, const std::string& what);
  void check_feed(const KnownFeed& feed, Head& at);
  bool check_piece(const KnownFeed& feed, const StoredPiece& stored, Head& at);
  void check_payloads(const KnownFeed& feed,
                      const Piece& piece,
                      const std::vector<EntryHash>& hashes);
  void check_checkpoint(const KnownFeed& feed, const Piece& piece, const Head& at);
  void check_receipts(const KnownFeed& feed);
  void check_records();

  Reader& reader_;
  const Directory& directory_;
  const Erasures erasures_;
  std::uint64_t entries_ = 0;
  std::uint64_t erased_ = 0;  // of them, by order or not
  std::uint64_t unread_ = 0;  // entries that the database no longer hands out
  std::uint64_t found_ = 0;   // faults, of which the first are told
  nlohmann::json faults_ = nlohmann::json::array();
};

// Of the database's pages: one sentence a fault. What makes the check itself fail is a fault too,
// and nothing was written.
[[nodiscard]] nlohmann::json faults_of_file(Store& store);

}  // namespace chapterd
