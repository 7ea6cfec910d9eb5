// Slices, signatures, and files that are there as a whole or not at all.
#include "daemon/cli/bundle_walk.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>
#include <variant>

namespace chapterd {
namespace {

constexpr std::size_t slice_bytes = 64 * 1024;

// The name of a file is on disk once its folder is.
void sync_folder_of(const std::string& path) {
  const std::size_t end = path.rfind('/');
  const std::string folder = end == std::string::npos ? "." : path.substr(0, end + 1);
  const int opened = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (opened < 0) return;
  ::fsync(opened);  // some sticks cannot; the file itself is safe
  ::close(opened);
}

Error damaged_end() {
  return {Errc::check_failed, "bundle.damaged",
          "This bundle was changed or damaged on its way: its end does not fit the rest.",
          "Nothing was changed.", "Ask for the file once more."};
}

}  // namespace

Result<std::optional<BundleItem>> BundleWalk::next() {
  for (;;) {
    auto item = parser_.next();
    if (!item || *item) return item;
    Bytes slice(slice_bytes);
    from_.read(reinterpret_cast<char*>(slice.data()), static_cast<std::streamsize>(slice.size()));
    slice.resize(static_cast<std::size_t>(from_.gcount()));
    if (slice.empty()) return std::nullopt;
    bytes_ += slice.size();
    parser_.append(slice);
  }
}

Error bundle_cut_short(const std::string& taken) {
  return {Errc::check_failed, "bundle.incomplete", "This bundle is cut short.", taken,
          "Ask for the file once more; what is held already is passed over."};
}

Result<BundleSight> look_at_bundle(std::istream& from) {
  BundleWalk walk(from);
  auto first = walk.next();
  if (!first) return forward(first);
  if (!*first && walk.bytes() == 0) {
    return fail(Errc::malformed, "bundle.none", "This file is empty.", "Nothing was changed.",
                "Look for the file that 'chapterd bundle write' made.");
  }
  if (!*first) return fail(bundle_cut_short("Nothing was changed."));
  BundleSight sight;
  sight.header_bytes = std::get<BundleHeaderBytes>(**first).bytes;
  auto header = decode_bundle_header(sight.header_bytes);
  if (!header) return forward(header);
  sight.header = std::move(*header);
  BundleState state = bundle_state(sight.header_bytes);
  for (;;) {
    auto item = walk.next();
    sight.bytes = walk.bytes();
    if (!item) sight.damage = item.error();
    if (!item || !*item) return sight;
    if (auto* chunk = std::get_if<BundleChunk>(&**item)) {
      state = after_chunk(state, *chunk);
      ++sight.chunks;
    } else if (auto* trailer = std::get_if<BundleTrailer>(&**item)) {
      const bool fits = trailer->chunks == sight.chunks &&
                        verify_bundle_trailer(*trailer, state, sight.header.sender);
      if (fits) sight.trailer = *trailer;
      if (!fits) sight.damage = damaged_end();
    }
  }
}

Result<BundleSink> BundleSink::open(const std::string& path) {
  struct stat status = {};
  if (::lstat(path.c_str(), &status) == 0) {
    return fail(Errc::failed, "cli.file-exists", "The file “" + path + "” is there already.",
                "It was not changed.", "Choose another name with --out FILE, or remove it first.");
  }
  BundleSink sink(path, -1);
  constexpr int owner_only = 0600;
  const int file = ::open(sink.temporary().c_str(),
                          O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, owner_only);
  if (file < 0) return sink.trouble(errno);
  sink.file_ = file;
  return sink;
}

BundleSink::BundleSink(BundleSink&& from) noexcept
    : path_(from.path_), file_(std::exchange(from.file_, -1)) {}

BundleSink::~BundleSink() {
  if (file_ < 0) return;
  ::close(file_);
  ::unlink(temporary().c_str());
}

tl::unexpected<Error> BundleSink::trouble(int reason) const {
  const bool full = reason == ENOSPC || reason == EDQUOT || reason == EFBIG;
  return fail(full ? Errc::disk : Errc::failed, full ? "cli.disk-full" : "cli.no-file",
              "The file “" + path_ + "” cannot be written: " + std::strerror(reason) + ".",
              "Nothing was left there; the work itself is safe.",
              full ? "Free some space there, or write parts with --limit BYTES."
                   : "Check its name and whether you may use it.");
}

Result<void> BundleSink::write(ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(file_, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return trouble(count < 0 ? errno : EIO);
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
  return {};
}

Result<void> BundleSink::finish() {
  if (::fsync(file_) != 0) return trouble(errno);
  std::ifstream again(temporary(), std::ios::binary);
  const auto sight = look_at_bundle(again);
  if (!sight || sight->damage || !sight->trailer) {
    return fail(Errc::failed, "bundle.not-kept",
                "“" + path_ + "” could not be read back as it was written.",
                "Nothing was left there; the work itself is safe.",
                "Try another disk or stick; this one may be failing.");
  }
  if (::rename(temporary().c_str(), path_.c_str()) != 0) return trouble(errno);
  ::close(std::exchange(file_, -1));
  sync_folder_of(path_);
  return {};
}

}  // namespace chapterd
