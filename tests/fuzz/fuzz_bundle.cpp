// A bundle's file in any slices: the same items, and what is accepted encodes to the same bytes.
#include "replication/format/bundle_file.h"
#include "tests/fuzz/target.h"

namespace chapterd {
namespace {

// All items of the file, as their bytes.
Bytes items(ByteView file, std::size_t step) {
  Bytes found;
  BundleParser parser;
  for (ByteView rest = file; !rest.empty();) {
    const std::size_t size = std::min(step, rest.size());
    parser.append(rest.first(size));
    rest = rest.subspan(size);
    auto item = parser.next();
    for (; item && *item; item = parser.next()) {
      if (const auto* header = std::get_if<BundleHeaderBytes>(&**item)) {
        append(found, header->bytes);
        static_cast<void>(decode_bundle_header(header->bytes));
      }
      if (const auto* chunk = std::get_if<BundleChunk>(&**item)) append(found, encode(*chunk));
      if (const auto* end = std::get_if<BundleTrailer>(&**item)) append(found, encode(*end));
    }
    if (!item) break;
  }
  return found;
}

void check(ByteView file) {
  const Bytes whole = items(file, file.size());
  CHECK(whole.size() <= file.size() && equal(whole, file.first(whole.size())));
  if (file.size() < 512) CHECK(items(file, 1) == whole);
}

}  // namespace
}  // namespace chapterd

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  chapterd::check({data, size});
  return 0;
}
