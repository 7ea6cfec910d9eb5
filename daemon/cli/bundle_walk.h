// Bundles as files: read slice by slice, written under a temporary name.
#pragma once

#include "replication/format/bundle_file.h"

#include <istream>
#include <optional>
#include <string>

namespace chapterd {

// Hands out the items of a file without ever holding all of it.
class BundleWalk {
 public:
  // Must outlive it.
  explicit BundleWalk(std::istream& from) : from_(from) {}

  // nullopt at the end of the file, whether the bundle is complete or not.
  [[nodiscard]] Result<std::optional<BundleItem>> next();

  [[nodiscard]] bool complete() const { return parser_.complete(); }

  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

 private:
  std::istream& from_;
  BundleParser parser_;
  std::uint64_t bytes_ = 0;
};

// What a file says of itself to whoever holds it, without any key.
struct BundleSight {
  BundleHeader header;
  Bytes header_bytes;
  std::uint64_t bytes = 0;
  std::uint64_t chunks = 0;
  std::optional<BundleTrailer> trailer;  // once it is reached and signed by the sender
  std::optional<Error> damage;           // what stopped it
};

// Errors: those of decode_bundle_header(), bundle.incomplete when not even the header is whole.
[[nodiscard]] Result<BundleSight> look_at_bundle(std::istream& from);

// "bundle.incomplete" for a file that ends too early.
[[nodiscard]] Error bundle_cut_short(const std::string& taken);

// A file that appears whole or not at all.
class BundleSink {
 public:
  // Errors: cli.file-exists, cli.no-file.
  [[nodiscard]] static Result<BundleSink> open(const std::string& path);

  BundleSink(BundleSink&& from) noexcept;
  BundleSink& operator=(BundleSink&&) = delete;
  ~BundleSink();  // removes what was not finished

  // Errors: cli.disk-full (disk), cli.no-file.
  [[nodiscard]] Result<void> write(ByteView bytes);
  // On disk, read again and found whole, then renamed. Errors beside those of write():
  // bundle.not-kept when the disk gives back other bytes.
  [[nodiscard]] Result<void> finish();

 private:
  BundleSink(std::string path, int file) : path_(std::move(path)), file_(file) {}

  [[nodiscard]] std::string temporary() const { return path_ + ".new"; }

  [[nodiscard]] tl::unexpected<Error> trouble(int reason) const;

  std::string path_;
  int file_;  // -1 once moved from or finished
};

}  // namespace chapterd
