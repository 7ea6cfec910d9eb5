// The lies of a rogue.
#include "tests/sim/rogue.h"

#include "replication/format/piece.h"
#include "replication/format/statements.h"
#include "replication/reconcile.h"
#include "tests/sim/world.h"

#include <string>
#include <utility>
#include <vector>

namespace chapterd::sim {
namespace {

using testing::SeededRandom;

constexpr std::size_t most_lies = 12;
constexpr std::int64_t stays_ms = 20'000;

std::vector<FeedId> feeds_of(const World& world) {
  std::vector<FeedId> ids;
  for (const auto& [id, truth] : world.ledger.feeds) ids.push_back(id);
  return ids;
}

}  // namespace

Rogue::Rogue(
    World& world, int machine, int chapter, std::shared_ptr<SigningKey> key, bool certified)
    : world_(world),
      machine_(machine),
      chapter_(chapter),
      key_(std::move(key)),
      certified_(certified) {}

void Rogue::call(int machine, std::uint64_t salt, int branch) {
  SimNode& other = world_.node(machine);
  const auto accepted = other.process->accept(machine_, key_->public_key());
  connection_ = world_.network.connect(machine_, machine, this, accepted.get());
  accepted->attach(connection_);
  other.process->later(0, [accepted] { accepted->start(); });
  SeededRandom random(salt);
  say(hello(random));
  const std::size_t lies = 1 + random.below(most_lies);
  for (std::size_t i = 0; i < lies; ++i) {
    const auto ms = static_cast<std::int64_t>(200 + random.below(10'000));
    world_.agenda.after_ms(ms, [this, frame = lie(random)] { say(frame); });
  }
  world_.agenda.after_ms(100, [this, branch] {
    say(feed(Audience::auth, 0));
    say(feed(Audience::all, branch));
  });
  world_.agenda.after_ms(stays_ms, [this] {
    if (connection_ != 0) world_.network.cut(connection_);
  });
}

void Rogue::say(const Frame& frame) {
  if (connection_ != 0) world_.network.send(connection_, machine_, encode(frame));
}

Frame Rogue::hello(SeededRandom& random) const {
  HelloFrame hello;
  hello.federation = world_.federation;
  hello.epoch = Epoch(random.next());
  hello.holds = random.below(3);
  hello.cursor = {Epoch(random.next()), random.next(), {Arrival(random.next()), {}, {}}};
  for (const FeedId& id : feeds_of(world_))
    if (random.below(4) == 0)
      hello.own.push_back({id, Sequence(random.below(100)), random.fixed<EntryHash>()});
  if (certified_) hello.chain = certificates();
  return hello;
}

std::vector<Bytes> Rogue::certificates() const {
  const SimChapter& chapter = world_.chapters[static_cast<std::size_t>(chapter_)];
  NodeCertificate certificate;
  certificate.node = key_->public_key();
  certificate.box = BoxKey::from_seed(key_->seed()).public_key();
  certificate.chapter = chapter.id;
  certificate.name = "rogue";
  certificate.proof = prove_node(world_.federation, certificate, *key_);
  std::vector<Bytes> chain = chapter.chain;
  chain.push_back(
      sign_statement(world_.federation, Statement{chapter.id, 1, certificate}, *chapter.authority));
  return chain;
}

Frame Rogue::lie(SeededRandom& random) const {
  const auto ids = feeds_of(world_);
  const Arrival far(random.next() >> random.below(60));
  switch (random.below(7)) {
    case 0: {
      WantFrame want;
      for (const FeedId& id : ids) want.feeds.push_back({short_name(id), Sequence(1)});
      return want;
    }
    case 1: {
      HeadsFrame heads;
      heads.buckets = {0};
      for (const FeedId& id : ids)
        heads.heads.push_back({short_name(id), Sequence(random.below(90)), 7});
      return heads;
    }
    case 2:
      return BucketsFrame{random.next(), 1, {1, 2}};
    case 3:
      return AckFrame{{far, far, far}, random.below(2) == 0 ? 0 : random.below(5000)};
    case 4:
      return EndFrame{{far, far, far}, random.fixed<Digest>()};
    case 5:
      return MarkFrame{static_cast<std::uint8_t>(random.below(3)), far};
    default:
      return ReceiptsFrame{{Bytes(40, 1), Bytes{}}};
  }
}

// Its feed for this audience: its certificates, or entries that make no sense.
Frame Rogue::feed(Audience audience, int branch) const {
  FeedIntro intro;
  intro.node = key_->public_key();
  intro.home = world_.places.path_of(chapter_);
  intro.audience = audience;
  Segment segment;
  segment.audience = audience;
  SegmentPiece sent;
  sent.feed = static_cast<std::uint32_t>(audience);
  sent.intro = encode(intro);
  const FeedId id = feed_id(world_.federation, sent.intro);
  const std::vector<Bytes> statements = certificates();
  const Bytes nonsense = {static_cast<std::uint8_t>(branch), 0xFF, 0x00, 0x1F};
  Piece piece;
  piece.first = Sequence(1);
  piece.seed = RunSeed{};
  const auto add = [&](EntryKind kind, const Bytes& payload) {
    PieceEntry entry;
    entry.kind = kind;
    entry.time = HybridTime{UINT64_MAX};
    entry.payload = payload;
    entry.payload_bytes = static_cast<std::uint32_t>(payload.size());
    piece.entries.push_back(entry);
  };
  if (audience == Audience::auth) {
    for (const Bytes& statement : statements) add(EntryKind::authority, statement);
  } else {
    for (const int kind : {9, 1, 3, 12}) add(static_cast<EntryKind>(kind), nonsense);
  }
  const Head head{id, piece.last(), chain(piece, id, EntryHash{}).back()};
  piece.checkpoint = sign_checkpoint(*key_, world_.federation, head);
  sent.piece = encode(piece);
  segment.pieces.push_back(std::move(sent));
  SegmentFrame frame;
  frame.audience = audience;
  frame.content = encode(segment);
  frame.size = frame.content.size();
  return frame;
}

void Rogue::arrived(Bytes&& bytes) {
  parser_.append(bytes);
  for (;;) {
    const auto frame = parser_.next();
    world_.require(frame.has_value(), "I16", "a node sends what cannot be read");
    if (!*frame) return;
    check(**frame);
  }
}

// I11 on the wire: nothing that its chapter may not hold is sent, and to a stranger nothing at all.
void Rogue::check(const Frame& frame) {
  const auto* sent = std::get_if<SegmentFrame>(&frame);
  if (sent == nullptr) return;
  world_.require(certified_, "I11", "a stranger is sent entries");
  Bytes content = sent->content;
  if (sent->packed) {
    if (sent->new_stream) unpackers_.erase(sent->audience);
    auto unpacked = unpackers_[sent->audience].unpack(sent->content, sent->size);
    world_.require(unpacked.has_value(), "I16", "a node sends what cannot be unpacked");
    content = std::move(*unpacked);
  }
  const auto segment = decode_segment(sent->audience, content);
  world_.require(segment.has_value(), "I16", "a node sends a segment that cannot be read");
  for (const SegmentPiece& piece : segment->pieces) {
    if (piece.intro.empty()) continue;
    const auto intro = decode_feed_intro(piece.intro);
    world_.require(intro && world_.places.may_ever_hold(chapter_, *intro), "I11",
                   "a rogue is sent what its chapter may not hold");
  }
}

}  // namespace chapterd::sim
