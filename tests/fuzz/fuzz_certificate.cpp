// Certificates of peers: a key that is found stands in the bytes as it is, and is found again.
#include "crypto/certificate.h"
#include "tests/fuzz/target.h"

namespace chapterd {
namespace {

void check(ByteView der) {
  const auto key = certificate_key(der);
  if (!key) return;
  CHECK(der.size() <= most_certificate_bytes);
  const auto at = std::search(der.begin(), der.end(), key->bytes.begin(), key->bytes.end());
  CHECK(at != der.end());
  const auto again = certificate_key(der);
  CHECK(again && *again == *key);
}

}  // namespace
}  // namespace chapterd

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  chapterd::check({data, size});
  return 0;
}
