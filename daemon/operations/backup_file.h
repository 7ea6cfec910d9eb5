// A backup as one file: what it holds, in the clear, then the files of a node, sealed.
//
//   file    = "chapterd backup\n" (16 bytes) | version u8, 1 | protection u8 (0 none, 2 passphrase)
//           | key sized (0: 32 bytes; 2: a key file for the passphrase, crypto/key_file.h)
//           | head sized (JSON: whose, when, how much; readable without the passphrase) | chunk*
//   chunk   = size u32 | type u8 (1 goes on, 2 ends the file) | sealed bytes
//   plain   = name sized | begins u8 | bytes of the file of this name (to the end of the chunk)
//   context = "chapterd/backup-chunk/1\0" | H256("chapterd/backup-head/1\0" | all before the
//   chunks)
//           | number of the chunk u64, from 0 | type u8
//
// Without a passphrase the key lies in the file: sealing then only proves that nothing was changed
// by accident, and the file is as secret as the folder that it was made of.
#pragma once

#include "base/bytes.h"
#include "base/random.h"
#include "base/result.h"
#include "crypto/hash.h"
#include "crypto/seal.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace chapterd {

// Writes beside the name under which the file appears at the end. One thread.
class BackupWriter {
 public:
  // Errors: backup.cannot-write (failed or disk).
  [[nodiscard]] static Result<BackupWriter> create(const std::string& path,
                                                   std::string_view head,
                                                   const std::optional<std::string>& passphrase,
                                                   Random& random);
  BackupWriter(BackupWriter&& from) noexcept;
  BackupWriter(const BackupWriter&) = delete;
  BackupWriter& operator=(const BackupWriter&) = delete;
  BackupWriter& operator=(BackupWriter&&) = delete;
  // Takes an unfinished file away.
  ~BackupWriter();

  // A whole small file, or one read from disk.
  [[nodiscard]] Result<void> add(std::string_view name, ByteView bytes);
  [[nodiscard]] Result<void> add_file(std::string_view name, const std::string& path);

  // On disk, read once more to its end, and there under its own name when this returns its size.
  [[nodiscard]] Result<std::uint64_t> finish();

 private:
  BackupWriter(std::string path, int file, ChapterKey key, Random& random)
      : path_(std::move(path)), file_(file), key_(std::move(key)), random_(random) {}

  Result<void> write(ByteView bytes);
  Result<void> chunk(std::string_view name, bool begins, bool ends, ByteView bytes);

  std::string path_;
  int file_;
  ChapterKey key_;
  Random& random_;
  Digest head_;
  std::uint64_t chunks_ = 0;
  std::uint64_t size_ = 0;
};

struct BackupHead {
  std::string text;
  bool is_sealed = false;  // by a passphrase
};

// Errors: backup.missing (not_found), backup.not-one, backup.newer (not_compatible).
[[nodiscard]] Result<BackupHead> read_backup_head(const std::string& path);

// One piece after the other; `begins` with the first piece of each file.
using BackupSink = std::function<Result<void>(std::string_view name, bool begins, ByteView bytes)>;

// Errors beside those of read_backup_head() and of the sink: backup.passphrase (usage: one is
// needed), those of decode_key_file() for a wrong one, backup.damaged (check_failed). What was
// handed to the sink before is right as far as it goes.
[[nodiscard]] Result<void> read_backup(const std::string& path,
                                       const std::optional<std::string>& passphrase,
                                       const BackupSink& sink);

}  // namespace chapterd
