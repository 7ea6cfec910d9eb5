// Files that people name on the command line: read whole within a limit, or made new.
#pragma once

#include "base/result.h"

#include <iosfwd>
#include <string>

namespace chapterd {

// The whole of a file, or of `in` for "-", as UTF-8 text. Errors: cli.no-file (not_found, usage for
// a folder, failed), cli.not-text, cli.too-large (usage).
[[nodiscard]] Result<std::string> read_text_file(const std::string& path, std::istream& in);

// A file that is made before the work whose result it takes, so that no result is left without a
// place. Gone again when nothing was written.
class NewFile {
 public:
  // Readable by its owner only. Errors: cli.file-exists, cli.no-file.
  [[nodiscard]] static Result<NewFile> make(const std::string& path);

  NewFile(NewFile&& from) noexcept;
  NewFile& operator=(NewFile&& from) noexcept;
  ~NewFile();

  // On disk when it returns. Errors: cli.not-written (disk, failed), which says that the command's
  // work itself is done.
  [[nodiscard]] Result<void> write(const std::string& text);

 private:
  NewFile(std::string path, int file) : path_(std::move(path)), file_(file) {}

  std::string path_;
  int file_;  // descriptor; -1 once written or moved from
};

}  // namespace chapterd
