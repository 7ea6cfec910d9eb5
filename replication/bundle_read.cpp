// Reading bundles: the same checks as for a link, then the same door.
#include "base/byte_stream.h"
#include "replication/bundle.h"
#include "replication/entitlement.h"
#include "replication/offered.h"

#include <algorithm>
#include <map>
#include <memory>
#include <unordered_map>

namespace chapterd {
namespace {

constexpr std::size_t live = static_cast<std::size_t>(Lane::live);
constexpr std::size_t auth = static_cast<std::size_t>(Lane::auth);

tl::unexpected<Error> damaged(const char* what) {
  return fail(Errc::malformed, "bundle.damaged", what,
              "Whatever was read before this place is kept; nothing damaged was.",
              "Ask for the file once more.");
}

tl::unexpected<Error> not_ours(const char* code, std::string what, const char* next) {
  return fail(Errc::not_allowed, code, std::move(what), "Nothing was changed.", next);
}

StoredPeer stored_peer(Reader& reader, const PublicKey& node) {
  for (const StoredPeer& peer : reader.peers()) {
    if (peer.node == node) return peer;
  }
  return {};
}

// What its own statements call the sender, for sentences only: nobody has checked them.
std::string called(const BundleHeader& header) {
  std::string name = "an unknown chapter";
  for (const Bytes& bytes : header.chain) {
    const auto statement = decode_statement(bytes);
    if (!statement) continue;
    if (const auto* chapter = std::get_if<ChapterCertificate>(&statement->body))
      name = chapter->name + " (" + chapter->code + ")";
  }
  return name;
}

// For whom it is, as far as this node knows them.
std::string recipients_of(const BundleHeader& header, const Authority& authority) {
  std::string names;
  for (const BundleRecipient& recipient : header.recipients) {
    const KnownNode* node = authority.node(recipient.node);
    const KnownChapter* chapter =
        node == nullptr ? nullptr : authority.chapter(node->certificate.chapter);
    const std::string name = chapter == nullptr
                                 ? "the node " + to_hex(recipient.node.view()).substr(0, 8)
                                 : chapter->certificate.name;
    if (names.find(name) == std::string::npos) names += (names.empty() ? "" : ", ") + name;
  }
  return names;
}

Result<BundleKey> open_key(const BundleHeader& header,
                           const Authority& authority,
                           const PublicKey& self,
                           const BoxKey* box) {
  const auto ours = std::ranges::find(header.recipients, self, &BundleRecipient::node);
  if (ours == header.recipients.end()) {
    return not_ours(
        "bundle.not-for-us",
        "This bundle is for " + recipients_of(header, authority) + ": no other node can read it.",
        "Hand it to them, or ask for one that is for this node.");
  }
  if (box == nullptr) {
    return fail(Errc::needs_person, "bundle.locked",
                "Bundles are sealed to this computer, and the key that opens them is locked.",
                "Nothing of the bundle was taken.",
                "Unlock it with 'chapterd unlock', then read the bundle again.");
  }
  const auto secret = open_sealed(*box, ours->key.view());
  if (!secret || secret->size() != BundleKey::key_size)
    return damaged("The key of this bundle does not open.");
  return BundleKey::from_secret(*secret);
}

}  // namespace

// The frames of one run.
class BundleReader::Inflow {
 public:
  explicit Inflow(const BundleReader& bundle) : bundle_(bundle) {}

  Result<void> append(ByteView plain) {
    parser_.append(plain);
    for (;;) {
      auto frame = parser_.next();
      if (!frame) return damaged("A frame of this bundle is malformed.");
      if (!*frame) return {};
      if (auto taken = take(**frame); !taken) return taken;
      if (content_bytes_ > limits::bundle_content_bytes)
        return damaged("A part of this bundle unpacks to more than any bundle holds.");
    }
  }

  [[nodiscard]] const std::vector<InboundPiece>& pieces() const { return inbound_.pieces; }

  [[nodiscard]] InboundWindow take_window() { return std::move(inbound_); }

  [[nodiscard]] std::vector<RefusedPiece> take_refused() { return std::move(refused_); }

  [[nodiscard]] const std::vector<ShortHead>& heads() const { return heads_; }

  [[nodiscard]] const std::optional<EndFrame>& end() const { return end_; }

