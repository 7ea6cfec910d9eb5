// Packed blocks, as [packed length u8][size u16][packed bytes] again and again on one stream: never
// more than declared, and what comes out can be packed and unpacked again.
#include "base/byte_stream.h"
#include "replication/format/limits.h"
#include "replication/format/packing.h"
#include "tests/fuzz/target.h"

namespace chapterd {
namespace {

void check(ByteView bytes) {
  ByteReader in(bytes);
  Unpacker unpacker;
  Packer packer;
  Unpacker other;
  while (in.good() && in.remaining() > 0) {
    const std::uint8_t length = in.u8();
    const std::uint16_t size = in.u16();
    const ByteView packed = in.bytes(length);
    if (!in.good()) return;
    const auto block = unpacker.unpack(packed, size);
    if (!block) return;
    CHECK(block->size() == size);
    CHECK(size <= limits::frame_bytes && size <= packed.size() * limits::frame_ratio);
    const auto again = other.unpack(packer.pack(*block), size);
    // A block of one byte many times over packs better than a peer may: the sender sends it plain.
    if (again) CHECK(*again == *block);
  }
}

}  // namespace
}  // namespace chapterd

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  chapterd::check({data, size});
  return 0;
}
