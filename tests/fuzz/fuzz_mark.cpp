// Export marks: what is accepted encodes to the same bytes, and the verdict over two of them never
// takes an older database for the same.
#include "crypto/hash.h"
#include "replication/store/high_water.h"
#include "tests/fuzz/target.h"

namespace chapterd {
namespace {

constexpr std::size_t mark_bytes = 33;
constexpr std::size_t check_at = mark_bytes - 8;

// The check is put right first, since no amount of trying would.
Bytes with_right_check(ByteView bytes) {
  Bytes mark(bytes.begin(), bytes.end());
  const Digest right = hash("chapterd/instance/1", bytes.first(check_at));
  std::copy_n(right.bytes.begin(), mark_bytes - check_at, mark.begin() + check_at);
  return mark;
}

std::optional<ExportMark> decoded(ByteView bytes) {
  const auto mark = decode_export_mark(bytes);
  if (!mark) return std::nullopt;
  CHECK(equal(encode(*mark), bytes));
  return *mark;
}

void check(ByteView bytes) {
  static_cast<void>(decoded(bytes));
  if (bytes.size() != 2 * mark_bytes) return;
  const auto file = decoded(with_right_check(bytes.first(mark_bytes)));
  const auto database = decoded(with_right_check(bytes.last(mark_bytes)));
  const MarkVerdict verdict = compare_marks(file, database);
  if (verdict != MarkVerdict::same) return;
  CHECK(file && database);
  CHECK(file->token == database->token && file->number <= database->number);
}

}  // namespace
}  // namespace chapterd

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  chapterd::check({data, size});
  return 0;
}
