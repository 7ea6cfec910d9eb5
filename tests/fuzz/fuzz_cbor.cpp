// CBOR items: what is accepted writes back to the same bytes, whichever way it is read.
#include "replication/format/cbor.h"
#include "replication/format/limits.h"
#include "tests/fuzz/target.h"

namespace chapterd {
namespace {

constexpr std::size_t any = SIZE_MAX;

void copy_item(CborReader& in, CborWriter& out) {
  switch (in.peek()) {
    case CborType::uint:
    case CborType::negative:
      out.integer(in.integer());
      return;
    case CborType::bytes:
      out.bytes(in.bytes(any));
      return;
    case CborType::text:
      out.text(in.text(any));
      return;
    case CborType::boolean:
      out.boolean(in.boolean());
      return;
    case CborType::real:
      out.real(in.real());
      return;
    case CborType::array: {
      const std::uint64_t items = in.array(any);
      out.array(items);
      for (std::uint64_t i = 0; i < items; ++i) copy_item(in, out);
      return;
    }
    case CborType::map: {
      const std::uint64_t pairs = in.map(any);
      out.map(pairs);
      for (std::uint64_t i = 0; i < 2 * pairs; ++i) copy_item(in, out);
      return;
    }
    case CborType::null:
    case CborType::invalid:
      break;
  }
  in.null();
  out.null();
}

void check(ByteView bytes) {
  CborReader whole(bytes);
  const ByteView item = whole.item(limits::depth);
  if (!whole.good()) return;
  CborReader in(item);
  CborWriter out;
  copy_item(in, out);
  CHECK(in.finished());
  CHECK(equal(out.view(), item));
}

}  // namespace
}  // namespace chapterd

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  chapterd::check({data, size});
  return 0;
}
