// Packing and unpacking.
#include "daemon/operations/backup_contents.h"

#include "crypto/guarded.h"
#include "daemon/operations/backup_file.h"
#include "daemon/operations/store_trouble.h"
#include "daemon/operations/verification.h"
#include "replication/store/folder.h"
#include "replication/store/sqlite/sqlite_store.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace chapterd {
namespace {

using Json = nlohmann::json;

constexpr std::string_view key_ending = ".key";

constexpr std::size_t key_part_bytes = 1 + 32;

tl::unexpected<Error> damaged(const std::string& what) {
  return fail(Errc::check_failed, "backup.damaged", what, "The node was not touched.",
              "Take another backup.");
}

// "chapterd.db", "node.key": no folders, nothing hidden.
bool is_plain_name(std::string_view name) {
  constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyz0123456789.-";
  return !name.empty() && name.front() != '.' &&
         name.find_first_not_of(allowed) == std::string_view::npos;
}

class NewFiles {
 public:
  explicit NewFiles(std::string folder) : folder_(std::move(folder)) {}

  NewFiles(const NewFiles&) = delete;
  NewFiles& operator=(const NewFiles&) = delete;

  ~NewFiles() {
    if (file_ >= 0) ::close(file_);
  }

  Result<void> take(std::string_view name, bool begins, ByteView bytes) {
    if (begins) {
      if (auto closed = close(); !closed) return closed;
      path_ = folder_ + std::string(name);
      file_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
      if (file_ < 0) return trouble();
    }
    while (!bytes.empty()) {
      const ssize_t count = ::write(file_, bytes.data(), bytes.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return trouble();
      bytes = bytes.subspan(static_cast<std::size_t>(count));
    }
    return {};
  }

  Result<void> close() {
    if (file_ < 0) return {};
    const bool synced = ::fsync(file_) == 0;
    ::close(std::exchange(file_, -1));
    if (!synced) return trouble();
    return {};
  }

 private:
  [[nodiscard]] tl::unexpected<Error> trouble() const {
    const int code = errno;
    const bool is_disk = code == ENOSPC || code == EDQUOT || code == EROFS;
    return fail(is_disk ? Errc::disk : Errc::failed, "backup.cannot-write",
                path_ + " cannot be written: " + std::strerror(code) + ".",
                "The node was not touched.",
                "Make room on that disk. The place for trying a backup out is named by TMPDIR.");
  }

  std::string folder_;  // with a slash
  std::string path_;
  int file_ = -1;
};

// Each key is so small that it comes in one piece.
Result<void> take_key(KeyParts& keys, std::string_view name, bool begins, ByteView bytes) {
  if (!begins || bytes.size() != key_part_bytes) return damaged("A key in the backup is damaged.");
  GuardedBytes part(key_part_bytes);
  std::ranges::copy(bytes, part.writable().begin());
  keys.insert_or_assign(std::string(name), std::move(part));
  return {};
}

}  // namespace

std::vector<std::string> key_files_in(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code trouble;
  for (const auto& entry : std::filesystem::directory_iterator(folder, trouble)) {
    const std::string name = entry.path().filename().string();
    if (name.ends_with(key_ending) && is_plain_name(name) && entry.is_regular_file(trouble))
      names.push_back(name);
  }
  std::ranges::sort(names);
  return names;
}

Result<Bytes> read_key_part(const std::string& path, const KeySecrets& secrets) {
  for (const KeyPurpose purpose : {KeyPurpose::node, KeyPurpose::authority, KeyPurpose::chapter}) {
    const auto seed = read_seed(path, purpose, secrets);
    if (!seed && seed.error().code == "key.wrong-purpose") continue;
    if (!seed) return forward(seed);
    Bytes part{static_cast<std::uint8_t>(purpose)};
    append(part, seed->view());
    return part;
  }
  return fail(Errc::failed, "key.wrong-purpose", "The key file " + path + " is of no known kind.",
              "It was not touched.", "Take it out of the folder if it does not belong there.");
}

Result<void> write_key_part(const std::string& path,
                            ByteView part,
                            const KeySecrets& secrets,
                            Random& random) {
  if (part.size() != key_part_bytes || part[0] < 1 || part[0] > 3)
    return damaged("A key in the backup is damaged.");
  return write_seed(path, static_cast<KeyPurpose>(part[0]), part.subspan(1), secrets, random);
}

Result<void> unpack_backup(const std::string& path,
                           const std::optional<std::string>& passphrase,
                           const std::string& folder,
                           KeyParts* keys) {
  NewFiles files(folder.ends_with('/') ? folder : folder + "/");
  const auto sink = [&](std::string_view name, bool begins, ByteView bytes) -> Result<void> {
    if (!is_plain_name(name)) return damaged(path + " holds a file that cannot be.");
    if (name.ends_with(key_ending))
      return keys == nullptr ? Result<void>() : take_key(*keys, name, begins, bytes);
    return files.take(name, begins, bytes);
  };
  if (auto read = read_backup(path, passphrase, sink); !read) return read;
  return files.close();
}

Result<Json> check_database(const std::string& copy) {
  try {
    auto store = SqliteStore::open(copy, {});
    if (!store) return forward(store);
    auto directory = Directory::load(Snapshot(**store));
    if (!directory) return forward(directory);
    Verification verification(**store, *directory);
    for (const Json& page : faults_of_file(**store))
      verification.find_in_file("Database file: " + page.get<std::string>());
    verification.run();
    return verification.json();
  } catch (const std::exception& thrown) {
    return fail(store_trouble(thrown));
  }
}

}  // namespace chapterd
