// The frames of a session, and the parser that finds them in a stream. docs/protocol.md, "Frames".
#pragma once

#include "base/result.h"
#include "base/time.h"
#include "replication/format/audience.h"
#include "replication/format/entry.h"
#include "replication/format/ids.h"

#include <array>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace chapterd {

inline constexpr std::uint16_t protocol_version = 1;
inline constexpr std::size_t cursor_lanes = 3;  // auth, receipts, live

// Where a reader stands in the log of a node.
struct Cursor {
  Epoch epoch;              // of the database whose arrivals these are, 0: none
  std::uint64_t grant = 0;  // what the reader could hold when it was made
  std::array<Arrival, cursor_lanes> arrivals{};

  friend bool operator==(const Cursor&, const Cursor&) = default;
};

// What a node wants to exchange in a session, both ways. What it says less of counts for both.
enum class Lanes : std::uint8_t {
  all = 0,
  statements = 1,    // it was rolled back and waits, or asks for nothing else
  without_bulk = 2,  // statements and receipts: its budget of the day is used up
};

// A head in short form: enough to compare within one bucket.
struct ShortHead {
  std::uint64_t feed = 0;  // first 8 bytes of the feed id
  Sequence seq;
  std::uint32_t hash = 0;  // first 4 bytes of the entry hash
};

struct HelloFrame {
  std::uint16_t version_least = protocol_version;
  std::uint16_t version_most = protocol_version;
  FederationId federation;
  Epoch epoch;               // of the sender's database
  std::vector<Bytes> chain;  // statements up to the sender's node certificate; empty: "you know me"
  Cursor cursor;             // into the receiver's log
  std::uint64_t holds = 0;   // feeds of others that the sender holds
  std::vector<Head> own;     // heads of the sender's own feeds that the receiver may hold
  std::uint64_t budget_bytes = 0;  // most that this session may bring, 0: no limit
  Lanes lanes = Lanes::all;
  std::vector<ShortHead> yours;  // feeds of the receiver's own, as far as the sender holds them
};

// A head of the receiver's own feed as somebody else holds it, with the receiver's own signature.
struct Witness {
  Head head;
  Signature checkpoint;
  Bytes intro;  // of the feed, when the receiver did not name it; else empty
};

struct WelcomeFrame {
  std::uint16_t version = protocol_version;
  Epoch epoch;
  std::vector<Bytes> chain;
  Cursor cursor;  // into the receiver's log
  std::uint64_t holds = 0;
  Instant time;             // for display and warnings only
  std::uint64_t grant = 0;  // name of what the receiver may hold now
  std::array<std::uint64_t, cursor_lanes> waiting_bytes{};
  std::vector<Witness> witness;  // own feeds of the receiver that are further than its HELLO says
  Lanes lanes = Lanes::all;
  std::vector<std::uint64_t> doubts;  // feeds of `yours` to be shown by a WITNESS: short names
};

// One piece in a SEG frame. The first piece of a feed in a session brings the feed's intro.
struct SegmentPiece {
  std::uint32_t feed = 0;  // number that the sender gave the feed in this session
  Bytes intro;             // empty when the number was introduced before
  Bytes piece;
};

// The unpacked content of a SEG frame: pieces of feeds of one audience.
struct Segment {
  Audience audience = Audience::all;
  std::vector<SegmentPiece> pieces;
};

// As it travels: packed on the audience's stream, or plain.
struct SegmentFrame {
  Audience audience = Audience::all;
  bool packed = false;
  bool new_stream = false;  // forget the stream before
  std::uint64_t size = 0;   // of the content, unpacked
  Bytes content;
};

struct MarkFrame {
  std::uint8_t lane = 0;
  Arrival arrival;
};

struct AckFrame {
  std::array<Arrival, cursor_lanes> arrivals{};  // marks whose windows are durable
  std::uint64_t bytes = 0;  // content bytes of SEG and RECEIPTS frames now free again
};

struct ReceiptsFrame {
  std::vector<Bytes> receipts;
};

struct EndFrame {
  std::array<Arrival, cursor_lanes> arrivals{};
  Digest digest;  // over the heads of all feeds that both may hold
};

struct BucketsFrame {
  std::uint64_t salt = 0;
  std::uint8_t bits = 0;  // 2^bits buckets, by the first bits of the feed id
  std::vector<std::uint32_t> hashes;
};

struct HeadsFrame {
  std::uint8_t bits = 0;
  std::vector<std::uint32_t> buckets;  // those that differ, ascending
  std::vector<ShortHead> heads;        // of the feeds in these buckets
};

struct WantFrame {
  struct Want {
    std::uint64_t feed = 0;  // first 8 bytes of the feed id
    Sequence from;
  };

  std::vector<Want> feeds;
};

// Feeds that the receiver may hold from now on, and feeds that it may not hold any more.
struct ScopeFrame {
  std::vector<FeedId> added;
  std::vector<FeedId> removed;
};

struct PingFrame {};

struct PongFrame {};

// Something is wrong with one feed, or (zero feed) with what was asked. The session goes on.
struct FaultFrame {
  FeedId feed;
  std::string code;
};

// The session ends. `retry_after_ms` 0: as the dialler likes.
struct ByeFrame {
  std::string code;
  std::uint64_t retry_after_ms = 0;
};

// Asks to be certified with an invite; the only frame that an unknown node may send.
struct JoinFrame {
  Bytes request;
};

struct JoinedFrame {
  Bytes answer;
};

// Answers the doubts of a WELCOME.
struct WitnessFrame {
  std::vector<Witness> witness;
};

// A type that this program does not know: skipped.
struct UnknownFrame {
  std::uint8_t type = 0;
};

using Frame = std::variant<HelloFrame,
                           WelcomeFrame,
                           SegmentFrame,
                           MarkFrame,
                           AckFrame,
                           ReceiptsFrame,
                           EndFrame,
                           BucketsFrame,
                           HeadsFrame,
                           WantFrame,
                           ScopeFrame,
                           PingFrame,
                           PongFrame,
                           FaultFrame,
                           ByeFrame,
                           JoinFrame,
                           JoinedFrame,
                           WitnessFrame,
                           UnknownFrame>;

// The frame with its length and type in front. CHECKs that it fits limits::frame_bytes.
[[nodiscard]] Bytes encode(const Frame& frame);
[[nodiscard]] Result<Frame> decode_frame(std::uint8_t type, ByteView body);

[[nodiscard]] Bytes encode(const Segment& segment);
[[nodiscard]] Result<Segment> decode_segment(Audience audience, ByteView content);

// Eats arbitrary slices of a stream and hands out whole frames.
class FrameParser {
 public:
  // Keeps a copy of what is not yet a whole frame. At most limits::frame_bytes + 16 are ever kept.
  void append(ByteView slice);
  // The next whole frame; nullopt when more bytes are needed. After an error the stream cannot be
  // followed any more.
  [[nodiscard]] Result<std::optional<Frame>> next();

 private:
  Bytes buffer_;
  std::size_t start_ = 0;
};

}  // namespace chapterd
