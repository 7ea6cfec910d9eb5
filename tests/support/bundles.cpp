// The daemon's way with bundles, without a daemon.
#include "tests/support/bundles.h"

#include <algorithm>
#include <map>
#include <stdexcept>

namespace chapterd::testing {

std::vector<Bytes> write_bundle(TestNode& from, const BundlePlan& plan) {
  from.replica->note_handed(plan.recipients);
  from.commit();
  const BundleWriter::Parts parts{*from.directory, *from.store, *from.key, *from.random,
                                  from.clock->now()};
  auto writer = BundleWriter::open(parts, plan);
  if (!writer) throw std::runtime_error(writer.error().code);
  BundlePlace estimate = writer->begin();
  while (!estimate.ended)
    if (!writer->next(estimate)) throw std::runtime_error("estimate");
  std::vector<Bytes> files(estimate.part);
  BundlePlace place = writer->begin();
  place.parts = estimate.part;
  while (!place.ended) {
    const std::size_t part = place.part - 1;
    const auto bytes = writer->next(place);
    if (!bytes) throw std::runtime_error(bytes.error().code);
    append(files.at(part), *bytes);
  }
  return files;
}

Bytes write_bundle(TestNode& from, const TestNode& to, BundleKind kind) {
  BundlePlan plan;
  plan.recipients = {to.id()};
  plan.kind = kind;
  return write_bundle(from, plan).at(0);
}

namespace {

struct Items {
  Bytes header;
  std::vector<std::vector<BundleChunk>> runs;
  std::optional<BundleTrailer> trailer;
  bool complete = false;
  std::string code;
};

Items items_of(ByteView file) {
  Items items;
  BundleParser parser;
  parser.append(file);
  bool begins = true;
  for (;;) {
    auto item = parser.next();
    if (!item) items.code = item.error().code;
    if (!item || !*item) break;
    if (auto* header = std::get_if<BundleHeaderBytes>(&**item)) items.header = header->bytes;
    if (auto* trailer = std::get_if<BundleTrailer>(&**item)) items.trailer = *trailer;
    if (auto* chunk = std::get_if<BundleChunk>(&**item)) {
      if (begins) items.runs.emplace_back();
      begins = chunk->end != ChunkEnd::none;
      items.runs.back().push_back(std::move(*chunk));
    }
  }
  items.complete = parser.complete();
  return items;
}

}  // namespace

BundleOutcome read_bundle(TestNode& to, ByteView file) {
  BundleOutcome outcome;
  const Items items = items_of(file);
  outcome.code = items.code;
  if (items.header.empty()) return outcome;
  std::optional<BundleProgress> progress;
  for (std::size_t i = 0; i <= items.runs.size(); ++i) {
    const BoxKey box = to.box();
    auto reader = BundleReader::open(*to.directory, *to.store, &box, items.header);
    if (!reader) outcome.code = reader.error().code;
    if (!reader || i == items.runs.size()) break;
    if (!progress) progress = reader->begin();
    const bool is_last = i + 1 == items.runs.size();
    auto run = reader->run(items.runs[i], is_last ? items.trailer : std::nullopt, *progress);
    if (!run) {
      outcome.code = run.error().code;
      return outcome;
    }
    for (const RefusedPiece& refused : run->window.refused)
      outcome.refused.push_back(refused.error.code);
    outcome.moved_cursor = run->window.received.held.has_value();
    outcome.complete = items.complete && run->end.has_value();
    const std::uint64_t before = to.entries();
    const Received received = to.replica->receive(std::move(run->window.received));
    for (const RefusedPiece& refused : received.refused)
      outcome.refused.push_back(refused.error.code);
    outcome.entries += to.entries() - before;
    to.commit();
  }
  return outcome;
}

Bytes opened_bundle(TestNode& to, ByteView file) {
  const Items items = items_of(file);
  const BoxKey box = to.box();
  auto reader = BundleReader::open(*to.directory, *to.store, &box, items.header);
  if (!reader) throw std::runtime_error(reader.error().code);
  const auto header = reader->header();
  const auto ours = std::ranges::find(header.recipients, to.id(), &BundleRecipient::node);
  const auto secret = open_sealed(BoxKey::from_seed(to.key->seed()), ours->key.view());
  const BundleKey key = BundleKey::from_secret(secret.value());
  BundleState state = bundle_state(items.header);
  Bytes opened;
  for (const auto& run : items.runs) {
    FrameParser parser;
    std::map<Audience, Unpacker> unpackers;
    for (const BundleChunk& chunk : run) parser.append(open_chunk(key, state, chunk).value());
    for (auto frame = parser.next().value(); frame; frame = parser.next().value()) {
      append(opened, encode(*frame));
      const auto* segment = std::get_if<SegmentFrame>(&*frame);
      if (segment == nullptr || !segment->packed) continue;
      if (segment->new_stream) unpackers.erase(segment->audience);
      append(opened, unpackers[segment->audience].unpack(segment->content, segment->size).value());
    }
  }
  return opened;
}

std::vector<std::size_t> item_ends(ByteView file) {
  std::vector<std::size_t> ends;
  BundleParser parser;
  for (std::size_t at = 0; at < file.size(); ++at) {
    parser.append(file.subspan(at, 1));
    const auto item = parser.next();
    if (item && *item) ends.push_back(at + 1);
  }
  return ends;
}

}  // namespace chapterd::testing
