// Feed intros: what is accepted encodes to the same bytes.
#include "replication/format/feed.h"
#include "tests/fuzz/target.h"

namespace chapterd {
namespace {

void check(ByteView bytes) {
  const auto intro = decode_feed_intro(bytes);
  if (!intro) return;
  CHECK((intro->audience == Audience::to) == intro->target.has_value());
  CHECK(equal(encode(*intro), bytes));
}

}  // namespace
}  // namespace chapterd

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  chapterd::check({data, size});
  return 0;
}