 private:
  // Kinds that only a conversation needs say nothing here.
  Result<void> take(Frame& frame) {
    if (auto* segment = std::get_if<SegmentFrame>(&frame)) return take_segment(*segment);
    if (auto* receipts = std::get_if<ReceiptsFrame>(&frame)) {
      for (const Bytes& receipt : receipts->receipts) content_bytes_ += receipt.size();
      std::move(receipts->receipts.begin(), receipts->receipts.end(),
                std::back_inserter(inbound_.receipts));
    } else if (auto* heads = std::get_if<HeadsFrame>(&frame)) {
      heads_.insert(heads_.end(), heads->heads.begin(), heads->heads.end());
    } else if (auto* end = std::get_if<EndFrame>(&frame)) {
      end_ = *end;
    }
    return {};
  }

  Result<void> take_segment(SegmentFrame& frame) {
    Bytes content = std::move(frame.content);
    if (frame.packed) {
      if (frame.new_stream) unpackers_.erase(frame.audience);
      auto unpacked = unpackers_[frame.audience].unpack(content, frame.size);
      if (!unpacked) return damaged("A packed frame of this bundle is damaged.");
      content = std::move(*unpacked);
    }
    content_bytes_ += content.size();
    auto segment = decode_segment(frame.audience, content);
    if (!segment) return damaged("A frame of this bundle is malformed.");
    for (SegmentPiece& piece : segment->pieces) {
      OfferedFeed* offer = offered(piece);
      if (offer != nullptr && offer->refused) continue;
      if (offer == nullptr || offer->feed->intro.audience != segment->audience)
        return damaged("This bundle uses a feed that it did not introduce.");
      const Head held = held_of(bundle_.directory_, offer->feed->id);
      inbound_.pieces.push_back({offer->feed, held, std::move(piece.piece), false});
    }
    return {};
  }

  OfferedFeed* offered(const SegmentPiece& piece) {
    if (piece.intro.empty()) {
      const auto at = offers_.find(piece.feed);
      return at == offers_.end() ? nullptr : &at->second;
    }
    auto judged = judge_offer(bundle_.authority_, bundle_.directory_.self(), bundle_.header_.sender,
                              piece.intro);
    if (!judged) return nullptr;
    // What only the chapter may read travels between its own machines, not in files.
    if (judged->feed->intro.audience == Audience::chapter) judged->refused = true;
    if (judged->refused) {
      refused_.push_back(
          {judged->feed->id, Error(Errc::not_allowed, "feed.not-ours",
                                   "A bundle brought a feed that does not belong in it.",
                                   "Nothing of it was stored.")});
      judged->feed.reset();
    }
    return &(offers_[piece.feed] = std::move(*judged));
  }

