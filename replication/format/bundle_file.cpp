// Bytes of a bundle's file.
#include "replication/format/bundle_file.h"

#include "base/byte_stream.h"
#include "base/contract.h"
#include "crypto/hash.h"

#include <algorithm>

namespace chapterd {
namespace {

constexpr std::string_view magic = "chapterd bundle\n";
constexpr std::uint8_t version = 1;
constexpr std::size_t prefix_bytes = 16 + 1 + 4;  // magic, version, length of the rest
constexpr std::size_t chunk_head_bytes = 1 + 4;
constexpr std::uint8_t trailer_type = 4;
constexpr std::size_t trailer_bytes = 1 + 3 * 8 + Signature::size;
constexpr std::string_view chunk_label{"chapterd/bundle-chunk/1\0", 24};
constexpr std::string_view head_label{"chapterd/bundle/1\0", 18};
constexpr std::string_view end_label{"chapterd/bundle-end/1\0", 22};

constexpr const char* nothing_changed = "Nothing was changed.";

tl::unexpected<Error> not_a_bundle() {
  return fail(Errc::malformed, "bundle.none", "This file is not a bundle.", nothing_changed,
              "Look for the file that 'chapterd bundle write' made.");
}

tl::unexpected<Error> newer() {
  return fail(Errc::not_compatible, "bundle.newer",
              "This bundle was written by a newer version of chapterd.", nothing_changed,
              "Update this node, then read it again.");
}

tl::unexpected<Error> damaged(const char* what) {
  return fail(Errc::malformed, "bundle.damaged", what,
              "Whatever was read before this place is kept; nothing damaged was.",
              "Ask for the file once more.");
}

Bytes signed_message(std::string_view label, ByteView message) {
  Bytes out;
  append(out, as_bytes(label));
  append(out, message);
  return out;
}

Bytes chunk_context(const BundleState& state, ChunkEnd end) {
  ByteWriter out;
  return out.bytes(as_bytes(chunk_label)).fixed(state).u8(static_cast<std::uint8_t>(end)).take();
}

Bytes trailer_message(const BundleTrailer& trailer, const BundleState& state) {
  ByteWriter out;
  out.bytes(as_bytes(end_label)).fixed(state);
  return out.u64(trailer.chunks).u64(trailer.entries).u64(trailer.receipts).take();
}

std::size_t sealed_size(ByteView head) {
  return ByteReader(head.subspan(1)).u32();
}

// Bytes of the rest that a header's first bytes announce; an error when they begin no header.
Result<std::size_t> announced(ByteView prefix) {
  if (!std::ranges::equal(prefix.first(magic.size()), as_bytes(magic))) return not_a_bundle();
  ByteReader in(prefix.subspan(magic.size()));
  if (in.u8() != version) return newer();
  const std::size_t size = in.u32();
  if (size < Signature::size || size > limits::bundle_header_bytes)
    return damaged("The header of this bundle is damaged.");
  return size;
}

BundleHeader read_body(ByteReader& in) {
  BundleHeader header;
  header.federation = in.fixed<FederationId>();
  const std::uint8_t kind = in.u8();
  if (kind != 1 && kind != 2) in.mark_bad();
  header.kind = static_cast<BundleKind>(kind);
  header.id = in.fixed<BundleId>();
  if (in.u8() != algorithm_ed25519) in.mark_bad();
  header.sender = in.fixed<PublicKey>();
  header.epoch = Epoch(in.u64());
  header.grant = in.u64();
  header.written = Instant{static_cast<std::int64_t>(in.u64())};
  for (Arrival& from : header.from) from = Arrival(in.varint());
  header.part = in.u32();
  header.parts = in.u32();
  if (header.part == 0 || header.part > header.parts) in.mark_bad();
  const std::uint64_t statements = in.varint();
  if (statements == 0 || statements > limits::chain_statements) in.mark_bad();
  for (std::uint64_t i = 0; i < statements && in.good(); ++i) {
    const ByteView statement = in.sized_bytes(limits::statement_bytes);
    header.chain.emplace_back(statement.begin(), statement.end());
  }
  const std::uint8_t recipients = in.u8();
  if (recipients == 0 || recipients > limits::bundle_recipients) in.mark_bad();
  for (unsigned i = 0; i < recipients && in.good(); ++i) {
    if (in.u8() != algorithm_ed25519) in.mark_bad();
    BundleRecipient recipient;
    recipient.node = in.fixed<PublicKey>();
    recipient.key = in.fixed<SealedBundleKey>();
    header.recipients.push_back(recipient);
  }
  return header;
}

Bytes body_of(const BundleHeader& header) {
  ByteWriter out;
  out.fixed(header.federation).u8(static_cast<std::uint8_t>(header.kind)).fixed(header.id);
  out.u8(algorithm_ed25519).fixed(header.sender).u64(header.epoch.value).u64(header.grant);
  out.u64(static_cast<std::uint64_t>(header.written.ms));
  for (const Arrival from : header.from) out.varint(from.value);
  out.u32(header.part).u32(header.parts).varint(header.chain.size());
  for (const Bytes& statement : header.chain) out.sized_bytes(statement);
  out.u8(static_cast<std::uint8_t>(header.recipients.size()));
  for (const BundleRecipient& recipient : header.recipients)
    out.u8(algorithm_ed25519).fixed(recipient.node).fixed(recipient.key);
  return out.take();
}

}  // namespace

Bytes sign_bundle_header(const BundleHeader& header, const SigningKey& sender) {
  CHECK(!header.recipients.empty() && header.recipients.size() <= limits::bundle_recipients);
  CHECK(!header.chain.empty() && header.chain.size() <= limits::chain_statements);
  CHECK(header.sender == sender.public_key());
  const Bytes body = body_of(header);
  const Bytes message = signed_message(head_label, body);
  ByteWriter out(prefix_bytes + body.size() + Signature::size);
  out.bytes(as_bytes(magic)).u8(version);
  out.u32(static_cast<std::uint32_t>(body.size() + Signature::size));
  return out.bytes(body).fixed(sender.sign(message)).take();
}

Result<BundleHeader> decode_bundle_header(ByteView bytes) {
  if (bytes.size() < prefix_bytes) return not_a_bundle();
  const auto size = announced(bytes.first(prefix_bytes));
  if (!size) return forward(size);
  const ByteView rest = bytes.subspan(prefix_bytes);
  if (rest.size() != *size) return damaged("The header of this bundle is cut short.");
  const ByteView body = rest.first(rest.size() - Signature::size);
  ByteReader in(body);
  BundleHeader header = read_body(in);
  const auto signature = Signature::from(rest.last(Signature::size));
  if (!in.finished() || !verify(header.sender, signed_message(head_label, body), *signature))
    return damaged("The header of this bundle is damaged.");
  return header;
}

BundleState bundle_state(ByteView header) {
  return hash_as<BundleState>("chapterd/bundle-head/1", header);
}

BundleState after_chunk(const BundleState& state, const BundleChunk& chunk) {
  return Hasher("chapterd/bundle-link/1")
      .add(state)
      .u8(static_cast<std::uint8_t>(chunk.end))
      .add(chunk.sealed)
      .finish_as<BundleState>();
}

BundleChunk seal_chunk(
    const BundleKey& key, BundleState& state, ChunkEnd end, ByteView plain, Random& random) {
  CHECK(!plain.empty() && plain.size() <= limits::bundle_chunk_bytes);
  BundleChunk chunk{end, key.seal(plain, chunk_context(state, end), random)};
  state = after_chunk(state, chunk);
  return chunk;
}

Result<Bytes> open_chunk(const BundleKey& key, BundleState& state, const BundleChunk& chunk) {
  auto plain = key.open(chunk.sealed, chunk_context(state, chunk.end));
  if (!plain) return damaged("This bundle was changed or damaged on its way.");
  state = after_chunk(state, chunk);
  return plain;
}

BundleTrailer sign_bundle_trailer(BundleTrailer counts,
                                  const BundleState& state,
                                  const SigningKey& sender) {
  counts.signature = sender.sign(trailer_message(counts, state));
  return counts;
}

bool verify_bundle_trailer(const BundleTrailer& trailer,
                           const BundleState& state,
                           const PublicKey& sender) {
  return verify(sender, trailer_message(trailer, state), trailer.signature);
}

Bytes encode(const BundleChunk& chunk) {
  ByteWriter out(chunk_head_bytes + chunk.sealed.size());
  out.u8(static_cast<std::uint8_t>(chunk.end));
  return out.u32(static_cast<std::uint32_t>(chunk.sealed.size())).bytes(chunk.sealed).take();
}

Bytes encode(const BundleTrailer& trailer) {
  ByteWriter out(trailer_bytes);
  out.u8(trailer_type).u64(trailer.chunks).u64(trailer.entries).u64(trailer.receipts);
  return out.fixed(trailer.signature).take();
}

void BundleParser::append(ByteView slice) {
  chapterd::append(buffer_, slice);
}

Bytes BundleParser::take(std::size_t size) {
  const auto end = buffer_.begin() + static_cast<std::ptrdiff_t>(size);
  Bytes taken(buffer_.begin(), end);
  buffer_.erase(buffer_.begin(), end);
  return taken;
}

Result<std::optional<BundleItem>> BundleParser::next() {
  if (buffer_.empty()) return std::nullopt;
  switch (expects_) {
    case Expects::header:
      return next_header();
    case Expects::chunk:
      return next_chunk();
    case Expects::trailer:
      if (buffer_.front() != trailer_type) return damaged("The end of this bundle is damaged.");
      return next_trailer();
    case Expects::nothing:
      break;
  }
  return damaged("This bundle goes on behind its end.");
}

Result<std::optional<BundleItem>> BundleParser::next_header() {
  const std::size_t known = std::min(buffer_.size(), magic.size());
  if (!std::equal(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(known),
                  as_bytes(magic).begin()))
    return not_a_bundle();
  if (buffer_.size() < prefix_bytes) return std::nullopt;
  const auto size = announced(ByteView(buffer_).first(prefix_bytes));
  if (!size) return forward(size);
  if (buffer_.size() < prefix_bytes + *size) return std::nullopt;
  expects_ = Expects::chunk;
  return BundleItem(BundleHeaderBytes{take(prefix_bytes + *size)});
}

Result<std::optional<BundleItem>> BundleParser::next_chunk() {
  const std::uint8_t type = buffer_.front();
  if (type == 0 || type > 3) return damaged("A part of this bundle is damaged.");
  if (buffer_.size() < chunk_head_bytes) return std::nullopt;
  const std::size_t size = sealed_size(ByteView(buffer_).first(chunk_head_bytes));
  if (size <= seal_overhead_bytes || size > limits::bundle_chunk_bytes + seal_overhead_bytes)
    return damaged("A part of this bundle is damaged.");
  if (buffer_.size() < chunk_head_bytes + size) return std::nullopt;
  take(chunk_head_bytes);
  BundleChunk chunk{static_cast<ChunkEnd>(type), take(size)};
  if (chunk.end == ChunkEnd::last) expects_ = Expects::trailer;
  return BundleItem(std::move(chunk));
}

std::optional<BundleItem> BundleParser::next_trailer() {
  if (buffer_.size() < trailer_bytes) return std::nullopt;
  const Bytes bytes = take(trailer_bytes);
  ByteReader in(ByteView(bytes).subspan(1));
  BundleTrailer trailer;
  trailer.chunks = in.u64();
  trailer.entries = in.u64();
  trailer.receipts = in.u64();
  trailer.signature = in.fixed<Signature>();
  expects_ = Expects::nothing;
  return BundleItem(trailer);
}

}  // namespace chapterd
