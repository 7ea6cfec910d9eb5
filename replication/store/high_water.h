// The export mark: by it a node notices that its database was rolled back, which the database
// itself cannot know.
//
// Two copies of one mark: in the database, and in the small file `instance` beside it. Both bear
// the token of this life of the database and a number that only grows. It is raised with the first
// own entry after a start, with each thousand own entries and when the node is closed: first in the
// database, in the transaction of the entries themselves, then in the file. So a database whose
// number is smaller than the file's was put back to an older state, whatever happened in between.
//
// Limit: a database put back alone, after a crash, to a state of the same run and the same thousand
// is noticed only when the node meets its parent.
//
// The file also keeps the statements that revoke nodes, so that no older database can un-see them.
//
// File `instance`, mode 0600; the value in the database is the mark alone:
//
//   mark      version   u8         01
//             token     bytes[16]  random, new after each restore
//             number    u64        0 until both copies are there
//             check     bytes[8]   of H256("chapterd/instance/1\0" | all before it)
//   revoked   version   u8         01                        (absent in files of older programs)
//             count     varint
//             count ×   sized      a statement, at most 16 KiB
//             check     bytes[8]   of H256("chapterd/instance-revoked/1\0" | version to the last)
//
// Each part is judged by itself: a damaged list costs no incarnation, a damaged mark no revocation.
#pragma once

#include "base/bytes.h"
#include "base/result.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace chapterd {

using InstanceToken = Fixed<16, struct InstanceTokenTag>;

struct ExportMark {
  InstanceToken token;
  std::uint64_t number = 0;

  friend bool operator==(const ExportMark&, const ExportMark&) = default;
};

// Statements of revocation in the file: the first ones that fit, more are in the database only.
inline constexpr std::size_t most_revoked_bytes = 1024 * 1024;

[[nodiscard]] Bytes encode(const ExportMark& mark);
// Errc::malformed (instance.damaged).
[[nodiscard]] Result<ExportMark> decode_export_mark(ByteView bytes);

// What the two copies say together.
enum class MarkVerdict {
  fresh,         // a node that had no mark yet, or whose first one was cut short: nothing has left
  same,          // the database is at least as new as the file
  rolled_back,   // the file has seen a newer database
  file_missing,  // the database was copied without its file, or the file is damaged
  other_pair,    // the file belongs to another life of the database
};

[[nodiscard]] MarkVerdict compare_marks(const std::optional<ExportMark>& file,
                                        const std::optional<ExportMark>& database);

// Where the copy outside the database is kept. Writer thread only.
class MarkKeeper {
 public:
  virtual ~MarkKeeper() = default;
  // Nothing when there is none, or when it is damaged. Throws Broken when it cannot be read.
  [[nodiscard]] virtual std::optional<ExportMark> read() = 0;
  // The statements beside it, as they were handed to write(). None when that part is missing or
  // damaged. Throws Broken when the file cannot be read.
  [[nodiscard]] virtual std::vector<Bytes> read_revocations() = 0;
  // On disk when it returns true; false when the disk is full: then the old ones are still there.
  // Throws Broken.
  [[nodiscard]] virtual bool write(const ExportMark& mark,
                                   const std::vector<Bytes>& revocations) = 0;
};

class MarkFile final : public MarkKeeper {
 public:
  explicit MarkFile(std::string path) : path_(std::move(path)) {}

  [[nodiscard]] std::optional<ExportMark> read() override;
  [[nodiscard]] std::vector<Bytes> read_revocations() override;
  [[nodiscard]] bool write(const ExportMark& mark, const std::vector<Bytes>& revocations) override;

 private:
  [[nodiscard]] Bytes read_all() const;

  std::string path_;
};

}  // namespace chapterd
