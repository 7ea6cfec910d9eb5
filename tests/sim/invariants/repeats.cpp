// I17: what a node is given a second time changes nothing, and merging all of its records anew
// makes the same of them.
#include "base/byte_stream.h"
#include "replication/merge.h"
#include "tests/sim/couriers.h"
#include "tests/sim/invariants/invariants.h"

#include <algorithm>
#include <map>
#include <string>

namespace chapterd::sim {
namespace {

// Everything that a database says, each part as bytes.
using Parts = std::map<std::string, Bytes>;

Bytes heads_of(Reader& reader) {
  ByteWriter out;
  for (const StoredFeed& feed : reader.feeds_after(FeedRow(0), SIZE_MAX >> 1U)) {
    out.u64(feed.row.value).fixed(feed.id).u64(feed.seq.value).fixed(feed.hash);
    out.u64(feed.stands.seq.value).fixed(feed.stands.hash);
  }
  return out.take();
}

Bytes log_of(Reader& reader) {
  ByteWriter out;
  for (const Lane lane : {Lane::auth, Lane::live}) {
    for (const StoredPiece& piece : reader.pieces_after(lane, Arrival(0), SIZE_MAX >> 1U)) {
      out.u64(piece.arrival.value).u64(piece.feed.value).u64(piece.seq.value).u64(piece.via);
      out.fixed(piece.prev).sized_bytes(piece.body).sized_bytes(piece.links);
    }
  }
  return out.take();
}

Bytes receipts_of(Reader& reader) {
  ByteWriter out;
  for (const StoredReceipt& each : reader.receipts_after(Arrival(0), SIZE_MAX >> 1U))
    out.u64(each.arrival.value).u64(each.via).sized_bytes(each.bytes);
  return out.take();
}

// By name: their rows may be others once they were made anew, and so may the names that were taken
// away before they came, of values that two changes took.
Bytes records_of(Reader& reader, bool exactly) {
  std::map<std::pair<std::uint64_t, RecordId>, Bytes> records;
  for (const StoredLayer& layer : reader.layers_after(LayerRow(0), SIZE_MAX >> 1U)) {
    if (is_blank(layer.state)) continue;
    const auto state = decode_layer(layer.state);
    ByteWriter out;
    out.u64(layer.newest.value).sized_bytes(exactly || !state ? layer.state : shown(*state));
    records[{layer.space.value, layer.record}] = out.take();
  }
  ByteWriter out;
  for (const auto& [name, bytes] : records)
    out.u64(name.first).fixed(name.second).sized_bytes(bytes);
  return out.take();
}

Bytes pending_of(Reader& reader) {
  ByteWriter out;
  for (const StoredPending& each : reader.pending(Arrival(0), SIZE_MAX >> 1U))
    out.u64(each.arrival.value).sized_text(each.waits_for);
  return out.take();
}

Bytes values_of(Reader& reader) {
  ByteWriter out;
  for (const NamedValue& each : reader.values(""))
    out.sized_text(each.name).sized_bytes(each.value);
  return out.take();
}

Parts parts_of(Reader& reader) {
  ByteWriter arrival;
  return {{"arrival", arrival.u64(reader.counters().arrival.value).take()},
          {"heads", heads_of(reader)},
          {"log", log_of(reader)},
          {"receipts", receipts_of(reader)},
          {"records", records_of(reader, false)},
          {"records to the last byte", records_of(reader, true)},
          {"pending", pending_of(reader)},
          {"values", values_of(reader)}};
}

std::string first_difference(const Parts& before, const Parts& after) {
  for (const auto& [name, bytes] : before)
    if (after.at(name) != bytes) return name;
  return {};
}

// Reads a bundle as a person has it read, run by run. Returns how many entries it brought.
std::uint64_t read_bundle(SimNode& node, const BundleInParts& bundle) {
  Process& process = *node.process;
  const auto box = process.replica().vault().box();
  std::optional<BundleProgress> progress;
  std::uint64_t entries = 0;
  for (std::size_t at = 0; at < bundle.runs.size(); ++at) {
    process.directory().refresh(Snapshot(process.reader()));
    const auto opened =
        BundleReader::open(process.directory(), process.reader(), box.get(), bundle.header);
    if (!opened) return entries;
    if (!progress) progress = opened->begin();
    const bool is_last = at + 1 == bundle.runs.size();
    auto run = opened->run(bundle.runs[at], is_last ? bundle.trailer : std::nullopt, *progress);
    if (!run) return entries;
    for (const VerifiedPiece& piece : run->window.received.pieces)
      entries += piece.piece().entries.size();
    static_cast<void>(process.replica().receive(std::move(run->window.received)));
    process.replica().commit();
  }
  process.directory().refresh(Snapshot(process.reader()));
  return entries;
}

// All that a neighbour may hand it, from the beginning of its log.
std::optional<Bytes> bundle_for(World& world, SimNode& node, testing::SeededRandom& random) {
  std::vector<SimNode*> neighbours;
  for (const auto& each : world.nodes) {
    const bool meets = each->counts() &&
                       (each->process->calls(node.machine) || node.process->calls(each->machine));
    if (meets) neighbours.push_back(each.get());
  }
  if (neighbours.empty()) return std::nullopt;
  BundlePlan plan;
  plan.recipients = {node.id()};
  plan.whole = true;
  return write_bundle(*neighbours[random.below(neighbours.size())], plan);
}

}  // namespace

void check_repeats(World& world) {
  testing::SeededRandom random(world.options.seed ^ 0x17A7);
  std::vector<SimNode*> nodes;
  for (const auto& each : world.nodes)
    if (each->counts()) nodes.push_back(each.get());
  SimNode& node = *nodes[random.below(nodes.size())];
  const std::string who = "at machine " + std::to_string(node.machine) + " other ";
  Reader& reader = node.process->store();
  Parts before = parts_of(reader);
  if (const auto file = bundle_for(world, node, random)) {
    const BundleInParts bundle = taken_apart(*file);
    // What the neighbour held alone, as receipts that go elsewhere.
    world.figures.repeats += read_bundle(node, bundle);
    before = parts_of(reader);
    world.figures.repeats += read_bundle(node, bundle);
    const std::string other = first_difference(before, parts_of(reader));
    world.require(other.empty(), "I17",
                  who + other + " after a bundle was read for the second time");
  }
  const auto rebuilt = node.process->replica().rebuild();
  world.require(rebuilt.has_value(), "I17", "records cannot be merged anew");
  Parts after = parts_of(reader);
  after["records to the last byte"] = before["records to the last byte"];
  const std::string other = first_difference(before, after);
  world.require(other.empty(), "I17", who + other + " once records were merged anew");
}

}  // namespace chapterd::sim
