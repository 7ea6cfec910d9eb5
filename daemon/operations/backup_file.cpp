// Reading and writing backups, a chunk at a time.
#include "daemon/operations/backup_file.h"

#include "base/byte_stream.h"
#include "crypto/guarded.h"
#include "crypto/hash.h"
#include "crypto/key_file.h"
#include "replication/store/folder.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace chapterd {
namespace {

constexpr std::string_view magic = "chapterd backup\n";
constexpr std::uint8_t version = 1;
constexpr std::uint8_t unprotected = 0;
constexpr std::uint8_t by_passphrase = 2;
constexpr std::size_t chunk_bytes = 1024 * 1024;
constexpr std::size_t most_name = 100;
constexpr std::size_t most_head = 64 * 1024;
constexpr std::size_t most_chunk = chunk_bytes + most_name + 10 + seal_overhead_bytes;
constexpr std::size_t most_opening = magic.size() + 2 + key_file_bytes + 2 + most_head + 4;
constexpr const char* unchanged = "The node was not touched.";

Error cannot_write(const std::string& path, int code) {
  const bool is_disk = code == ENOSPC || code == EDQUOT || code == EROFS;
  return {is_disk ? Errc::disk : Errc::failed, "backup.cannot-write",
          "The backup " + path + " cannot be written: " + std::strerror(code) + ".", unchanged,
          "Check the path and the room on that disk, or name another place with --out."};
}

tl::unexpected<Error> not_one(const std::string& path) {
  return fail(Errc::malformed, "backup.not-one", path + " is no backup of chapterd.", unchanged,
              "Check that this is the right file.");
}

tl::unexpected<Error> damaged(const std::string& path) {
  return fail(Errc::check_failed, "backup.damaged",
              path + " is damaged or was not written to its end.", unchanged,
              "Take another backup; this one cannot be relied on.");
}

Bytes context_of(const Digest& head, std::uint64_t number, std::uint8_t type) {
  ByteWriter out;
  out.bytes(as_bytes("chapterd/backup-chunk/1")).u8(0).fixed(head).u64(number).u8(type);
  return out.take();
}

// Follows no link, closes itself.
class File {
 public:
  explicit File(const std::string& path) : file_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}

  File(const File&) = delete;
  File& operator=(const File&) = delete;

  ~File() {
    if (file_ >= 0) ::close(file_);
  }

  [[nodiscard]] bool is_open() const { return file_ >= 0; }

  // As many as there are, at most `most`; fewer only at the end or when reading fails.
  [[nodiscard]] Bytes read(std::size_t most) {
    Bytes bytes(most);
    std::size_t size = 0;
    while (size < most) {
      const ssize_t count = ::read(file_, bytes.data() + size, most - size);
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) break;
      size += static_cast<std::size_t>(count);
    }
    bytes.resize(size);
    return bytes;
  }

  bool seek(std::size_t at) { return ::lseek(file_, static_cast<off_t>(at), SEEK_SET) >= 0; }

 private:
  int file_;
};

struct Opening {
  std::uint8_t protection = unprotected;
  Bytes key;
  std::string head;
  Digest digest;
  std::size_t size = 0;  // where the chunks begin
};

Result<Opening> read_opening(const std::string& path, File& file) {
  if (!file.is_open()) {
    return fail(Errc::not_found, "backup.missing", "There is no file " + path + " to be read.",
                unchanged, "Check the path.");
  }
  const Bytes bytes = file.read(most_opening);
  ByteReader in(bytes);
  if (as_text(in.bytes(std::min(magic.size(), bytes.size()))) != magic) return not_one(path);
  if (in.u8() != version) {
    return fail(Errc::not_compatible, "backup.newer",
                path + " was written by a newer program than this one.", unchanged,
                "Install the newer program.");
  }
  Opening opening;
  opening.protection = in.u8();
  const ByteView key = in.sized_bytes(key_file_bytes);
  opening.key.assign(key.begin(), key.end());
  opening.head = std::string(in.sized_text(most_head));
  const bool is_known = opening.protection == unprotected || opening.protection == by_passphrase;
  if (!in.good() || !is_known) return damaged(path);
  opening.size = bytes.size() - in.remaining();
  opening.digest = hash("chapterd/backup-head/1", ByteView(bytes).first(opening.size));
  return opening;
}

Result<ChapterKey> key_of(const Opening& opening, const std::optional<std::string>& passphrase) {
  if (opening.protection == unprotected) return ChapterKey::from_secret(opening.key);
  if (!passphrase) {
    return fail(Errc::usage, "backup.passphrase", "This backup is sealed with a passphrase.",
                unchanged, "Give the file that holds it: --passphrase-file FILE");
  }
  Unwrapping unwrapping;
  unwrapping.passphrase = *passphrase;
  auto seed = decode_key_file(KeyPurpose::backup, opening.key, unwrapping);
  if (!seed) return forward(seed);
  ChapterKey key = ChapterKey::from_secret(*seed);
  wipe(*seed);
  return key;
}

}  // namespace

// --- writing ---

