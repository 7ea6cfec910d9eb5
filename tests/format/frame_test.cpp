// Frames: each reads back, none that breaks a rule is taken, and slices do not matter.
#include "replication/format/frame.h"

#include "base/byte_stream.h"
#include "replication/format/limits.h"
#include "tests/crypto/seeded_random.h"
#include "tests/crypto/vectors.h"
#include "tests/format/describe.h"
#include "tests/format/samples.h"

#include <gtest/gtest.h>

namespace chapterd {
namespace {

const samples::World& world() {
  static const samples::World made = samples::make_world();
  return made;
}

// Type and body of an encoded frame.
struct Raw {
  std::uint8_t type;
  Bytes body;
};

Raw taken_apart(const Bytes& bytes) {
  ByteReader in(bytes);
  const std::uint64_t size = in.varint();
  const std::uint8_t type = in.u8();
  EXPECT_EQ(in.remaining(), size);
  return {type, Bytes(in.rest().begin(), in.rest().end())};
}

bool is_free_form(const Frame& frame) {
  return std::holds_alternative<SegmentFrame>(frame) || std::holds_alternative<JoinFrame>(frame) ||
         std::holds_alternative<JoinedFrame>(frame);
}

TEST(Frame, OfEveryTypeIsAmongTheSamples) {
  std::vector<bool> seen(std::variant_size_v<Frame>, false);
  for (const auto& [name, frame] : world().frames) seen[frame.index()] = true;
  seen[std::variant_size_v<Frame> - 1] = true;  // UnknownFrame is never sent
  EXPECT_EQ(std::count(seen.begin(), seen.end(), false), 0);
}

TEST(Frame, ComesBackAsItWas) {
  for (const auto& [name, frame] : world().frames) {
    const Raw raw = taken_apart(encode(frame));
    EXPECT_EQ(raw.type, frame.index() + 1);
    const auto read = decode_frame(raw.type, raw.body);
    ASSERT_TRUE(read) << name;
    EXPECT_EQ(read->index(), frame.index()) << name;
    EXPECT_EQ(describe(*read), describe(frame)) << name;
  }
}

TEST(Frame, IsRefusedWhenItsBodyIsCutAtAnyByte) {
  for (const auto& [name, frame] : world().frames) {
    if (is_free_form(frame)) continue;  // their bodies are what is inside, of any length
    const Raw raw = taken_apart(encode(frame));
    for (std::size_t size = 0; size < raw.body.size(); ++size) {
      EXPECT_FALSE(decode_frame(raw.type, ByteView(raw.body).first(size))) << name << size;
    }
  }
}

TEST(Frame, IsRefusedWithBytesLeftOver) {
  for (const auto& [name, frame] : world().frames) {
    if (is_free_form(frame)) continue;
    Raw raw = taken_apart(encode(frame));
    raw.body.push_back(0);
    EXPECT_FALSE(decode_frame(raw.type, raw.body)) << name;
  }
}

TEST(Frame, WithAnyOtherByteIsRefusedOrReadsBackToExactlyTheseBytes) {
  for (const auto& [name, frame] : world().frames) {
    const Raw raw = taken_apart(encode(frame));
    for (std::size_t at = 0; at < raw.body.size(); ++at) {
      for (unsigned bit = 0; bit < 8; ++bit) {
        Raw other = raw;
        other.body[at] = static_cast<std::uint8_t>(other.body[at] ^ 1U << bit);
        const auto read = decode_frame(other.type, other.body);
        if (read) {
          ASSERT_EQ(taken_apart(encode(*read)).body, other.body) << name << at;
        }
      }
    }
  }
}

TEST(Frame, LongerThan64KiBIsRefused) {
  const std::uint8_t join = 16;
  EXPECT_TRUE(decode_frame(join, Bytes(limits::frame_bytes, 0)));
  EXPECT_FALSE(decode_frame(join, Bytes(limits::frame_bytes + 1, 0)));
}

TEST(Frame, OfTheLargestSizePassesTheParser) {
  const Bytes bytes = encode(Frame(JoinFrame{Bytes(limits::frame_bytes, 7)}));
  FrameParser parser;
  parser.append(bytes);
  const auto frame = parser.next();
  ASSERT_TRUE(frame && *frame);
  EXPECT_EQ(std::get<JoinFrame>(**frame).request.size(), limits::frame_bytes);
}

TEST(Frame, OfAnUnknownTypeIsSkippedWithWhatItHolds) {
  FrameParser parser;
  parser.append(hex("03c8010203"));
  parser.append(encode(Frame(MarkFrame{1, Arrival(5)})));
  const auto unknown = parser.next();
  ASSERT_TRUE(unknown && *unknown);
  EXPECT_EQ(std::get<UnknownFrame>(**unknown).type, 200);
  const auto mark = parser.next();
  ASSERT_TRUE(mark && *mark);
  EXPECT_EQ(std::get<MarkFrame>(**mark).arrival, Arrival(5));
}

TEST(Frame, OfEveryFreeTypeIsSkipped) {
  for (unsigned type = std::variant_size_v<Frame>; type < 256; ++type) {
    const auto read = decode_frame(static_cast<std::uint8_t>(type), hex("0102"));
    ASSERT_TRUE(read) << type;
    EXPECT_EQ(std::get<UnknownFrame>(*read).type, type);
  }
  EXPECT_FALSE(decode_frame(0, {}));
}

TEST(FrameHeads, RefusesBucketsThatDoNotAscendOrDoNotExist) {
  const std::uint8_t heads = 9;
  EXPECT_TRUE(decode_frame(heads, hex("06020003"
                                      "00")));
  EXPECT_FALSE(decode_frame(heads, hex("06020300"
                                       "00")));
  EXPECT_TRUE(decode_frame(heads, hex("06013f"
                                      "00")));
  EXPECT_FALSE(decode_frame(heads, hex("060140"
                                       "00")));
  EXPECT_FALSE(decode_frame(heads, hex("0602008080808010"
                                       "00")));
  EXPECT_FALSE(decode_frame(heads, hex("0e00"
                                       "00")));
}

TEST(FrameBuckets, HoldsExactlyTwoToTheBitsHashes) {
  for (std::uint8_t bits = 0; bits <= 13; ++bits) {
    BucketsFrame frame{1, bits, {}};
    frame.hashes.assign(std::size_t{1} << bits, 9);
    const Raw raw = taken_apart(encode(Frame(frame)));
    EXPECT_TRUE(decode_frame(raw.type, raw.body)) << int{bits};
    EXPECT_FALSE(decode_frame(raw.type, ByteView(raw.body).first(raw.body.size() - 4)));
  }
}

TEST(Segment, ComesBackAsItWas) {
  const auto& plain = std::get<SegmentFrame>(samples::find(world().frames, "SEG, plain"));
  const auto segment = decode_segment(plain.audience, plain.content);
  ASSERT_TRUE(segment);
  EXPECT_EQ(encode(*segment), plain.content);
  ASSERT_EQ(segment->pieces.size(), 2U);
  EXPECT_EQ(segment->pieces[0].intro, world().feeds.front().value.bytes);
  EXPECT_TRUE(segment->pieces[1].intro.empty());
}

TEST(Segment, CutInsideAPieceIsRefused) {
  const auto& plain = std::get<SegmentFrame>(samples::find(world().frames, "SEG, plain"));
  std::size_t accepted = 0;
  for (std::size_t size = 0; size < plain.content.size(); ++size) {
    const auto segment = decode_segment(plain.audience, ByteView(plain.content).first(size));
    if (segment) ++accepted;
  }
  EXPECT_EQ(accepted, 2U);  // no piece, and the first one whole
}

// All frames of the samples as one stream, a skipped one in the middle.
Bytes stream() {
  Bytes all;
  for (const auto& [name, frame] : world().frames) append(all, encode(frame));
  append(all, hex("03c8010203"));
  for (const auto& [name, frame] : world().frames) append(all, encode(frame));
  return all;
}

// What a parser finds when the stream comes in slices.
template <class NextSize>
std::vector<Json> parsed(const Bytes& bytes, NextSize next_size) {
  std::vector<Json> found;
  FrameParser parser;
  ByteView rest = bytes;
  while (!rest.empty()) {
    const std::size_t size = std::min<std::size_t>(next_size(), rest.size());
    parser.append(rest.first(size));
    rest = rest.subspan(size);
    for (auto frame = parser.next(); frame && *frame; frame = parser.next()) {
      found.push_back({(*frame)->index(), describe(**frame)});
    }
  }
  return found;
}

TEST(FrameParser, FindsTheSameFramesByteByByteAsInOnePiece) {
  const Bytes bytes = stream();
  const auto whole = parsed(bytes, [&] { return bytes.size(); });
  EXPECT_EQ(whole.size(), world().frames.size() * 2 + 1);
  EXPECT_EQ(parsed(bytes, [] { return std::size_t{1}; }), whole);
}

TEST(FrameParser, FindsTheSameFramesInAnySlices) {
  const Bytes bytes = stream();
  const auto whole = parsed(bytes, [&] { return bytes.size(); });
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    SeededRandom random(seed);
    EXPECT_EQ(parsed(bytes, [&] { return 1 + random.number() % 700; }), whole) << "seed " << seed;
  }
}

TEST(FrameParser, WaitsForTheRestOfAFrame) {
  const Bytes bytes = encode(world().frames.front().value);
  FrameParser parser;
  for (std::size_t i = 0; i + 1 < bytes.size(); ++i) {
    parser.append(ByteView(bytes).subspan(i, 1));
    const auto frame = parser.next();
    ASSERT_TRUE(frame);
    ASSERT_FALSE(frame->has_value()) << i;
  }
}

TEST(FrameParser, RefusesALengthOverTheLimitAsSoonAsItIsRead) {
  FrameParser parser;
  parser.append(hex("818004"));  // 65,537
  EXPECT_FALSE(parser.next());
}

TEST(FrameParser, RefusesALengthThatNeverEnds) {
  FrameParser parser;
  parser.append(hex("ffffff"));
  EXPECT_FALSE(parser.next());
}

TEST(FrameParser, RefusesALengthThatIsNotInItsShortestForm) {
  FrameParser parser;
  parser.append(hex("81000c00"));
  EXPECT_FALSE(parser.next());
}

TEST(FrameParser, StaysAtAnErrorInsteadOfGuessingWhereTheNextFrameStarts) {
  FrameParser parser;
  parser.append(hex("010c00"));
  EXPECT_FALSE(parser.next());
  parser.append(encode(Frame(PingFrame{})));
  EXPECT_FALSE(parser.next());
}

}  // namespace
}  // namespace chapterd
