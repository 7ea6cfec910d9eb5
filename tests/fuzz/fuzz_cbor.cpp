// CBOR items: what is accepted writes back to the same bytes, whichever way it is read.
#include "replication/format/cbor.h"
#include "replication/format/limits.h"
#include "tests/fuzz/target.h"
#include "tests/support/copy_item.h"

namespace chapterd {
namespace {

void check(ByteView bytes) {
  CborReader whole(bytes);
  const ByteView item = whole.item(limits::depth);
  if (!whole.good()) return;
  CborReader in(item);
  CborWriter out;
  testing::copy_item(in, out);
  CHECK(in.finished());
  CHECK(equal(out.view(), item));
}

}  // namespace
}  // namespace chapterd

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  chapterd::check({data, size});
  return 0;
}
