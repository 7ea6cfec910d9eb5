// Making, checking and locking the data folder; files that survive a crash in one piece.
#include "replication/store/folder.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace chapterd {

namespace {

constexpr const char* unchanged = "Nothing was changed.";

// A file descriptor that is closed at the end of its life.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}

  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }

  [[nodiscard]] int number() const { return number_; }

  [[nodiscard]] bool is_open() const { return number_ >= 0; }

  [[nodiscard]] int release() { return std::exchange(number_, -1); }

 private:
  int number_;
};

bool is_disk_trouble(int code) {
  return code == ENOSPC || code == EDQUOT || code == EROFS;
}

Error trouble(const char* name, const std::string& what, int code) {
  return Error(is_disk_trouble(code) ? Errc::disk : Errc::failed, name,
               what + ": " + std::strerror(code) + ".", unchanged,
               "Check the path, who owns it, and whether its disk is full or read-only.");
}

Error open_to_others(const std::string& path) {
  return Error(Errc::not_allowed, "folder.open-to-others",
               "Other users of this machine can read or write " + path + ".", unchanged,
               "Close it with: chmod 700 '" + path + "'");
}

Error in_use(const std::string& path, const std::string& process) {
  std::string holder = "another process";
  if (!process.empty()) holder = "process " + process;
  return Error(
      Errc::failed, "folder.in-use", "The data folder " + path + " is in use by " + holder + ".",
      "That process goes on undisturbed.", "Talk to the running daemon instead, or stop it first.");
}

// As `mkdir -p`, each new folder with mode 0700.
Result<void> make_folder(const std::string& path) {
  for (std::size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
    const std::string part = path.substr(0, end);
    if (::mkdir(part.c_str(), 0700) != 0 && errno != EEXIST) {
      return fail(trouble("folder.cannot-make", "The folder " + part + " cannot be made", errno));
    }
    if (end == std::string::npos) return {};
  }
}

Result<void> check_private(const std::string& path) {
  struct stat status = {};
  if (::stat(path.c_str(), &status) != 0) {
    if (errno == ENOENT) {
      return fail(Errc::not_found, "folder.missing", "There is no data folder " + path + ".",
                  unchanged, "Name the right folder, or set a node up with: chapterd init");
    }
    return fail(trouble("folder.cannot-open", "The folder " + path + " cannot be opened", errno));
  }
  if (!S_ISDIR(status.st_mode)) {
    return fail(trouble("folder.cannot-open", path + " cannot be the data folder", ENOTDIR));
  }
  if ((status.st_mode & 077) != 0) return fail(open_to_others(path));
  return {};
}

// The number of the process that holds the lock, empty when it has not written it (yet).
std::string holder_of(int lock) {
  char text[20] = {};
  const ssize_t count = ::pread(lock, text, sizeof text, 0);
  std::string process(text, count > 0 ? static_cast<std::size_t>(count) : 0);
  process.erase(std::find_if(process.begin(), process.end(),
                             [](char digit) { return digit < '0' || digit > '9'; }),
                process.end());
  return process;
}

// Only tells the next one who it is that holds the lock, so failing to write it is no failure.
void write_holder(int lock) {
  const std::string process = std::to_string(::getpid()) + "\n";
  if (::ftruncate(lock, 0) != 0) return;
  [[maybe_unused]] const ssize_t count = ::pwrite(lock, process.data(), process.size(), 0);
}

// 0, or the error number.
int write_all(int file, ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(file, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno;
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
  return 0;
}

// Writes a file of its own and waits until it is on disk. 0, or the error number.
int write_new(const std::string& path, ByteView bytes) {
  // A file that an earlier crash left may have another mode, or be somebody's link.
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return errno;
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file.is_open()) return errno;
  if (const int code = write_all(file.number(), bytes); code != 0) return code;
  return ::fsync(file.number()) == 0 ? 0 : errno;
}

Error cannot_write(const std::string& path, int code) {
  const char* name = is_disk_trouble(code) ? "file.disk-full" : "file.cannot-write";
  return trouble(name, "The file " + path + " cannot be written", code);
}

}  // namespace

Result<DataFolder> DataFolder::open(const std::string& path, Create create) {
  if (create == Create::yes) {
    if (const auto made = make_folder(path); !made) return forward(made);
  }
  if (const auto checked = check_private(path); !checked) return forward(checked);
  const std::string name = path + "/lock";
  Descriptor lock(::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!lock.is_open()) {
    return fail(trouble("folder.cannot-open", "The file " + name + " cannot be opened", errno));
  }
  if (::flock(lock.number(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return fail(in_use(path, holder_of(lock.number())));
    return fail(trouble("folder.cannot-open", "The file " + name + " cannot be locked", errno));
  }
  write_holder(lock.number());
  return DataFolder(path, lock.release());
}

DataFolder::DataFolder(DataFolder&& from) noexcept
    : path_(std::move(from.path_)), lock_(std::exchange(from.lock_, -1)) {}

DataFolder& DataFolder::operator=(DataFolder&& from) noexcept {
  std::swap(path_, from.path_);
  std::swap(lock_, from.lock_);
  return *this;
}

DataFolder::~DataFolder() {
  if (lock_ >= 0) ::close(lock_);  // which gives the lock back; the file stays
}

Result<Bytes> read_file(const std::string& path, std::size_t most_bytes) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file.is_open() && errno == ENOENT) {
    return fail(Errc::not_found, "file.missing", "There is no file " + path + ".", unchanged);
  }
  if (!file.is_open()) return fail(trouble("file.cannot-read", path + " cannot be read", errno));
  Bytes bytes(most_bytes + 1);
  std::size_t size = 0;
  while (size < bytes.size()) {
    const ssize_t count = ::read(file.number(), bytes.data() + size, bytes.size() - size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(trouble("file.cannot-read", path + " cannot be read", errno));
    if (count == 0) break;
    size += static_cast<std::size_t>(count);
  }
  if (size > most_bytes) {
    return fail(Errc::malformed, "file.too-large",
                path + " is larger than " + std::to_string(most_bytes) + " bytes.", unchanged,
                "Check that this is the right file.");
  }
  bytes.resize(size);
  return bytes;
}

Result<void> write_file_durably(const std::string& path, ByteView bytes) {
  const std::string made = path + ".new";
  int code = write_new(made, bytes);
  if (code == 0 && std::rename(made.c_str(), path.c_str()) != 0) code = errno;
  if (code != 0) {
    ::unlink(made.c_str());
    return fail(cannot_write(path, code));
  }
  if (!sync_folder_of(path)) return fail(cannot_write(path, errno));
  return {};
}

bool sync_folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string name = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const Descriptor folder(::open(name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return folder.is_open() && ::fsync(folder.number()) == 0;
}

}  // namespace chapterd
