// Writes every sample with its bytes, its meaning, its hashes and who signed it.
#include "tests/format/document.h"

#include "base/byte_stream.h"
#include "base/contract.h"
#include "replication/format/sealed.h"
#include "tests/crypto/seeded_random.h"
#include "tests/format/refusals.h"

namespace chapterd {
namespace {

using samples::World;

Json key_of(const SigningKey& key) {
  return {{"seed", to_hex(key.seed())}, {"public", hex_of(key.public_key())}};
}

Json keys_of(const World& world) {
  return {{"global authority", key_of(world.global_authority)},
          {"kenya authority", key_of(world.kenya_authority)},
          {"kenya node", key_of(world.kenya_node)},
          {"india node", key_of(world.india_node)}};
}

Json statements_of(const World& world) {
  Json all = Json::array();
  for (const auto& [name, each] : world.statements) {
    all.push_back({{"name", name},
                   {"hex", to_hex(each.bytes)},
                   {"signer", hex_of(each.signer)},
                   {"fields", describe(each.statement)}});
  }
  return all;
}

Json feeds_of(const World& world) {
  Json all = Json::array();
  for (const auto& [name, feed] : world.feeds) {
    all.push_back({{"name", name},
                   {"hex", to_hex(feed.bytes)},
                   {"id", hex_of(feed.id)},
                   {"fields", describe(feed.intro)}});
  }
  return all;
}

Bytes header_of(const Header& header) {
  ByteWriter out;
  out.u8(1).fixed(header.feed).u64(header.seq.value).fixed(header.prev);
  out.u8(static_cast<std::uint8_t>(header.kind)).u8(header.flags).u64(header.time.value);
  return out.u32(header.payload_bytes).fixed(header.commitment).take();
}

// Every entry of the first piece, with everything that its hash is made of.
Json entries_of(const World& world) {
  const samples::Chained& run = world.pieces.front().value;
  Json all = Json::array();
  Header header;
  header.feed = run.feed;
  header.seq = run.piece.first;
  for (const PieceEntry& entry : run.piece.entries) {
    const Salt salt = salt_for(world.seed, header.seq.value);
    header.kind = entry.kind;
    header.flags = entry.flags;
    header.time = entry.time;
    header.payload_bytes = entry.payload_bytes;
    header.commitment = commit(salt, entry.payload);
    const EntryHash hash = entry_hash(header);
    all.push_back({{"seq", header.seq.value},
                   {"prev", hex_of(header.prev)},
                   {"payload", to_hex(entry.payload)},
                   {"salt", hex_of(salt)},
                   {"commitment", hex_of(header.commitment)},
                   {"header", to_hex(header_of(header))},
                   {"hash", hex_of(hash)}});
    header.prev = hash;
    header.seq = header.seq.next();
  }
  const Head head{run.feed, run.piece.last(), header.prev};
  return {{"feed", hex_of(run.feed)},
          {"seed", hex_of(world.seed)},
          {"entries", std::move(all)},
          {"checkpoint",
           {{"signer", hex_of(world.kenya_node.public_key())},
            {"message", to_hex(checkpoint_message(world.federation, head))},
            {"signature", hex_of(*run.piece.checkpoint)}}}};
}

Json pieces_of(const World& world) {
  Json all = Json::array();
  for (const auto& [name, each] : world.pieces) {
    Json hashes = Json::array();
    for (const EntryHash& hash : chain(each.piece, each.feed, each.prev)) {
      hashes.push_back(hex_of(hash));
    }
    all.push_back({{"name", name},
                   {"hex", to_hex(encode(each.piece))},
                   {"feed", hex_of(each.feed)},
                   {"prev", hex_of(each.prev)},
                   {"signer", hex_of(world.kenya_node.public_key())},
                   {"hashes", std::move(hashes)},
                   {"fields", describe(each.piece)}});
  }
  return all;
}

Json changes_of(const World& world) {
  Json all = Json::array();
  for (std::size_t i = 0; i < world.changes.size(); ++i) {
    ChangeView view;
    CHECK(decode_change(world.payloads[i], view).has_value());
    all.push_back({{"name", world.changes[i].name},
                   {"hex", to_hex(world.payloads[i])},
                   {"fields", describe(view)}});
  }
  return all;
}

Json erase_orders_of(const World& world) {
  Json all = Json::array();
  for (const auto& [name, order] : world.erase_orders) {
    all.push_back({{"name", name},
                   {"hex", to_hex(encode(order))},
                   {"signer", hex_of(world.kenya_authority.public_key())},
                   {"fields", describe(order)}});
  }
  return all;
}

Json lives_of(const World& world) {
  Json all = Json::array();
  for (const auto& [name, life] : world.lives)
    all.push_back({{"name", name}, {"hex", to_hex(encode(life))}, {"fields", describe(life)}});
  return all;
}

Json receipts_of(const World& world) {
  Json all = Json::array();
  for (const auto& [name, each] : world.receipts) {
    all.push_back(
        {{"name", name}, {"hex", to_hex(each.bytes)}, {"fields", describe(each.receipt)}});
  }
  return all;
}

// The content of the SEG frames, unpacked.
Json segment_of(const World& world) {
  const auto& plain = std::get<SegmentFrame>(samples::find(world.frames, "SEG, plain"));
  const auto segment = decode_segment(plain.audience, plain.content);
  CHECK(segment.has_value());
  return {{"hex", to_hex(plain.content)}, {"pieces", describe(*segment)}};
}

Json frames_of(const World& world) {
  Json all = Json::array();
  for (const auto& [name, frame] : world.frames) {
    all.push_back({{"name", name},
                   {"type", frame.index() + 1},
                   {"hex", to_hex(encode(frame))},
                   {"fields", describe(frame)}});
  }
  all.push_back({{"name", "of a type not known yet"},
                 {"type", 200},
                 {"hex", "03c8010203"},
                 {"fields", describe(Frame(UnknownFrame{200}))}});
  return all;
}

// Digest over heads and hashes of buckets, as END and BUCKETS carry them.
Json digests_of(const World& world) {
  std::vector<Head> heads;
  for (const auto& [name, feed] : world.feeds) {
    heads.push_back({feed.id, Sequence(heads.size() + 1), samples::counting<EntryHash>(0x31)});
  }
  std::sort(heads.begin(), heads.end(),
            [](const Head& a, const Head& b) { return a.feed < b.feed; });
  constexpr std::uint64_t salt = 0x2122232425262728U;
  constexpr unsigned bits = 2;
  Hasher digest("chapterd/digest/1");
  Json listed = Json::array();
  for (const Head& head : heads) {
    digest.add(head.feed).u64(head.seq.value).add(head.hash);
    listed.push_back(describe(head));
  }
  Json buckets = Json::array();
  for (unsigned bucket = 0; bucket < 1U << bits; ++bucket) {
    Hasher hasher("chapterd/bucket/1");
    hasher.u64(salt);
    for (const Head& head : heads) {
      if (head.feed.bytes[0] >> (8 - bits) != static_cast<int>(bucket)) continue;
      hasher.add(head.feed).u64(head.seq.value).add(head.hash);
    }
    const Digest hash = hasher.finish();
    buckets.push_back(ByteReader(hash.view()).u32());
  }
  return {{"heads", std::move(listed)},
          {"digest", hex_of(digest.finish())},
          {"salt", salt},
          {"bits", bits},
          {"buckets", std::move(buckets)}};
}

// A change sealed with a chapter's key, short and long enough to be packed, and that key handed to
// two nodes.
Json sealed_of(const World& world) {
  SeededRandom random(18);
  const auto key = ChapterKey::from_secret(samples::counting<Digest>(0x81).view());
  const ChapterId chapter = world.feeds.front().value.intro.home.chapter;
  const PublicKey author = world.kenya_node.public_key();
  const ChapterKeyName name = name_chapter_key(world.federation, chapter, 2, key);
  const Bytes context = payload_context(world.federation, chapter, author);
  Json payloads = Json::array();
  for (const auto& plain : {world.payloads.front(), Bytes(300, 0x2E)}) {
    payloads.push_back({{"hex", to_hex(seal_payload(key, name.generation, plain, context, random))},
                        {"plain", to_hex(plain)}});
  }
  std::vector<KeyWrap> wraps;
  Json listed = Json::array();
  for (const PublicKey& node : {author, world.india_node.public_key()}) {
    KeyWrap wrap{name, node, {}};
    const auto sealed = seal_to(world.kenya_box.public_key(), key.secret(), random);
    std::copy(sealed->begin(), sealed->end(), wrap.sealed.bytes.begin());
    listed.push_back({{"generation", wrap.key.generation},
                      {"id", hex_of(wrap.key.id)},
                      {"node", hex_of(wrap.node)},
                      {"sealed", hex_of(wrap.sealed)}});
    wraps.push_back(wrap);
  }
  return {{"key", to_hex(key.secret())},
          {"generation", name.generation},
          {"chapter", hex_of(chapter)},
          {"author", hex_of(author)},
          {"id", hex_of(name.id)},
          {"payloads", std::move(payloads)},
          {"entry", {{"hex", to_hex(encode(wraps))}, {"wraps", std::move(listed)}}}};
}

}  // namespace

Json make_document(const World& world) {
  return {{"about",
           "Test vectors of docs/protocol.md, written by tests/format/make_vectors. Integers above "
           "2^53 stand as they are; byte strings are hexadecimal."},
          {"keys", keys_of(world)},
          {"genesis",
           {{"hex", to_hex(world.genesis_bytes)},
            {"federation", hex_of(world.federation)},
            {"fields", describe(world.genesis)}}},
          {"statements", statements_of(world)},
          {"feeds", feeds_of(world)},
          {"run", entries_of(world)},
          {"pieces", pieces_of(world)},
          {"changes", changes_of(world)},
          {"erase_orders", erase_orders_of(world)},
          {"receipts", receipts_of(world)},
          {"lives", lives_of(world)},
          {"segment", segment_of(world)},
          {"frames", frames_of(world)},
          {"digests", digests_of(world)},
          {"sealed", sealed_of(world)},
          {"refused", refusals_of(world)}};
}

std::string text_of(const Json& document) {
  return document.dump(1) + "\n";
}

}  // namespace chapterd
