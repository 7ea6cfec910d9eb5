// Descriptors, for a stream says too little about what went wrong.
#include "daemon/cli/files.h"

#include "replication/format/cbor.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <istream>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace chapterd {
namespace {

constexpr std::size_t longest_text = std::size_t{64} << 20U;
constexpr std::size_t slice_bytes = std::size_t{64} << 10U;

tl::unexpected<Error> no_file(const std::string& path, int reason) {
  constexpr const char* safe = "Nothing was done.";
  if (reason == EISDIR) {
    return fail(Errc::usage, "cli.no-file", "“" + path + "” is a folder, not a file.", safe,
                "Name the file in it.");
  }
  return fail(reason == ENOENT ? Errc::not_found : Errc::failed, "cli.no-file",
              "The file “" + path + "” cannot be opened: " + std::strerror(reason) + ".",  // NOLINT
              safe, "Check its name and whether you may use it.");
}

// By then the command has done its work.
tl::unexpected<Error> not_written(const std::string& path, int reason) {
  const bool is_disk =
      reason == ENOSPC || reason == EDQUOT || reason == EROFS || reason == EFBIG || reason == EIO;
  return fail(
      is_disk ? Errc::disk : Errc::failed, "cli.not-written",
      "The file “" + path + "” cannot be written: " + std::strerror(reason) + ".",  // NOLINT
      "What the command did is done; only the file is missing.",
      "Name a file on another disk, or - to have it shown here.");
}

tl::unexpected<Error> too_large(const std::string& path) {
  return fail(Errc::usage, "cli.too-large",
              "“" + path + "” is larger than " + std::to_string(longest_text >> 20U) + " MiB.",
              "Nothing was done.", "Check that this is the right file.");
}

// One byte more than is allowed when there is more. 0, or the error number.
int read_whole(int file, std::string& text) {
  std::array<char, slice_bytes> slice{};
  while (text.size() <= longest_text) {
    const ssize_t count = ::read(file, slice.data(), slice.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno;
    if (count == 0) return 0;
    text.append(slice.data(), static_cast<std::size_t>(count));
  }
  return 0;
}

Result<std::string> read_named(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return no_file(path, errno);
  std::string text;
  const int trouble = read_whole(file, text);
  ::close(file);
  if (trouble != 0) return no_file(path, trouble);
  return text;
}

std::string read_stream(std::istream& in) {
  std::array<char, slice_bytes> slice{};
  std::string text;
  while (text.size() <= longest_text && in) {
    in.read(slice.data(), slice.size());
    text.append(slice.data(), static_cast<std::size_t>(in.gcount()));
  }
  return text;
}

// 0, or the error number.
int write_all(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(file, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return ::fsync(file) == 0 ? 0 : errno;
}

}  // namespace

Result<std::string> read_text_file(const std::string& path, std::istream& in) {
  auto text = path == "-" ? Result<std::string>(read_stream(in)) : read_named(path);
  if (!text) return text;
  if (text->size() > longest_text) return too_large(path);
  if (is_utf8(*text)) return text;
  return fail(Errc::usage, "cli.not-text", "“" + path + "” is not a text in UTF-8.",
              "Nothing was done.", "Save it as plain text with the encoding UTF-8.");
}

Result<NewFile> NewFile::make(const std::string& path) {
  constexpr int owner_only = 0600;
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, owner_only);
  if (file >= 0) return NewFile(path, file);
  if (errno != EEXIST) return no_file(path, errno);
  return fail(Errc::failed, "cli.file-exists", "The file “" + path + "” is there already.",
              "It was not changed, and nothing was done.",
              "Choose another name with --out FILE, or remove it first.");
}

NewFile::NewFile(NewFile&& from) noexcept
    : path_(std::move(from.path_)), file_(std::exchange(from.file_, -1)) {}

NewFile& NewFile::operator=(NewFile&& from) noexcept {
  std::swap(path_, from.path_);
  std::swap(file_, from.file_);
  return *this;
}

NewFile::~NewFile() {
  if (file_ < 0) return;
  ::close(file_);
  ::unlink(path_.c_str());
}

Result<void> NewFile::write(const std::string& text) {
  if (const int trouble = write_all(file_, text); trouble != 0) return not_written(path_, trouble);
  ::close(std::exchange(file_, -1));
  return {};
}

}  // namespace chapterd
