// What a session costs when little or nothing is new.
#include "bench/proxy.h"
#include "bench/rows.h"
#include "bench/stage.h"

namespace chapterd::bench {
namespace {

// Bytes of one session over TLS, from the call to the agreement, and what came of the nodes.
struct Call {
  std::uint64_t bytes = 0;
  std::unique_ptr<testing::TestNode> global;
  std::unique_ptr<testing::TestNode> kenya;
};

Call call(std::unique_ptr<testing::TestNode> at_global,
          std::unique_ptr<testing::TestNode> at_kenya) {
  testing::LiveNode global(std::move(at_global), listens());
  global.start();
  const CountingProxy proxy(global.address());
  testing::LiveNode kenya(std::move(at_kenya), dials(proxy.address()));
  kenya.follow(global.id());
  kenya.start();
  wait_until_caught_up(kenya);
  Call call;
  call.bytes = proxy.bytes();
  kenya.stop();
  global.stop();
  call.global = global.release();
  call.kenya = kenya.release();
  return call;
}

void write_new(testing::TestNode& global, int count) {
  for (int i = 0; i < count; ++i) {
    const std::string text = "What was found in district " + std::to_string(i * 37 % 47) +
                             " is that stock was counted late in week " + std::to_string(i);
    global.write({Audience::all, {}},
                 testing::a_change(testing::record_named("new " + std::to_string(i)), "finding",
                                   text + std::string(" because the road was closed")));
  }
  global.commit();
}

int round_trips(testing::TestNode& dialler, testing::TestNode& listener) {
  testing::Wire wire(dialler, listener);
  wire.run();
  return (wire.turns() + 1) / 2;
}

}  // namespace

std::vector<Figure> little_new(const Lines& lines) {
  Stage stage;
  LineWriter writer;
  write_lines(*stage.kenya, writer, lines);
  Call last = call(std::move(stage.global), std::move(stage.kenya));
  last = call(std::move(last.global), std::move(last.kenya));  // cursors are noted now
  last = call(std::move(last.global), std::move(last.kenya));
  const std::string on = " on " + std::to_string(lines.size()) + " shared";
  std::vector<Figure> figures;
  last.kenya->restart();
  last.global->restart();
  const int turns = round_trips(*last.kenya, *last.global);
  figures.push_back(
      {"nothing new" + on, static_cast<double>(last.bytes), "B with TLS", 0, "", "≤ 2,500 B",
       "the last ACK makes " + std::to_string(turns) + " exchanges of one application round trip"});
  last = call(std::move(last.global), std::move(last.kenya));
  write_new(*last.global, 100);
  last = call(std::move(last.global), std::move(last.kenya));
  figures.push_back(
      {"100 new" + on, static_cast<double>(last.bytes), "B with TLS", 0, "", "≤ 12,000 B", ""});
  return figures;
}

std::vector<Figure> lost_cursor() {
  constexpr int feeds = 20'000;
  constexpr int changed = 20;
  Stage stage;
  // A third node writes one entry in each of many incarnations; both others are handed them.
  auto author = testing::TestNode::beside(*stage.kenya);
  testing::Wire(*author, *stage.kenya).run();
  testing::Wire(*stage.kenya, *stage.global).run();
  const FederationId federation = stage.global->directory->authority().federation();
  const auto hand_over = [&](testing::TestNode& node, int number, int entries) {
    FeedIntro intro;
    intro.node = author->id();
    intro.home = node.directory->authority().path_of(author->chapter());
    intro.audience = Audience::up;
    for (unsigned i = 0; i < 4; ++i)
      intro.incarnation.bytes[i] = static_cast<std::uint8_t>(number >> (8 * i));
    auto offer = std::make_shared<FeedOffer>();
    offer->intro = intro;
    offer->intro_bytes = encode(intro);
    offer->id = feed_id(federation, offer->intro_bytes);
    const Bytes payload =
        encode(testing::a_change(testing::record_named(std::to_string(number)), "t", "text"));
    Piece piece;
    piece.first = Sequence(1);
    piece.seed = RunSeed{};
    PieceEntry entry;
    entry.payload = payload;
    entry.payload_bytes = static_cast<std::uint32_t>(payload.size());
    piece.entries.assign(static_cast<std::size_t>(entries), entry);
    const auto hashes = chain(piece, offer->id, EntryHash{});
    piece.checkpoint =
        sign_checkpoint(*author->key, federation, Head{offer->id, piece.last(), hashes.back()});
    PieceVerifier verifier(federation);
    ReceivedWindow window;
    window.peer = author->id();
    auto verified =
        verifier.verify(InboundPiece{offer, Head{offer->id, Sequence(0), {}}, encode(piece)});
    window.pieces.push_back(std::move(*verified));
    node.replica->receive(std::move(window));
  };
  for (int i = 0; i < feeds; ++i) {
    hand_over(*stage.kenya, i, i < changed ? 2 : 1);
    hand_over(*stage.global, i, 1);
  }
  stage.kenya->commit();
  stage.global->commit();
  for (auto* node : {stage.kenya.get(), stage.global.get()}) {
    for (StoredPeer peer : node->store->peers()) {
      Batch forget;
      peer.epoch = Epoch(1);
      forget.peers.push_back(peer);
      node->store->commit(forget);
    }
    node->restart();
  }
  const Call done = call(std::move(stage.global), std::move(stage.kenya));
  return {{"lost cursor, 20,000 feeds, 20 changed", static_cast<double>(done.bytes), "B with TLS",
           0, "", "≤ 15,000 B, three round trips", ""}};
}

}  // namespace chapterd::bench
