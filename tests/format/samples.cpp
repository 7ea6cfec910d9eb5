// Builds the federation of the vectors, always the same.
#include "tests/format/samples.h"

#include "base/byte_stream.h"
#include "replication/format/cbor.h"

namespace chapterd::samples {
namespace {

using Seed = Fixed<32, struct SampleSeedTag>;

constexpr std::int64_t created_ms = 1'767'225'600'000;  // 2026-01-01

const auto global = counting<ChapterId>(0xA0);
const auto kenya = chapter_id_below(global, "KE");
const auto turkana = chapter_id_below(kenya, "KE-23");
const auto india = chapter_id_below(global, "IN");

SigningKey key_from(std::uint8_t first) {
  return SigningKey::from_seed(counting<Seed>(first).view());
}

HybridTime at(std::int64_t ms_after, std::uint16_t counter) {
  return HybridTime{static_cast<std::uint64_t>(created_ms + ms_after) << 16U | counter};
}

World make_roots() {
  World world{.global_authority = key_from(0x01),
              .kenya_authority = key_from(0x21),
              .kenya_node = key_from(0x41),
              .india_node = key_from(0x61),
              .kenya_box = BoxKey::from_seed(counting<Seed>(0x81).view()),
              .genesis = {},
              .genesis_bytes = {},
              .federation = {},
              .statements = {},
              .feeds = {},
              .changes = {},
              .payloads = {},
              .seed = counting<RunSeed>(0x50),
              .pieces = {},
              .receipts = {},
              .erase_orders = {},
              .lives = {},
              .frames = {}};
  world.genesis = {"Collaborative",
                   Instant{created_ms},
                   global,
                   "GLOBAL",
                   world.global_authority.public_key(),
                   counting<Digest>(0x11),
                   counting<Fixed<16, NonceTag>>(0xE0)};
  world.genesis_bytes = sign_genesis(world.genesis, world.global_authority);
  world.federation = federation_id(world.genesis_bytes);
  return world;
}

void add_feed(World& world, const char* name, FeedIntro intro) {
  Bytes bytes = encode(intro);
  const FeedId id = feed_id(world.federation, bytes);
  world.feeds.push_back({name, {std::move(intro), std::move(bytes), id}});
}

void add_feeds(World& world) {
  FeedIntro intro;
  intro.node = world.kenya_node.public_key();
  intro.home = {kenya, {global}};
  intro.audience = Audience::all;
  intro.incarnation = counting<Incarnation>(0x70);
  add_feed(world, "all", intro);
  intro.home = {turkana, {global, kenya}};
  intro.audience = Audience::up;
  add_feed(world, "up, with the path above", intro);
  intro.home = {kenya, {global}};
  intro.audience = Audience::to;
  intro.target = ChapterPath{india, {global}};
  add_feed(world, "to, with its target", intro);
  intro.target.reset();
  intro.audience = Audience::chapter;
  intro.incarnation = counting<Incarnation>(0x90);
  const FeedId before = world.feeds.front().value.id;
  intro.predecessors = {
      {{before, Sequence(300), counting<EntryHash>(0x31)}, Continues::restore},
      {{counting<FeedId>(0x07), Sequence(1), counting<EntryHash>(0x32)}, Continues::fork}};
  add_feed(world, "chapter, with predecessors", intro);
}

void add_statement(World& world, const char* name, Statement statement, const SigningKey& signer) {
  Bytes bytes = sign_statement(world.federation, statement, signer);
  world.statements.push_back({name, {std::move(statement), signer.public_key(), std::move(bytes)}});
}

Successor successor_of(const World& world,
                       const ChapterId& chapter,
                       SuccessorBy by,
                       const SigningKey& key) {
  Successor successor;
  successor.chapter = chapter;
  successor.authority = key.public_key();
  successor.by = by;
  successor.acceptance = accept_succession(world.federation, chapter, key);
  return successor;
}

void add_successors(World& world) {
  const SigningKey key = key_from(0xC1);
  add_statement(world, "successor, by the key before",
                {kenya, 2, successor_of(world, kenya, SuccessorBy::rotation, key)},
                world.kenya_authority);
  Successor listed = successor_of(world, kenya, SuccessorBy::above, key);
  listed.stands = {counting<StatementId>(0x21), counting<StatementId>(0x41)};
  add_statement(world, "successor, from above, with what stands", {global, 3, listed},
                world.global_authority);
  const SigningKey recovery = key_from(0xD1);
  Successor recovered = successor_of(world, global, SuccessorBy::recovery, key);
  recovered.recovery = recovery.public_key();
  add_statement(world, "successor, by the recovery key", {global, 1, recovered}, recovery);
  const Statement agreed{
      kenya, 4, ChapterCertificate{india, key.public_key(), "IN", "India", 2, {global, kenya}}};
  Move move;
  move.certificate = sign_statement(world.federation, agreed, world.kenya_authority);
  move.keys = {key_from(0xB1).public_key()};
  move.parent = world.kenya_node.public_key();
  move.addresses = {"kenya.example.org:7700", "192.0.2.7:7700"};
  add_statement(world, "move", {global, 5, move}, world.global_authority);
}

void add_statements(World& world) {
  const PublicKey kenya_key = world.kenya_authority.public_key();
  add_statement(world, "chapter certificate, national",
                {global, 1, ChapterCertificate{kenya, kenya_key, "KE", "Kenya", 1, {global}}},
                world.global_authority);
  const PublicKey field_key = key_from(0xA1).public_key();
  add_statement(
      world, "chapter certificate, field office",
      {kenya, 7,
       ChapterCertificate{
           turkana, field_key, "KE-23", "Turkana \xE2\x80\x93 Lodwar", 3, {global, kenya}}},
      world.kenya_authority);
  NodeCertificate node;
  node.node = world.kenya_node.public_key();
  node.box = world.kenya_box.public_key();
  node.chapter = kenya;
  node.name = "office mini-PC";
  node.proof = prove_node(world.federation, node, world.kenya_node);
  add_statement(world, "node certificate", {kenya, 2, node}, world.kenya_authority);
  const Head cut{world.feeds.front().value.id, Sequence(300), counting<EntryHash>(0x31)};
  add_statement(world, "revoke",
                {global, 3, Revoke{world.india_node.public_key(), {cut}, "laptop stolen"}},
                world.global_authority);
  const Head more{world.feeds.front().value.id, Sequence(302), counting<EntryHash>(0x51)};
  add_statement(world, "admit", {global, 5, Admit{world.india_node.public_key(), {more}}},
                world.global_authority);
  add_successors(world);
  add_statement(world, "close", {kenya, 6, Close{world.kenya_node.public_key(), {cut, more}}},
                world.kenya_authority);
  add_statement(world, "handover",
                {kenya, 7,
                 Handover{world.kenya_node.public_key(),
                          key_from(0xC1).public_key(),
                          {counting<Incarnation>(0x11), counting<Incarnation>(0x91)}}},
                world.kenya_authority);
  add_statement(world, "of a kind not known yet",
                {global, 4, UnknownStatement{77, {0xDE, 0xAD, 0xBE, 0xEF}}},
                world.global_authority);
}

Bytes cbor_text(std::string_view text) {
  return CborWriter().text(text).take();
}

// {"ok": true, "at": -1.5, "list": [1, -2, null, h'00ff']}
Bytes cbor_map() {
  CborWriter out;
  out.map(3).text("at").real(-1.5).text("ok").boolean(true).text("list").array(4);
  out.uint(1).integer(-2).null().bytes(Bytes{0x00, 0xFF});
  return out.take();
}

void add_changes(World& world) {
  const auto record = counting<RecordId>(0x01);
  const ValueName first{0x0123456789ABCDEFU, 0};
  const ValueName second{0x0123456789ABCDEFU, 300};
  const ValueName third{0xFEDCBA9876543210U, 2};
  world.changes = {
      {"set", {record, "insight", 1, {{"title", Action::set, cbor_text("Borehole dry"), {}}}}},
      {"set, clear, add and remove, with what they supersede",
       {record,
        "insight",
        2,
        {{"title", Action::set, cbor_text("Forage is gone \xE2\x80\x93 twice"), {third, first}},
         {"note", Action::clear, {}, {second}},
         {"tags", Action::add, cbor_text("water"), {}},
         {"tags", Action::remove, cbor_text("rain"), {first}},
         {"place", Action::set, cbor_map(), {}}}}},
      {"clear of nothing seen", {record, "member", 1, {{"phone", Action::clear, {}, {}}}}}};
  for (const auto& [name, change] : world.changes) world.payloads.push_back(encode(change));
}

void add_erase_orders(World& world) {
  const auto record = counting<RecordId>(0x01);
  const Head first{counting<FeedId>(0x30), Sequence(7), counting<EntryHash>(0x51)};
  const Head second{counting<FeedId>(0x30), Sequence(300), counting<EntryHash>(0x71)};
  const ValueName one{0x0123456789ABCDEFU, 0};
  const ValueName other{0xFEDCBA9876543210U, 300};
  EraseOrder own{record, "insight", EraseReason::unsaid, {first}, {}, {}};
  EraseOrder whole{record,
                   "member",
                   EraseReason::request,
                   {first, second},
                   {{"name", {one, other}}, {"phone", {one}}},
                   {}};
  sign(whole, world.federation, world.kenya_authority);
  world.erase_orders = {{"an order of own entries", own}, {"an order of the chapter", whole}};
}

PieceEntry entry_of(HybridTime time, const Bytes& payload) {
  PieceEntry entry;
  entry.time = time;
  entry.payload_bytes = static_cast<std::uint32_t>(payload.size());
  entry.payload = payload;
  return entry;
}

Piece run_of(const World& world) {
  Piece piece;
  piece.first = Sequence(1);
  piece.seed = world.seed;
  piece.entries = {entry_of(at(0, 0), world.payloads[0]), entry_of(at(250, 3), world.payloads[1]),
                   entry_of(at(-86'400'000, 0), world.payloads[2])};
  piece.entries.back().flags = flag_run_end;
  return piece;
}

void add_pieces(World& world) {
  const FeedId feed = world.feeds.front().value.id;
  Piece seeded = run_of(world);
  const std::vector<EntryHash> hashes = chain(seeded, feed, {});
  const Head head{feed, Sequence(3), hashes.back()};
  seeded.checkpoint = sign_checkpoint(world.kenya_node, world.federation, head);
  world.pieces.push_back({"with a seed", {feed, {}, seeded}});

  Piece erased = seeded;
  for (std::size_t i = 0; i < erased.entries.size(); ++i) {
    erased.entries[i].salt = salt_for(*erased.seed, i + 1);
  }
  PieceEntry& gone = erased.entries[1];
  gone.erased = commit(*gone.salt, gone.payload);
  gone.salt.reset();
  gone.payload = {};
  erased.seed.reset();
  world.pieces.push_back({"with an erased entry", {feed, {}, std::move(erased)}});

  Piece single = run_of(world);
  single.first = Sequence(2);
  single.entries = {single.entries[1]};
  world.pieces.push_back({"without a checkpoint", {feed, hashes[0], single}});
  single.prev = hashes[0];
  single.checkpoint =
      sign_checkpoint(world.kenya_node, world.federation, Head{feed, Sequence(2), hashes[1]});
  world.pieces.push_back({"that names what it follows", {feed, hashes[0], std::move(single)}});
}

void add_receipts(World& world) {
  const Chained& run = world.pieces.front().value;
  const EntryHash last = chain(run.piece, run.feed, run.prev).back();
  const Receipt receipt{world.kenya_node.public_key(), Epoch(0x1122334455667788U),
                        Head{run.feed, Sequence(3), last}};
  Bytes bytes = sign_receipt(world.federation, receipt, world.kenya_node);
  world.receipts.push_back({"of three entries", {receipt, std::move(bytes)}});
  world.lives = {
      {"after one that was led", {Epoch(0x0002AABBCCDDEEFFU), {Epoch(0x0001112233445566U)}}},
      {"after two", {receipt.epoch, {Epoch(0x0001112233445566U), Epoch(0x0002AABBCCDDEEFFU)}}}};
}

Cursor sample_cursor() {
  return {
      Epoch(0x0102030405060708U), 0x1112131415161718U, {Arrival(0), Arrival(127), Arrival(128)}};
}

void add_opening_frames(World& world) {
  const Receipt& known = world.receipts.front().value.receipt;
  HelloFrame hello;
  hello.federation = world.federation;
  hello.epoch = known.epoch;
  hello.chain = {world.statements[0].value.bytes, world.statements[2].value.bytes};
  hello.cursor = sample_cursor();
  hello.holds = 300;
  hello.own = {known.head};
  hello.budget_bytes = 5'000'000;
  hello.lanes = Lanes::statements;
  hello.yours = {{0xE1E2E3E4E5E6E7E8U, Sequence(300), 0xF1F2F3F4U}};
  world.frames.push_back({"HELLO", hello});
  WelcomeFrame welcome;
  welcome.epoch = Epoch(0x0102030405060708U);
  welcome.chain = {world.statements[0].value.bytes};
  welcome.cursor = {known.epoch, 9, {Arrival(1), Arrival(2), Arrival(3)}};
  welcome.holds = 12;
  welcome.time = Instant{-1};
  welcome.grant = 0x1112131415161718U;
  welcome.waiting_bytes = {0, 20'000, 3'000'000};
  const Signature& checkpoint = *world.pieces.front().value.piece.checkpoint;
  welcome.witness = {{known.head, checkpoint, {}}};
  welcome.lanes = Lanes::without_bulk;
  welcome.doubts = {0xE1E2E3E4E5E6E7E8U};
  world.frames.push_back({"WELCOME", welcome});
}

void add_segment_frames(World& world) {
  Segment segment;
  segment.audience = Audience::all;
  segment.pieces = {{5, world.feeds.front().value.bytes, encode(world.pieces[0].value.piece)},
                    {300, {}, encode(world.pieces[2].value.piece)}};
  const Bytes content = encode(segment);
  world.frames.push_back(
      {"SEG, plain", SegmentFrame{Audience::all, false, false, content.size(), content}});
  Bytes packed = raw_packed_start();
  append(packed, raw_packed_block(content));
  world.frames.push_back(
      {"SEG, packed, new stream", SegmentFrame{Audience::all, true, true, content.size(), packed}});
  world.frames.push_back(
      {"SEG, packed, stream goes on",
       SegmentFrame{Audience::all, true, false, content.size(), raw_packed_block(content)}});
}

void add_running_frames(World& world) {
  const FeedId feed = world.feeds[0].value.id;
  const FeedId other = world.feeds[1].value.id;
  const std::array<Arrival, 3> arrivals{Arrival(1), Arrival(16'384), Arrival(UINT64_MAX)};
  world.frames.push_back({"MARK", MarkFrame{2, Arrival(16'384)}});
  world.frames.push_back({"ACK", AckFrame{arrivals, 70'000}});
  world.frames.push_back({"RECEIPTS", ReceiptsFrame{{world.receipts.front().value.bytes}}});
  world.frames.push_back({"END", EndFrame{arrivals, counting<Digest>(0x40)}});
  world.frames.push_back({"BUCKETS", BucketsFrame{0x2122232425262728U, 1, {0x01020304U, 7}}});
  world.frames.push_back(
      {"HEADS", HeadsFrame{6, {0, 3, 63}, {{0xE1E2E3E4E5E6E7E8U, Sequence(300), 0xF1F2F3F4U}}}});
  world.frames.push_back(
      {"WANT", WantFrame{{{0xE1E2E3E4E5E6E7E8U, Sequence(1)}, {2, Sequence(128)}}}});
  world.frames.push_back({"SCOPE", ScopeFrame{{feed}, {other}}});
  world.frames.push_back({"PING", PingFrame{}});
  world.frames.push_back({"PONG", PongFrame{}});
  world.frames.push_back({"FAULT", FaultFrame{feed, "feed.gap"}});
  world.frames.push_back({"BYE", ByeFrame{"busy", 30'000}});
  world.frames.push_back({"JOIN", JoinFrame{{1, 2, 3}}});
  world.frames.push_back({"JOINED", JoinedFrame{{4, 5}}});
  world.frames.push_back({"WITNESS", WitnessFrame{{{world.receipts.front().value.receipt.head,
                                                    *world.pieces.front().value.piece.checkpoint,
                                                    world.feeds.front().value.bytes}}}});
}

}  // namespace

World make_world() {
  World world = make_roots();
  add_feeds(world);
  add_statements(world);
  add_changes(world);
  add_erase_orders(world);
  add_pieces(world);
  add_receipts(world);
  add_opening_frames(world);
  add_segment_frames(world);
  add_running_frames(world);
  return world;
}

Bytes raw_packed_start() {
  // Magic number, descriptor 0 (no size, no checksum, no dictionary), window 2^20.
  return {0x28, 0xB5, 0x2F, 0xFD, 0x00, 0x50};
}

Bytes raw_packed_block(ByteView block) {
  // Three bytes, little endian: size << 3 | raw (0) << 1 | not the last one (0).
  const std::size_t head = block.size() << 3U;
  Bytes out{static_cast<std::uint8_t>(head), static_cast<std::uint8_t>(head >> 8U),
            static_cast<std::uint8_t>(head >> 16U)};
  append(out, block);
  return out;
}

}  // namespace chapterd::samples
