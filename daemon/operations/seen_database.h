// The database of a node, looked at without being opened for work: nothing is written to it, no
// key is needed, and a daemon may be running.
#pragma once

#include "base/result.h"
#include "replication/directory.h"
#include "replication/store/store.h"

#include <cstdint>
#include <memory>
#include <string>

namespace chapterd {

struct SeenDatabase {
  std::unique_ptr<Reader> reader;
  Directory directory;

  // Entries of all feeds.
  [[nodiscard]] std::uint64_t entries() const;
};

// Errors: those of Directory::load(), store.damaged (check_failed) when it cannot be read.
[[nodiscard]] Result<SeenDatabase> look_into(const std::string& database);

// A private folder below the system's temporary one ($TMPDIR), gone at the end.
class ScratchFolder {
 public:
  // Errors: folder.cannot-make.
  [[nodiscard]] static Result<ScratchFolder> make();
  ScratchFolder(ScratchFolder&& from) noexcept;
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  ScratchFolder& operator=(ScratchFolder&&) = delete;
  ~ScratchFolder();

  [[nodiscard]] std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  explicit ScratchFolder(std::string path) : path_(std::move(path)) {}

  std::string path_;
};

}  // namespace chapterd
