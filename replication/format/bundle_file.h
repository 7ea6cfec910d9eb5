// A bundle's file: a signed header, sealed chunks, a signed trailer. docs/protocol.md, "Bundles".
#pragma once

#include "base/random.h"
#include "base/result.h"
#include "base/time.h"
#include "crypto/seal.h"
#include "replication/format/frame.h"
#include "replication/format/limits.h"

#include <optional>
#include <variant>
#include <vector>

namespace chapterd {

enum class BundleKind : std::uint8_t { data = 1, ack = 2 };

using BundleId = Fixed<16, struct BundleIdTag>;                     // shared by the parts of one
using BundleState = Fixed<32, struct BundleStateTag>;               // hash of all that came before
using SealedBundleKey = Fixed<32 + 48, struct SealedBundleKeyTag>;  // seal_to() of a BundleKey

// Seals the chunks of one part; its use of XChaCha20-Poly1305 is that of a chapter's key.
using BundleKey = ChapterKey;

struct BundleRecipient {
  PublicKey node;
  SealedBundleKey key;
};

struct BundleHeader {
  FederationId federation;
  BundleKind kind = BundleKind::data;
  BundleId id;
  PublicKey sender;
  Epoch epoch;                               // of the sender's database
  std::uint64_t grant = 0;                   // what the recipients may hold; 0: not all the same
  Instant written;                           // by the sender's clock
  std::array<Arrival, cursor_lanes> from{};  // where in the sender's log this part begins
  std::uint32_t part = 1;
  std::uint32_t parts = 1;
  std::vector<Bytes> chain;  // statements up to the sender's node certificate
  std::vector<BundleRecipient> recipients;
};

// A header as it stands in the file, signature included. CHECKs the limits.
[[nodiscard]] Bytes sign_bundle_header(const BundleHeader& header, const SigningKey& sender);
// Its signature by the sender's key is checked; whether that key means anything is not.
// Errc::malformed (bundle.none: not a bundle; bundle.damaged), Errc::not_compatible (bundle.newer).
[[nodiscard]] Result<BundleHeader> decode_bundle_header(ByteView bytes);
// The state that the first chunk follows.
[[nodiscard]] BundleState bundle_state(ByteView header);

enum class ChunkEnd : std::uint8_t {
  none = 1,  // the run goes on
  run = 2,   // frames, streams and numbers of feeds begin anew after it
  last = 3,  // also the end of the part
};

struct BundleChunk {
  ChunkEnd end = ChunkEnd::none;
  Bytes sealed;
};

// Moves `state` on. `plain` has 1 to limits::bundle_chunk_bytes.
[[nodiscard]] BundleChunk seal_chunk(
    const BundleKey& key, BundleState& state, ChunkEnd end, ByteView plain, Random& random);
// Errc::check_failed (bundle.damaged) for another key, another place or changed bytes; `state` is
// then as before.
[[nodiscard]] Result<Bytes> open_chunk(const BundleKey& key,
                                       BundleState& state,
                                       const BundleChunk& chunk);
// What follows a chunk, without opening it.
[[nodiscard]] BundleState after_chunk(const BundleState& state, const BundleChunk& chunk);

struct BundleTrailer {
  std::uint64_t chunks = 0;
  std::uint64_t entries = 0;
  std::uint64_t receipts = 0;
  Signature signature;  // by the sender, over the state and the counts
};

[[nodiscard]] BundleTrailer sign_bundle_trailer(BundleTrailer counts,
                                                const BundleState& state,
                                                const SigningKey& sender);
[[nodiscard]] bool verify_bundle_trailer(const BundleTrailer& trailer,
                                         const BundleState& state,
                                         const PublicKey& sender);

[[nodiscard]] Bytes encode(const BundleChunk& chunk);
[[nodiscard]] Bytes encode(const BundleTrailer& trailer);

// What a file is made of, in its order. The header comes as its bytes.
struct BundleHeaderBytes {
  Bytes bytes;
};

using BundleItem = std::variant<BundleHeaderBytes, BundleChunk, BundleTrailer>;

// Eats slices of a file and hands out whole items. Judges their order and lengths, nothing else.
class BundleParser {
 public:
  enum class After { nothing, header };

  // After::header: what is appended begins behind the header.
  explicit BundleParser(After after = After::nothing)
      : expects_(after == After::header ? Expects::chunk : Expects::header) {}

  // Keeps a copy of what is not yet a whole item.
  void append(ByteView slice);
  // nullopt when more bytes are needed. Errors as decode_bundle_header(); the file cannot be
  // followed any more after one.
  [[nodiscard]] Result<std::optional<BundleItem>> next();

  // Bytes that are not yet a whole item.
  [[nodiscard]] std::size_t pending() const { return buffer_.size(); }

  // After the trailer, and nothing behind it.
  [[nodiscard]] bool complete() const { return expects_ == Expects::nothing && buffer_.empty(); }

 private:
  enum class Expects { header, chunk, trailer, nothing };

  [[nodiscard]] Result<std::optional<BundleItem>> next_header();
  [[nodiscard]] Result<std::optional<BundleItem>> next_chunk();
  [[nodiscard]] std::optional<BundleItem> next_trailer();
  Bytes take(std::size_t size);

  Expects expects_;
  Bytes buffer_;
};

}  // namespace chapterd
