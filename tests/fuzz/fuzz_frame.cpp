// A stream of frames: the same frames in any slices, and what is accepted encodes to the same
// bytes.
#include "base/byte_stream.h"
#include "replication/format/frame.h"
#include "tests/fuzz/target.h"

namespace chapterd {
namespace {

void check_segment(const SegmentFrame& frame) {
  if (frame.packed) return;
  const auto segment = decode_segment(frame.audience, frame.content);
  if (segment) CHECK(equal(encode(*segment), frame.content));
}

// What is left of `stream` behind its first frame, which must encode to itself.
ByteView behind(const Frame& frame, ByteView stream) {
  if (std::holds_alternative<UnknownFrame>(frame)) {
    ByteReader in(stream);
    const std::uint64_t size = in.varint();
    in.u8();
    in.bytes(size);
    return in.rest();
  }
  if (const auto* segment = std::get_if<SegmentFrame>(&frame)) check_segment(*segment);
  const Bytes again = encode(frame);
  CHECK(again.size() <= stream.size() && equal(again, stream.first(again.size())));
  return stream.subspan(again.size());
}

// Kinds of the frames found, in slices of `step` bytes; 255 at the end for a refused one.
Bytes kinds(ByteView stream, std::size_t step) {
  Bytes found;
  FrameParser parser;
  for (ByteView rest = stream; !rest.empty();) {
    const std::size_t size = std::min(step, rest.size());
    parser.append(rest.first(size));
    rest = rest.subspan(size);
    auto frame = parser.next();
    for (; frame && *frame; frame = parser.next()) {
      found.push_back(static_cast<std::uint8_t>((*frame)->index()));
    }
    if (frame) continue;
    found.push_back(255);
    break;
  }
  return found;
}

void check(ByteView stream) {
  FrameParser parser;
  parser.append(stream);
  ByteView rest = stream;
  for (auto frame = parser.next(); frame && *frame; frame = parser.next()) {
    rest = behind(**frame, rest);
  }
  const Bytes whole = kinds(stream, stream.size());
  if (stream.size() < 512) CHECK(kinds(stream, 1) == whole);
  CHECK(kinds(stream, stream.empty() ? 1 : 1 + stream.front()) == whole);
}

}  // namespace
}  // namespace chapterd

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  chapterd::check({data, size});
  return 0;
}
