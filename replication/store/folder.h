// The data folder: private, locked by one process, and the place of every file of a node.
#pragma once

#include "base/bytes.h"
#include "base/result.h"

#include <cstdint>
#include <string>

namespace chapterd {

enum class Create { yes, no };

// Holds the folder's lock for as long as it lives. Thread-safe: nothing changes after open().
class DataFolder {
 public:
  // Errors: folder.missing (not_found), folder.open-to-others (not_allowed), folder.in-use
  // (failed: another process holds the lock; it names the process when it can),
  // folder.cannot-make, folder.cannot-open (disk or failed). With Create::yes the folder and
  // missing ones above it are made with mode 0700.
  [[nodiscard]] static Result<DataFolder> open(const std::string& path, Create create);

  DataFolder(DataFolder&& from) noexcept;
  DataFolder& operator=(DataFolder&& from) noexcept;
  ~DataFolder();

  [[nodiscard]] const std::string& path() const { return path_; }

  [[nodiscard]] std::string database() const { return path_ + "/chapterd.db"; }

  [[nodiscard]] std::string node_key() const { return path_ + "/node.key"; }

  [[nodiscard]] std::string authority_key() const { return path_ + "/authority.key"; }

  // A new authority key that waits for its successor statement to take effect.
  [[nodiscard]] std::string next_authority_key() const { return path_ + "/authority.key.next"; }

  // What opens the chapter's keys, and with them its private data.
  [[nodiscard]] std::string chapter_key() const { return path_ + "/chapter.key"; }

  // The instance token and export mark, by which a rolled-back database is noticed.
  [[nodiscard]] std::string instance() const { return path_ + "/instance"; }

 private:
  DataFolder(std::string path, int lock) : path_(std::move(path)), lock_(lock) {}

  std::string path_;
  int lock_;  // descriptor; -1 once moved from
};

// The whole file. Errors: file.missing (not_found), file.too-large (malformed) when it has more
// than `most_bytes`, file.cannot-read (failed). Follows no symbolic link.
[[nodiscard]] Result<Bytes> read_file(const std::string& path, std::size_t most_bytes);

// Replaces the file in one step, with mode 0600, and returns once file and name are on disk: after
// a crash there is the old file or the new one. Errors: file.disk-full (disk), file.cannot-write
// (failed); the old file is then still there, unless only the last fsync, that of the folder,
// failed. One thread a file: the temporary name is the file's with ".new" behind it.
[[nodiscard]] Result<void> write_file_durably(const std::string& path, ByteView bytes);

// Waits until the names in the folder of this file are on disk. False, with errno, when that fails.
[[nodiscard]] bool sync_folder_of(const std::string& path);

}  // namespace chapterd
