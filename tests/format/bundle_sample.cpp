// Kenya's node writes to India's, with chance that repeats itself.
#include "tests/format/bundle_sample.h"

#include "base/contract.h"
#include "tests/crypto/seeded_random.h"

#include <sodium/crypto_box.h>
#include <sodium/crypto_generichash.h>

#include <array>

namespace chapterd {
namespace {

using samples::World;

BoxKey india_box() {
  return BoxKey::from_seed(samples::counting<Digest>(0xB1).view());
}

// A sealed box whose throw-away key is known: seal_to() would make other bytes each time. libsodium
// manual, "Sealed boxes".
SealedBundleKey sealed_to(const BoxPublicKey& recipient, ByteView plain) {
  std::array<std::uint8_t, crypto_box_PUBLICKEYBYTES> once_public{};
  std::array<std::uint8_t, crypto_box_SECRETKEYBYTES> once_secret{};
  const auto seed = samples::counting<Digest>(0xC1);
  crypto_box_seed_keypair(once_public.data(), once_secret.data(), seed.bytes.data());
  Bytes both(once_public.begin(), once_public.end());
  append(both, recipient.view());
  std::array<std::uint8_t, crypto_box_NONCEBYTES> nonce{};
  crypto_generichash(nonce.data(), nonce.size(), both.data(), both.size(), nullptr, 0);
  Bytes box(plain.size() + crypto_box_MACBYTES);
  CHECK(crypto_box_easy(box.data(), plain.data(), plain.size(), nonce.data(),
                        recipient.bytes.data(), once_secret.data()) == 0);
  Bytes sealed(once_public.begin(), once_public.end());
  append(sealed, box);
  return SealedBundleKey::from(sealed).value();
}

BundleHeader header_for(const World& world, ByteView key) {
  BundleHeader header;
  header.federation = world.federation;
  header.id = samples::counting<BundleId>(0x60);
  header.sender = world.kenya_node.public_key();
  header.epoch = Epoch(0x1122334455667788U);
  header.grant = 0x2122232425262728U;
  header.written = Instant{1'767'225'600'000};
  header.from = {Arrival(0), Arrival(0), Arrival(300)};
  header.part = 1;
  header.parts = 2;
  for (const char* name : {"chapter certificate, national", "node certificate"})
    header.chain.push_back(samples::find(world.statements, name).bytes);
  header.recipients = {{world.india_node.public_key(), sealed_to(india_box().public_key(), key)}};
  return header;
}

// The first run cut in the middle of a frame, as any run may be; the last one with what ends a
// bundle.
std::vector<std::pair<ChunkEnd, Bytes>> plain_chunks(const World& world) {
  Bytes first = encode(samples::find(world.frames, "SEG, plain"));
  append(first, encode(samples::find(world.frames, "MARK")));
  const auto middle = first.begin() + static_cast<std::ptrdiff_t>(first.size() / 2);
  const Receipt& receipt = world.receipts.front().value.receipt;
  HeadsFrame heads;
  heads.buckets = {0};
  heads.heads = {{0xE1E2E3E4E5E6E7E8U, receipt.head.seq, 0xF1F2F3F4U}};
  Bytes last = encode(samples::find(world.frames, "RECEIPTS"));
  append(last, encode(Frame(heads)));
  append(last, encode(samples::find(world.frames, "END")));
  return {{ChunkEnd::none, Bytes(first.begin(), middle)},
          {ChunkEnd::run, Bytes(middle, first.end())},
          {ChunkEnd::last, last}};
}

Json header_json(const BundleHeader& header) {
  Json chain = Json::array();
  for (const Bytes& statement : header.chain) chain.push_back(to_hex(statement));
  Json recipients = Json::array();
  for (const BundleRecipient& each : header.recipients)
    recipients.push_back({{"node", hex_of(each.node)}, {"key", hex_of(each.key)}});
  Json from = Json::array();
  for (const Arrival arrival : header.from) from.push_back(arrival.value);
  return {{"federation", hex_of(header.federation)},
          {"kind", static_cast<int>(header.kind)},
          {"id", hex_of(header.id)},
          {"sender", hex_of(header.sender)},
          {"epoch", header.epoch.value},
          {"grant", header.grant},
          {"written", header.written.ms},
          {"arrivals", std::move(from)},
          {"part", header.part},
          {"parts", header.parts},
          {"chain", std::move(chain)},
          {"recipients", std::move(recipients)}};
}

Bytes joined(const Bytes& header, const std::vector<Bytes>& rest) {
  Bytes file = header;
  for (const Bytes& each : rest) append(file, each);
  return file;
}

// Signed as it stands, so that nothing but the rule is broken.
Bytes signed_header(const World& world, BundleHeader header, const auto& change) {
  change(header);
  return sign_bundle_header(header, world.kenya_node);
}

Json refused_bundles(const World& world, const SampleBundle& sample) {
  Json list = Json::array();
  const auto add = [&](const char* why, const Bytes& file) {
    list.push_back({{"why", why}, {"hex", to_hex(file)}});
  };
  const auto with = [&](std::size_t at, unsigned value) {
    Bytes file = sample.file;
    file.at(at) = static_cast<std::uint8_t>(value);
    return file;
  };
  const auto header_with = [&](const auto& change) {
    return joined(
        signed_header(world, sample.header, change),
        {Bytes(sample.file.begin() + static_cast<std::ptrdiff_t>(sample.header_bytes.size()),
               sample.file.end())});
  };
  const std::size_t first_chunk = sample.header_bytes.size();
  add("another beginning", with(0, 'C'));
  add("another version", with(16, 2));
  add("a size that is not that of the header", with(20, sample.file[20] ^ 1U));
  add("kind 3", header_with([](BundleHeader& header) { header.kind = BundleKind{3}; }));
  add("part 0 of 2", header_with([](BundleHeader& header) { header.part = 0; }));
  add("part 3 of 2", header_with([](BundleHeader& header) { header.part = 3; }));
  add("header of another bundle", header_with([](BundleHeader& header) { header.grant = 0; }));
  add("signature of the header does not fit",
      with(first_chunk - 1, sample.file[first_chunk - 1] ^ 1U));
  add("chunk of type 0", with(first_chunk, 0));
  add("chunk of another type than it was sealed as", with(first_chunk, 2));
  add("changed chunk", with(first_chunk + 40, sample.file[first_chunk + 40] ^ 1U));
  add("trailer of another type", with(sample.file.size() - 89, 5));
  add("trailer with another count", with(sample.file.size() - 81, 9));
  add("signature of the trailer does not fit",
      with(sample.file.size() - 1, sample.file.back() ^ 1U));
  add("cut short", Bytes(sample.file.begin(), sample.file.end() - 1));
  add("bytes behind the trailer", joined(sample.file, {Bytes(1, 0)}));
  return list;
}

}  // namespace

SampleBundle make_sample_bundle(const World& world) {
  SeededRandom random(17);
  SampleBundle sample;
  const auto secret = samples::counting<Digest>(0xD1);
  sample.key.assign(secret.bytes.begin(), secret.bytes.end());
  sample.header = header_for(world, sample.key);
  sample.header_bytes = sign_bundle_header(sample.header, world.kenya_node);
  sample.file = sample.header_bytes;
  const BundleKey key = BundleKey::from_secret(sample.key);
  BundleState state = bundle_state(sample.header_bytes);
  for (auto& [end, plain] : plain_chunks(world)) {
    const BundleState before = state;
    append(sample.file, encode(seal_chunk(key, state, end, plain, random)));
    sample.chunks.push_back({end, std::move(plain), before});
  }
  sample.last = state;
  BundleTrailer counts;
  counts.chunks = sample.chunks.size();
  counts.entries = 4;
  counts.receipts = 1;
  sample.trailer = sign_bundle_trailer(counts, state, world.kenya_node);
  append(sample.file, encode(sample.trailer));
  return sample;
}

Json make_bundle_document(const World& world) {
  const SampleBundle sample = make_sample_bundle(world);
  Json chunks = Json::array();
  for (const SampleChunk& chunk : sample.chunks)
    chunks.push_back({{"type", static_cast<int>(chunk.end)},
                      {"state", hex_of(chunk.before)},
                      {"plain", to_hex(chunk.plain)}});
  const BoxKey box = india_box();
  return {
      {"about",
       "Test vectors of docs/protocol.md, section 17, written by tests/format/make_vectors: one "
       "part of a bundle as a file, and what it says."},
      {"hex", to_hex(sample.file)},
      {"recipient",
       {{"node", hex_of(world.india_node.public_key())},
        {"box_secret", to_hex(box.secret().first(BoxPublicKey::size))},
        {"box_public", hex_of(box.public_key())}}},
      {"key", to_hex(sample.key)},
      {"header_bytes", sample.header_bytes.size()},
      {"header", header_json(sample.header)},
      {"chunks", std::move(chunks)},
      {"last_state", hex_of(sample.last)},
      {"trailer",
       {{"chunks", sample.trailer.chunks},
        {"entries", sample.trailer.entries},
        {"receipts", sample.trailer.receipts},
        {"signature", hex_of(sample.trailer.signature)}}},
      {"refused", refused_bundles(world, sample)}};
}

}  // namespace chapterd
