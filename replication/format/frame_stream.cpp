// Frames in a stream, and the content of SEG frames.
#include "base/byte_stream.h"
#include "replication/format/frame.h"
#include "replication/format/limits.h"

namespace chapterd {
namespace {

constexpr std::size_t longest_length = 3;  // a varint up to limits::frame_bytes

tl::unexpected<Error> malformed(const char* what) {
  return fail(Errc::malformed, "format.frame", what);
}

}  // namespace

Bytes encode(const Segment& segment) {
  ByteWriter out(limits::frame_bytes);
  for (const SegmentPiece& piece : segment.pieces) {
    out.varint(static_cast<std::uint64_t>(piece.feed) << 1U | (piece.intro.empty() ? 0U : 1U));
    if (!piece.intro.empty()) out.sized_bytes(piece.intro);
    out.sized_bytes(piece.piece);
  }
  return out.take();
}

Result<Segment> decode_segment(Audience audience, ByteView content) {
  Segment segment;
  segment.audience = audience;
  ByteReader in(content);
  while (in.good() && in.remaining() > 0) {
    SegmentPiece piece;
    const std::uint64_t number = in.varint();
    if (number >> 1U >= limits::session_feeds) in.mark_bad();
    piece.feed = static_cast<std::uint32_t>(number >> 1U);
    if ((number & 1U) != 0) {
      const ByteView intro = in.sized_bytes(limits::intro_bytes);
      if (intro.empty()) in.mark_bad();
      piece.intro.assign(intro.begin(), intro.end());
    }
    const ByteView body = in.sized_bytes(in.remaining());
    if (body.empty()) in.mark_bad();
    piece.piece.assign(body.begin(), body.end());
    segment.pieces.push_back(std::move(piece));
  }
  if (!in.finished()) return malformed("The content of a SEG frame is cut short.");
  return segment;
}

void FrameParser::append(ByteView slice) {
  if (start_ > 0 && start_ == buffer_.size()) {
    buffer_.clear();
    start_ = 0;
  }
  chapterd::append(buffer_, slice);
}

Result<std::optional<Frame>> FrameParser::next() {
  const ByteView rest = ByteView(buffer_).subspan(start_);
  ByteReader in(rest);
  const std::uint64_t size = in.varint();
  if (!in.good()) {
    if (rest.size() >= longest_length) return malformed("The length of a frame is malformed.");
    return std::nullopt;
  }
  if (size > limits::frame_bytes) return malformed("A frame is longer than allowed.");
  const std::uint8_t type = in.u8();
  const ByteView body = in.bytes(size);
  if (!in.good()) {
    if (start_ > 0) {  // move the beginning of a frame to the front, once a frame
      buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(start_));
      start_ = 0;
    }
    return std::nullopt;
  }
  auto frame = decode_frame(type, body);
  if (!frame) return forward(frame);
  start_ += rest.size() - in.remaining();
  return std::optional<Frame>(std::move(*frame));
}

}  // namespace chapterd
