// Erase orders: what is accepted encodes to the same bytes.
#include "replication/format/erase_order.h"
#include "tests/fuzz/target.h"

namespace chapterd {
namespace {

void check(ByteView bytes) {
  const auto order = decode_erase_order(bytes);
  if (!order) return;
  CHECK(equal(encode(*order), bytes));
  static_cast<void>(verify_erase_order(FederationId{}, bytes, PublicKey{}));
}

}  // namespace
}  // namespace chapterd

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  chapterd::check({data, size});
  return 0;
}
