// Reading a database from outside, and temporary folders.
#include "daemon/operations/seen_database.h"

#include "daemon/operations/store_trouble.h"
#include "replication/store/sqlite/sqlite_reader.h"
#include "replication/store/sqlite/sqlite_store.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <utility>

namespace chapterd {

std::uint64_t SeenDatabase::entries() const {
  std::uint64_t entries = 0;
  for (const KnownFeed& feed : directory.feeds())
    entries += feed.head.seq.value - feed.fork.seq.value;
  return entries;
}

Result<SeenDatabase> look_into(const std::string& database) {
  try {
    if (auto checked = check_schema(database); !checked) return forward(checked);
    auto reader = open_reader(database);
    auto directory = Directory::load(Snapshot(*reader));
    if (!directory) return forward(directory);
    return SeenDatabase{std::move(reader), std::move(*directory)};
  } catch (const std::exception& thrown) {
    return fail(store_trouble(thrown));
  }
}

Result<ScratchFolder> ScratchFolder::make() {
  std::error_code trouble;
  const auto base = std::filesystem::temp_directory_path(trouble);
  std::string path = (trouble ? std::string("/tmp") : base.string()) + "/chapterd-XXXXXX";
  if (::mkdtemp(path.data()) == nullptr) {
    return fail(Errc::failed, "folder.cannot-make",
                "A temporary folder cannot be made: " + std::string(std::strerror(errno)) + ".",
                "Nothing was changed.", "Name another place for it in TMPDIR.");
  }
  return ScratchFolder(std::move(path));
}

ScratchFolder::ScratchFolder(ScratchFolder&& from) noexcept
    : path_(std::exchange(from.path_, {})) {}

ScratchFolder::~ScratchFolder() {
  if (path_.empty()) return;
  std::error_code trouble;
  std::filesystem::remove_all(path_, trouble);
}

}  // namespace chapterd
