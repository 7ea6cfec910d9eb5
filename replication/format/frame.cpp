// Bytes of frames: varint length of the body, one byte of type, body.
#include "replication/format/frame.h"

#include "base/byte_stream.h"
#include "base/contract.h"
#include "replication/format/cbor.h"
#include "replication/format/limits.h"

namespace chapterd {
namespace {

constexpr std::size_t longest_length = 3;  // a varint up to limits::frame_bytes

// Numbers on the wire are places in the variant, from 1: a new frame goes before UnknownFrame.
constexpr std::uint8_t unknown_type = std::variant_size_v<Frame>;

tl::unexpected<Error> malformed(const char* what) {
  return fail(Errc::malformed, "format.frame", what);
}

template <class T, std::size_t N>
void write_numbers(ByteWriter& out, const std::array<T, N>& numbers) {
  for (const auto& number : numbers) {
    if constexpr (std::is_integral_v<T>) {
      out.varint(number);
    } else {
      out.varint(number.value);
    }
  }
}

std::array<Arrival, cursor_lanes> read_arrivals(ByteReader& in) {
  std::array<Arrival, cursor_lanes> arrivals;
  for (Arrival& arrival : arrivals) arrival = Arrival(in.varint());
  return arrivals;
}

void write_blobs(ByteWriter& out, const std::vector<Bytes>& blobs) {
  out.varint(blobs.size());
  for (const Bytes& blob : blobs) out.sized_bytes(blob);
}

std::vector<Bytes> read_blobs(ByteReader& in, std::size_t most, std::size_t most_bytes) {
  const std::uint64_t count = in.varint();
  if (count > most) in.mark_bad();
  std::vector<Bytes> blobs;
  for (std::uint64_t i = 0; i < count && in.good(); ++i) {
    const ByteView blob = in.sized_bytes(most_bytes);
    blobs.emplace_back(blob.begin(), blob.end());
  }
  return blobs;
}

void write_cursor(ByteWriter& out, const Cursor& cursor) {
  out.u64(cursor.epoch.value).u64(cursor.grant);
  write_numbers(out, cursor.arrivals);
}

Cursor read_cursor(ByteReader& in) {
  Cursor cursor;
  cursor.epoch = Epoch(in.u64());
  cursor.grant = in.u64();
  cursor.arrivals = read_arrivals(in);
  return cursor;
}

void write_head(ByteWriter& out, const Head& head) {
  out.fixed(head.feed).varint(head.seq.value).fixed(head.hash);
}

Head read_head(ByteReader& in) {
  Head head;
  head.feed = in.fixed<FeedId>();
  head.seq = Sequence(in.varint());
  head.hash = in.fixed<EntryHash>();
  return head;
}

// A list whose items take at least `least` bytes each, so that its length can be checked first.
template <class T, class ReadItem>
std::vector<T> read_list(ByteReader& in, std::size_t least, ReadItem read_item) {
  const std::uint64_t count = in.varint();
  if (count > in.remaining() / least) in.mark_bad();
  std::vector<T> items;
  if (in.good()) items.reserve(count);
  for (std::uint64_t i = 0; i < count && in.good(); ++i) items.push_back(read_item(in));
  return items;
}

void write_short_heads(ByteWriter& out, const std::vector<ShortHead>& heads) {
  out.varint(heads.size());
  for (const ShortHead& head : heads) out.u64(head.feed).varint(head.seq.value).u32(head.hash);
}

std::vector<ShortHead> read_short_heads(ByteReader& in) {
  return read_list<ShortHead>(in, 13, [](ByteReader& from) {
    ShortHead head;
    head.feed = from.u64();
    head.seq = Sequence(from.varint());
    head.hash = from.u32();
    return head;
  });
}

void write_witnesses(ByteWriter& out, const std::vector<Witness>& witnesses) {
  out.varint(witnesses.size());
  for (const Witness& witness : witnesses) {
    write_head(out, witness.head);
    out.fixed(witness.checkpoint).sized_bytes(witness.intro);
  }
}

std::vector<Witness> read_witnesses(ByteReader& in) {
  return read_list<Witness>(in, 130, [](ByteReader& from) {
    Witness witness;
    witness.head = read_head(from);
    witness.checkpoint = from.fixed<Signature>();
    const ByteView intro = from.sized_bytes(limits::intro_bytes);
    witness.intro.assign(intro.begin(), intro.end());
    return witness;
  });
}

Lanes read_lanes(ByteReader& in) {
  const std::uint8_t lanes = in.u8();
  if (lanes > static_cast<std::uint8_t>(Lanes::without_bulk)) in.mark_bad();
  return Lanes{lanes};
}

// --- one pair of functions a frame, in order of the variant ---

void write(ByteWriter& out, const HelloFrame& frame) {
  out.u16(frame.version_least)
      .u16(frame.version_most)
      .fixed(frame.federation)
      .u64(frame.epoch.value);
  write_blobs(out, frame.chain);
  write_cursor(out, frame.cursor);
  out.varint(frame.holds).varint(frame.own.size());
  for (const Head& head : frame.own) write_head(out, head);
  out.varint(frame.budget_bytes).u8(static_cast<std::uint8_t>(frame.lanes));
  write_short_heads(out, frame.yours);
}

void read(ByteReader& in, HelloFrame& frame) {
  frame.version_least = in.u16();
  frame.version_most = in.u16();
  frame.federation = in.fixed<FederationId>();
  frame.epoch = Epoch(in.u64());
  frame.chain = read_blobs(in, limits::chain_statements, limits::statement_bytes);
  frame.cursor = read_cursor(in);
  frame.holds = in.varint();
  frame.own = read_list<Head>(in, 65, read_head);
  frame.budget_bytes = in.varint();
  frame.lanes = read_lanes(in);
  frame.yours = read_short_heads(in);
}

void write(ByteWriter& out, const WelcomeFrame& frame) {
  out.u16(frame.version).u64(frame.epoch.value);
  write_blobs(out, frame.chain);
  write_cursor(out, frame.cursor);
  out.varint(frame.holds).u64(static_cast<std::uint64_t>(frame.time.ms)).u64(frame.grant);
  write_numbers(out, frame.waiting_bytes);
  write_witnesses(out, frame.witness);
  out.u8(static_cast<std::uint8_t>(frame.lanes)).varint(frame.doubts.size());
  for (const std::uint64_t feed : frame.doubts) out.u64(feed);
}

void read(ByteReader& in, WelcomeFrame& frame) {
  frame.version = in.u16();
  frame.epoch = Epoch(in.u64());
  frame.chain = read_blobs(in, limits::chain_statements, limits::statement_bytes);
  frame.cursor = read_cursor(in);
  frame.holds = in.varint();
  frame.time = Instant{static_cast<std::int64_t>(in.u64())};
  frame.grant = in.u64();
  for (std::uint64_t& bytes : frame.waiting_bytes) bytes = in.varint();
  frame.witness = read_witnesses(in);
  frame.lanes = read_lanes(in);
  frame.doubts = read_list<std::uint64_t>(in, 8, [](ByteReader& from) { return from.u64(); });
}

void write(ByteWriter& out, const SegmentFrame& frame) {
  out.u8(static_cast<std::uint8_t>(frame.audience));
  out.u8(static_cast<std::uint8_t>((frame.packed ? 1 : 0) | (frame.new_stream ? 2 : 0)));
  out.varint(frame.size).bytes(frame.content);
}

void read(ByteReader& in, SegmentFrame& frame) {
  const auto audience = audience_from(in.u8());
  const std::uint8_t flags = in.u8();
  if (!audience || flags > 3) in.mark_bad();
  frame.audience = audience.value_or(Audience::auth);
  frame.packed = (flags & 1U) != 0;
  frame.new_stream = (flags & 2U) != 0;
  frame.size = in.varint();
  const ByteView content = in.bytes(in.remaining());
  frame.content.assign(content.begin(), content.end());
  if (!frame.packed && frame.size != content.size()) in.mark_bad();
}

void write(ByteWriter& out, const MarkFrame& frame) {
  out.u8(frame.lane).varint(frame.arrival.value);
}

void read(ByteReader& in, MarkFrame& frame) {
  frame.lane = in.u8();
  if (frame.lane >= cursor_lanes) in.mark_bad();
  frame.arrival = Arrival(in.varint());
}

void write(ByteWriter& out, const AckFrame& frame) {
  write_numbers(out, frame.arrivals);
  out.varint(frame.bytes);
}

void read(ByteReader& in, AckFrame& frame) {
  frame.arrivals = read_arrivals(in);
  frame.bytes = in.varint();
}

void write(ByteWriter& out, const ReceiptsFrame& frame) {
  write_blobs(out, frame.receipts);
}

void read(ByteReader& in, ReceiptsFrame& frame) {
  frame.receipts = read_blobs(in, limits::list_items, 256);
}

void write(ByteWriter& out, const EndFrame& frame) {
  write_numbers(out, frame.arrivals);
  out.fixed(frame.digest);
}

void read(ByteReader& in, EndFrame& frame) {
  frame.arrivals = read_arrivals(in);
  frame.digest = in.fixed<Digest>();
}

void write(ByteWriter& out, const BucketsFrame& frame) {
  out.u64(frame.salt).u8(frame.bits);
  for (const std::uint32_t bucket : frame.hashes) out.u32(bucket);
}

void read(ByteReader& in, BucketsFrame& frame) {
  frame.salt = in.u64();
  frame.bits = in.u8();
  if (frame.bits > limits::bucket_bits || in.remaining() != 4ULL << frame.bits) in.mark_bad();
  while (in.good() && in.remaining() > 0) frame.hashes.push_back(in.u32());
}

void write(ByteWriter& out, const HeadsFrame& frame) {
  out.u8(frame.bits).varint(frame.buckets.size());
  std::uint32_t last = 0;
  for (const std::uint32_t bucket : frame.buckets) {
    out.varint(bucket - last);
    last = bucket;
  }
  write_short_heads(out, frame.heads);
}

void read(ByteReader& in, HeadsFrame& frame) {
  frame.bits = in.u8();
  if (frame.bits > limits::bucket_bits) in.mark_bad();
  const std::uint64_t buckets = in.good() ? 1ULL << frame.bits : 0;
  std::uint64_t least = 0;  // of the next bucket; steps are at least 1 after the first
  std::uint64_t last = 0;
  frame.buckets = read_list<std::uint32_t>(in, 1, [&](ByteReader& from) {
    const std::uint64_t step = from.varint();
    if (step < least || step >= buckets - last) from.mark_bad();
    least = 1;
    last += step;
    return static_cast<std::uint32_t>(last);
  });
  frame.heads = read_short_heads(in);
}

void write(ByteWriter& out, const WantFrame& frame) {
  out.varint(frame.feeds.size());
  for (const auto& want : frame.feeds) out.u64(want.feed).varint(want.from.value);
}

void read(ByteReader& in, WantFrame& frame) {
  frame.feeds = read_list<WantFrame::Want>(in, 9, [](ByteReader& from) {
    const std::uint64_t feed = from.u64();
    return WantFrame::Want{feed, Sequence(from.varint())};
  });
}

void write(ByteWriter& out, const ScopeFrame& frame) {
  for (const auto* feeds : {&frame.added, &frame.removed}) {
    out.varint(feeds->size());
    for (const FeedId& feed : *feeds) out.fixed(feed);
  }
}

void read(ByteReader& in, ScopeFrame& frame) {
  const auto read_feed = [](ByteReader& from) { return from.fixed<FeedId>(); };
  frame.added = read_list<FeedId>(in, FeedId::size, read_feed);
  frame.removed = read_list<FeedId>(in, FeedId::size, read_feed);
}

void write(ByteWriter& /*out*/, const PingFrame& /*frame*/) {}

void read(ByteReader& /*in*/, PingFrame& /*frame*/) {}

void write(ByteWriter& /*out*/, const PongFrame& /*frame*/) {}

void read(ByteReader& /*in*/, PongFrame& /*frame*/) {}

void write(ByteWriter& out, const FaultFrame& frame) {
  out.fixed(frame.feed).sized_text(frame.code);
}

void read(ByteReader& in, FaultFrame& frame) {
  frame.feed = in.fixed<FeedId>();
  frame.code = in.sized_text(limits::name_bytes);
  if (!is_utf8(frame.code)) in.mark_bad();
}

void write(ByteWriter& out, const ByeFrame& frame) {
  out.sized_text(frame.code).varint(frame.retry_after_ms);
}

void read(ByteReader& in, ByeFrame& frame) {
  frame.code = in.sized_text(limits::name_bytes);
  if (!is_utf8(frame.code)) in.mark_bad();
  frame.retry_after_ms = in.varint();
}

void write(ByteWriter& out, const JoinFrame& frame) {
  out.bytes(frame.request);
}

void read(ByteReader& in, JoinFrame& frame) {
  const ByteView all = in.bytes(in.remaining());
  frame.request.assign(all.begin(), all.end());
}

void write(ByteWriter& out, const JoinedFrame& frame) {
  out.bytes(frame.answer);
}

void read(ByteReader& in, JoinedFrame& frame) {
  const ByteView all = in.bytes(in.remaining());
  frame.answer.assign(all.begin(), all.end());
}

void write(ByteWriter& out, const WitnessFrame& frame) {
  write_witnesses(out, frame.witness);
}

void read(ByteReader& in, WitnessFrame& frame) {
  frame.witness = read_witnesses(in);
}

void write(ByteWriter& /*out*/, const UnknownFrame& /*frame*/) {
  UNREACHABLE("an unknown frame is never sent");
}

// Decodes the alternative of the variant whose number is `type`.
template <std::size_t N = 0>
bool read_alternative(std::uint8_t type, ByteReader& in, Frame& frame) {
  if constexpr (N + 1 < std::variant_size_v<Frame>) {
    if (type == N + 1) {
      read(in, frame.emplace<N>());
      return in.finished();
    }
    return read_alternative<N + 1>(type, in, frame);
  }
  frame = UnknownFrame{type};
  return true;
}

}  // namespace

Bytes encode(const Frame& frame) {
  ByteWriter body;
  std::visit([&](const auto& each) { write(body, each); }, frame);
  CHECK(body.size() <= limits::frame_bytes);
  ByteWriter out(body.size() + longest_length + 1);
  out.varint(body.size()).u8(static_cast<std::uint8_t>(frame.index() + 1)).bytes(body.view());
  return out.take();
}

Result<Frame> decode_frame(std::uint8_t type, ByteView body) {
  if (body.size() > limits::frame_bytes) return malformed("A frame is too long.");
  static_assert(unknown_type < 128);
  Frame frame;
  ByteReader in(body);
  if (type == 0 || !read_alternative(type, in, frame))
    return malformed("A frame breaks the rules of its type.");
  return frame;
}

}  // namespace chapterd