  const BundleReader& bundle_;
  FrameParser parser_;
  InboundWindow inbound_;
  std::uint64_t content_bytes_ = 0;
  std::map<Audience, Unpacker> unpackers_;
  std::unordered_map<std::uint32_t, OfferedFeed> offers_;
  std::vector<RefusedPiece> refused_;
  std::vector<ShortHead> heads_;
  std::optional<EndFrame> end_;
};

BundleReader::BundleReader(const Directory& directory,
                           Reader& reader,
                           Authority authority,
                           BundleHeader header,
                           BundleKey key,
                           BundleState state)
    : directory_(directory),
      reader_(reader),
      authority_(std::move(authority)),
      header_(std::move(header)),
      key_(std::move(key)),
      state_(state) {}

Result<BundleReader> BundleReader::open(const Directory& directory,
                                        Reader& reader,
                                        const BoxKey* box,
                                        ByteView bytes) {
  auto header = decode_bundle_header(bytes);
  if (!header) return forward(header);
  Authority authority = directory.authority();
  if (header->federation != authority.federation()) {
    return not_ours(
        "federation.other",
        "This bundle is of another federation; it was written by " + called(*header) + " there.",
        "Hand it to somebody of that federation.");
  }
  // What does not chain to genesis leaves no trace; what is missing shows below.
  for (const Bytes& statement : header->chain) static_cast<void>(authority.apply(statement));
  if (authority.node(header->sender) == nullptr) {
    return not_ours("node.unknown", "The sender of this bundle is not certified in the federation.",
                    "Ask whoever gave it to you where it comes from.");
  }
  if (authority.is_revoked(header->sender)) {
    return not_ours("node.revoked",
                    "The sender of this bundle, a node of " + called(*header) + ", was revoked.",
                    "Ask that chapter for a bundle from another of its nodes.");
  }
  auto opened = open_key(*header, authority, directory.self(), box);
  if (!opened) return forward(opened);
  return BundleReader(directory, reader, std::move(authority), std::move(*header),
                      std::move(*opened), bundle_state(bytes));
}

BundleProgress BundleReader::begin() const {
  return {state_, 0, 0};
}

Result<BundleRun> BundleReader::run(const std::vector<BundleChunk>& chunks,
                                    const std::optional<BundleTrailer>& trailer,
                                    BundleProgress& progress) const {
  BundleRun run;
  BundleProgress after = progress;
  Inflow inflow(*this);
  for (const BundleChunk& chunk : chunks) {
    const auto plain = open_chunk(key_, after.state, chunk);
    if (!plain) return forward(plain);
    if (auto taken = inflow.append(*plain); !taken) return forward(taken);
    ++after.chunks;
  }
  run.pieces = inflow.pieces().size();
  PieceVerifier verifier(authority_.federation());
  run.window = verify(inflow.take_window(), header_.sender, verifier);
  for (RefusedPiece& refused : inflow.take_refused())
    run.window.refused.push_back(std::move(refused));
  after.refused += run.window.refused.size();
  if (trailer) {
    if (trailer->chunks != after.chunks ||
        !verify_bundle_trailer(*trailer, after.state, header_.sender))
      return damaged("The end of this bundle does not fit the rest of it.");
    run.end = inflow.end();
    if (run.end && is_one_scope()) note_cursors(inflow, after.refused, run);
  }
  progress = after;
  return run;
}

// Heads and cursors count when they speak of all that this node may hold. Within a chapter they do
// not: `chapter` feeds are missing.
bool BundleReader::is_one_scope() const {
  const KnownNode* sender = authority_.node(header_.sender);
  return header_.grant == grant_name(authority_, directory_.self(), header_.sender) &&
         sender->certificate.chapter != directory_.chapter();
}

// A hint, as on a link: how far we hold the sender's log, and how far it holds ours.
void BundleReader::note_cursors(const Inflow& inflow, std::uint64_t refused, BundleRun& run) const {
  const StoredPeer peer = stored_peer(reader_, header_.sender);
  const bool goes_on = peer.epoch == header_.epoch && peer.grant == header_.grant;
  std::array<Arrival, cursor_lanes> held{};
  if (goes_on) std::copy(std::begin(peer.held), std::end(peer.held), held.begin());
  bool joins = refused == 0;
  for (std::size_t lane = 0; lane < cursor_lanes; ++lane) {
    joins = joins && header_.from[lane] <= held[lane];
    held[lane] = std::max(held[lane], run.end->arrivals[lane]);
  }
  if (joins) run.window.received.held = Cursor{header_.epoch, header_.grant, held};
  if (inflow.heads().empty()) return;
  Cursor acknowledged;
  acknowledged.epoch = directory_.epoch();
  acknowledged.arrivals = held_there(inflow.heads());
  constexpr auto receipts = static_cast<std::size_t>(Lane::receipts);
  acknowledged.arrivals[receipts] = peer.acknowledged[receipts];
  run.window.received.acknowledged = acknowledged;
}

// How far the sender holds a branch. What it holds beyond ours likely came with this bundle and
// goes on from it; with several branches only what is held here tells.
Sequence BundleReader::sender_holds(const KnownFeed& feed,
                                    const std::vector<ShortHead>& tips) const {
  const bool is_beyond =
      std::ranges::any_of(tips, [&](const ShortHead& tip) { return tip.seq > feed.head.seq; });
  if (is_beyond && !directory_.is_forked(feed.head.feed)) return feed.head.seq;
  return ::chapterd::held_there(directory_, feed.head.feed, tips, entries_in(reader_)).at(feed.row);
}

// Up to where in our log the sender holds all that it may: before the first entry that it lacks.
std::array<Arrival, cursor_lanes> BundleReader::held_there(
    const std::vector<ShortHead>& heads) const {
  std::unordered_map<std::uint64_t, std::vector<ShortHead>> theirs;
  for (const ShortHead& head : heads) theirs[head.feed].push_back(head);
  std::array<Arrival, cursor_lanes> held{};
  held.fill(directory_.arrival());
  // By the authority that knows the sender: the directory may not have met it before this bundle.
  for (const KnownFeed& feed : directory_.feeds()) {
    if (feed.intro.audience == Audience::chapter ||
        !may_hold(authority_, header_.sender, feed.intro))
      continue;
    const Sequence ours = Directory::standing_head(feed).seq;
    const Sequence there = sender_holds(feed, theirs[short_name(feed.head.feed)]);
    if (there >= ours) continue;
    const auto pieces = reader_.pieces_of(feed.row, there.next(), 1);
    if (pieces.empty()) continue;
    Arrival& lane = held[pieces.front().lane == Lane::auth ? auth : live];
    lane = std::min(lane, Arrival(pieces.front().arrival.value - 1));
  }
  return held;
}

}  // namespace chapterd
