// What a chapter's nodes seal: keys for nodes encode to the same bytes; whatever stands in a sealed
// payload opens to at most what a payload may have.
#include "replication/format/limits.h"
#include "replication/format/sealed.h"
#include "tests/crypto/seeded_random.h"
#include "tests/fuzz/target.h"

#include <algorithm>

namespace chapterd {
namespace {

void check_wraps(ByteView bytes) {
  const auto wraps = decode_key_wraps(bytes);
  if (wraps) CHECK(equal(encode(*wraps), bytes));
}

// The bytes stand inside, as somebody who holds the key may put them there.
void check_payload(ByteView inside) {
  static SeededRandom random(1);
  static const ChapterKey key = ChapterKey::generate(random);
  Bytes payload{0, 0, 0, 1};
  append(payload, key.seal(inside, {}, random));
  const auto opened = open_payload(key, payload, {});
  if (opened) CHECK(opened->size() <= std::max(limits::payload_bytes, inside.size()));
}

}  // namespace
}  // namespace chapterd

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > chapterd::limits::frame_bytes) return 0;
  chapterd::check_wraps({data, size});
  if (size > 0) chapterd::check_payload({data, size});
  return 0;
}