Result<BackupWriter> BackupWriter::create(const std::string& path,
                                          std::string_view head,
                                          const std::optional<std::string>& passphrase,
                                          Random& random) {
  const std::string made = path + ".new";
  ::unlink(made.c_str());
  const int file = ::open(made.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file < 0) return fail(cannot_write(path, errno));
  BackupWriter writer(path, file, ChapterKey::generate(random), random);
  ByteWriter out;
  out.bytes(as_bytes(magic)).u8(version).u8(passphrase ? by_passphrase : unprotected);
  if (passphrase) {
    const auto wrapping = Wrapping::with_passphrase(*passphrase);
    out.sized_bytes(encode_key_file(KeyPurpose::backup, writer.key_.secret(), wrapping, random));
  } else {
    out.sized_bytes(writer.key_.secret());
  }
  out.sized_text(head);
  writer.head_ = hash("chapterd/backup-head/1", out.view());
  if (auto written = writer.write(out.view()); !written) return forward(written);
  return writer;
}

BackupWriter::BackupWriter(BackupWriter&& from) noexcept
    : path_(std::move(from.path_)),
      file_(std::exchange(from.file_, -1)),
      key_(std::move(from.key_)),
      random_(from.random_),
      head_(from.head_),
      chunks_(from.chunks_),
      size_(from.size_) {}

BackupWriter::~BackupWriter() {
  if (file_ < 0) return;
  ::close(file_);
  ::unlink((path_ + ".new").c_str());
}

Result<void> BackupWriter::write(ByteView bytes) {
  size_ += bytes.size();
  while (!bytes.empty()) {
    const ssize_t count = ::write(file_, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(cannot_write(path_, errno));
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
  return {};
}

Result<void> BackupWriter::chunk(std::string_view name, bool begins, bool ends, ByteView bytes) {
  const std::uint8_t type = ends ? 2 : 1;
  ByteWriter plain;
  plain.sized_text(name).u8(begins ? 1 : 0).bytes(bytes);
  const Bytes sealed = key_.seal(plain.view(), context_of(head_, chunks_++, type), random_);
  ByteWriter out;
  out.u32(static_cast<std::uint32_t>(sealed.size())).u8(type).bytes(sealed);
  return write(out.view());
}

Result<void> BackupWriter::add(std::string_view name, ByteView bytes) {
  return chunk(name, true, false, bytes);
}

Result<void> BackupWriter::add_file(std::string_view name, const std::string& path) {
  File file(path);
  if (!file.is_open()) return fail(cannot_write(path, errno));
  for (bool begins = true;; begins = false) {
    const Bytes bytes = file.read(chunk_bytes);
    if (auto written = chunk(name, begins, false, bytes); !written) return written;
    if (bytes.size() < chunk_bytes) return {};
  }
}

Result<std::uint64_t> BackupWriter::finish() {
  if (auto written = chunk("", false, true, {}); !written) return forward(written);
  if (::fsync(file_) != 0) return fail(cannot_write(path_, errno));
  const std::string made = path_ + ".new";
  // What the disk gives back is what counts.
  File file(made);
  const auto opening = read_opening(made, file);
  if (!opening || !file.seek(opening->size)) return damaged(made);
  for (std::uint64_t number = 0; number < chunks_; ++number) {
    const Bytes head = file.read(5);
    if (head.size() != 5) return damaged(made);
    ByteReader in(head);
    const std::uint32_t size = in.u32();
    const std::uint8_t type = in.u8();
    if (size > most_chunk || !key_.open(file.read(size), context_of(head_, number, type)))
      return damaged(made);
  }
  if (::rename(made.c_str(), path_.c_str()) != 0) return fail(cannot_write(path_, errno));
  ::close(std::exchange(file_, -1));
  if (!sync_folder_of(path_)) return fail(cannot_write(path_, errno));
  return size_;
}

// --- reading ---

Result<BackupHead> read_backup_head(const std::string& path) {
  File file(path);
  const auto opening = read_opening(path, file);
  if (!opening) return forward(opening);
  return BackupHead{opening->head, opening->protection == by_passphrase};
}

Result<void> read_backup(const std::string& path,
                         const std::optional<std::string>& passphrase,
                         const BackupSink& sink) {
  File file(path);
  const auto opening = read_opening(path, file);
  if (!opening) return forward(opening);
  if (opening->protection == unprotected && opening->key.size() != ChapterKey::key_size)
    return damaged(path);
  const auto key = key_of(*opening, passphrase);
  if (!key) return forward(key);
  if (!file.seek(opening->size)) return damaged(path);
  for (std::uint64_t number = 0;; ++number) {
    const Bytes head = file.read(5);
    if (head.size() != 5) return damaged(path);
    ByteReader in(head);
    const std::uint32_t size = in.u32();
    const std::uint8_t type = in.u8();
    if (size > most_chunk) return damaged(path);
    auto plain = key->open(file.read(size), context_of(opening->digest, number, type));
    if (!plain) return damaged(path);
    if (type == 2) return file.read(1).empty() ? Result<void>() : Result<void>(damaged(path));
    ByteReader content(*plain);
    const std::string name(content.sized_text(most_name));
    const bool begins = content.u8() == 1;
    if (!content.good()) return damaged(path);
    auto taken = sink(name, begins, content.bytes(content.remaining()));
    wipe(*plain);  // it may have been a key
    if (!taken) return taken;
  }
}

}  // namespace chapterd
