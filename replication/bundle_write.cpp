// Writing bundles: Outflow reads the log as it does for a link; what it gives is sealed.
#include "base/byte_stream.h"
#include "base/contract.h"
#include "replication/bundle.h"
#include "replication/entitlement.h"

#include <algorithm>

namespace chapterd {
namespace {

// Frames that one run aims at. A turn of Outflow adds at most limits::output_bytes and a window.
constexpr std::size_t run_frames_bytes = 1024 * 1024;
// Content that one run aims at. A turn adds at most limits::credit_bytes and a window.
constexpr std::size_t run_content_bytes = limits::bundle_content_bytes / 2;
// What a run may add to a part: its frames, heads, seals, header and trailer.
constexpr std::uint64_t run_room_bytes = limits::bundle_run_bytes;
constexpr std::size_t heads_a_frame = 2500;
// Limit: beyond it a run would be too long, so heads stay out and bundles begin where receipts of a
// link say.
constexpr std::size_t most_heads = 20'000;

constexpr const char* nothing_written = "Nothing was written.";

StoredPeer stored_peer(Reader& reader, const PublicKey& node) {
  for (const StoredPeer& peer : reader.peers()) {
    if (peer.node == node) return peer;
  }
  return {};
}

Result<void> check_recipient(const Directory& directory, const PublicKey& node) {
  if (node == directory.self()) {
    return fail(Errc::usage, "bundle.no-recipient", "A bundle is for another node than this one.",
                nothing_written, "Name another chapter.");
  }
  const Authority& authority = directory.authority();
  if (authority.node(node) != nullptr && !authority.is_revoked(node)) return {};
  return fail(Errc::not_allowed, "bundle.stranger",
              "A node that is not certified here, or was revoked, cannot be sent anything.",
              nothing_written, "See who is known with: chapterd peers list");
}

}  // namespace

std::vector<SharedHead> bundle_heads(const Directory& directory, const PublicKey& peer) {
  std::vector<SharedHead> heads = shared_heads(directory, peer);
  std::erase_if(heads, [&](const SharedHead& shared) {
    return directory.feed(shared.row).intro.audience == Audience::chapter;
  });
  return heads;
}

Result<BundleWriter> BundleWriter::open(const Parts& parts, BundlePlan plan) {
  if (plan.recipients.empty()) {
    return fail(Errc::usage, "bundle.no-recipient", "A bundle needs somebody who can read it.",
                nothing_written, "Name a chapter.");
  }
  if (plan.recipients.size() > limits::bundle_recipients) {
    return fail(Errc::usage, "bundle.too-many",
                "One bundle is for at most " + std::to_string(limits::bundle_recipients) +
                    " nodes, and these are " + std::to_string(plan.recipients.size()) + ".",
                nothing_written, "Write one bundle for each chapter.");
  }
  for (const PublicKey& node : plan.recipients) {
    if (auto checked = check_recipient(parts.directory, node); !checked) return forward(checked);
  }
  return BundleWriter(parts, std::move(plan));
}

// What all recipients are known to hold of our log.
std::array<Arrival, cursor_lanes> BundleWriter::start() const {
  std::array<Arrival, cursor_lanes> from{};
  const Arrival newest = parts_.directory.arrival();
  if (!plan_.whole) {
    from.fill(newest);
    for (const PublicKey& node : plan_.recipients) {
      const StoredPeer peer = stored_peer(parts_.reader, node);
      for (std::size_t lane = 0; lane < cursor_lanes; ++lane)
        from[lane] = std::min(from[lane], peer.acknowledged[lane]);
    }
  }
  if (plan_.kind == BundleKind::ack) from[static_cast<std::size_t>(Lane::live)] = newest;
  return from;
}

// Heads and cursors speak of all that a recipient may hold: they are left out when recipients may
// hold different sets.
std::uint64_t BundleWriter::grant() const {
  const Authority& authority = parts_.directory.authority();
  const PublicKey& self = parts_.directory.self();
  const std::uint64_t grant = grant_name(authority, plan_.recipients.front(), self);
  const bool is_one = std::ranges::all_of(plan_.recipients, [&](const PublicKey& node) {
    return grant_name(authority, node, self) == grant;
  });
  return is_one ? grant : 0;
}

BundlePlace BundleWriter::begin() const {
  BundlePlace place;
  place.id = parts_.random.fixed<BundleId>();
  place.at = start();
  return place;
}

// Made again from the node's own secret, so that nothing secret has to live between two runs.
BundleKey BundleWriter::key_of(const BundlePlace& place) const {
  ByteWriter message;
  message.bytes(parts_.key.seed()).fixed(place.id).u32(place.part);
  GuardedBytes secret(BundleKey::key_size);
  Bytes bytes = message.take();
  hash_into(secret.writable(), "chapterd/bundle-key/1", bytes);
  wipe(bytes);
  return BundleKey::from_secret(secret.view());
}

Result<Bytes> BundleWriter::header(const BundlePlace& place) const {
  const Authority& authority = parts_.directory.authority();
  const BundleKey key = key_of(place);
  BundleHeader header;
  header.federation = authority.federation();
  header.kind = plan_.kind;
  header.id = place.id;
  header.sender = parts_.directory.self();
  header.epoch = parts_.directory.epoch();
  header.grant = grant();
  header.written = parts_.now;
  header.from = place.at;
  header.part = place.part;
  header.parts = std::max(place.part, place.parts);
  header.chain = authority.chain(header.sender);
  for (const PublicKey& node : plan_.recipients) {
    const auto sealed = seal_to(authority.node(node)->certificate.box, key.secret());
    if (!sealed) return forward(sealed);
    header.recipients.push_back({node, SealedBundleKey::from(*sealed).value()});
  }
  return sign_bundle_header(header, parts_.key);
}

// One run's frames. True when nothing is left for the recipients.
bool BundleWriter::fill(BundlePlace& place, Bytes& frames) {
  Outflow outflow(parts_.directory, parts_.reader, parts_.key, plan_.recipients);
  if (plan_.recipients.size() == 1)
    outflow.set_peer_row(stored_peer(parts_.reader, plan_.recipients.front()).row);
  outflow.start(place.at);
  std::uint64_t released = 0;
  while (frames.size() < run_frames_bytes && outflow.bytes_sent() < run_content_bytes &&
         !outflow.drained()) {
    Bytes turn;
    outflow.fill(turn);
    append(frames, turn);
    // A file gives any credit.
    const std::uint64_t sent = outflow.bytes_sent();
    CHECK(outflow.acknowledged({outflow.sent(), sent - std::exchange(released, sent)}));
  }
  place.at = outflow.sent();
  place.counts.entries += outflow.entries_sent();
  place.counts.receipts += outflow.receipts_sent();
  return outflow.drained();
}

// What is held here, and where in our log this part ends.
void BundleWriter::end(const BundlePlace& place, Bytes& frames) const {
  EndFrame end;
  end.arrivals = place.at;
  if (grant() != 0) {
    const auto heads = bundle_heads(parts_.directory, plan_.recipients.front());
    const std::size_t said = heads.size() > most_heads ? 0 : heads.size();
    for (std::size_t at = 0; at < said; at += heads_a_frame) {
      HeadsFrame frame;
      frame.buckets = {0};
      for (std::size_t i = at; i < std::min(at + heads_a_frame, said); ++i) {
        const Head& head = heads[i].head;
        frame.heads.push_back({short_name(head.feed), head.seq, short_name(head.hash)});
      }
      append(frames, encode(Frame(std::move(frame))));
    }
    end.digest = digest_of(heads);
  }
  append(frames, encode(Frame(end)));
}

Result<Bytes> BundleWriter::next(BundlePlace& place) {
  CHECK(!place.ended);
  Bytes out;
  if (!place.begun) {
    auto bytes = header(place);
    if (!bytes) return bytes;
    place.state = bundle_state(*bytes);
    place.counts = {};
    place.bytes = 0;
    place.begun = true;
    out = std::move(*bytes);
  }
  Bytes frames;
  const bool drained = fill(place, frames);
  const std::uint64_t so_far = place.bytes + out.size() + frames.size();
  const bool may_split = place.parts == 0 || place.part < place.parts;
  const bool is_full = may_split && so_far + run_room_bytes > plan_.limit_bytes;
  const bool is_last = drained || is_full;
  if (is_last) end(place, frames);
  const BundleKey key = key_of(place);
  for (ByteView rest = frames; !rest.empty();) {
    const ByteView plain = rest.first(std::min(rest.size(), limits::bundle_chunk_bytes));
    rest = rest.subspan(plain.size());
    const ChunkEnd ends = !rest.empty() ? ChunkEnd::none : is_last ? ChunkEnd::last : ChunkEnd::run;
    append(out, encode(seal_chunk(key, place.state, ends, plain, parts_.random)));
    ++place.counts.chunks;
  }
  if (is_last) {
    append(out, encode(sign_bundle_trailer(place.counts, place.state, parts_.key)));
    place.begun = false;
    place.ended = drained;
    if (!drained) ++place.part;
  }
  place.bytes += out.size();
  return out;
}

}  // namespace chapterd
