// Pieces: what is accepted encodes to the same bytes, hashes, and joins to another piece.
#include "replication/format/limits.h"
#include "replication/format/piece.h"
#include "tests/fuzz/target.h"

namespace chapterd {
namespace {

void check(ByteView bytes) {
  const auto piece = decode_piece(bytes);
  if (!piece) return;
  CHECK(equal(encode(*piece), bytes));
  CHECK(chain(*piece, {}, {}).size() == piece->entries.size());
  Piece next = *piece;
  next.first = piece->last().next();
  if (!can_join(*piece, next)) return;
  Piece joined = *piece;
  join(joined, next);
  CHECK(joined.entries.size() <= limits::run_entries);
  const Bytes longer = encode(joined);
  CHECK(decode_piece(longer).has_value());
}

}  // namespace
}  // namespace chapterd

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // Nothing longer than a frame ever reaches the decoder.
  if (size <= chapterd::limits::frame_bytes) chapterd::check({data, size});
  return 0;
}
