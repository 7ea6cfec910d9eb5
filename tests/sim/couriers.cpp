// Sticks that somebody carries: written at one machine, read at another, late, lost, twice, old,
// cut short, with changed bytes, or at a machine that they are not for.
#include "tests/sim/couriers.h"

#include "replication/format/limits.h"
#include "tests/sim/world.h"

#include <algorithm>
#include <memory>
#include <utility>

namespace chapterd::sim {

std::optional<Bytes> write_bundle(SimNode& from, const BundlePlan& plan) {
  Process& process = *from.process;
  auto writer = BundleWriter::open(
      {process.directory(), process.reader(), *from.key, from.random, from.clock.now()}, plan);
  if (!writer) return std::nullopt;  // for a revoked machine, or one that is not known yet
  Bytes file;
  BundlePlace place = writer->begin();
  place.parts = 1;
  while (!place.ended) {
    const auto bytes = writer->next(place);
    if (!bytes) return std::nullopt;
    append(file, *bytes);
  }
  return file;
}

BundleInParts taken_apart(ByteView file) {
  BundleInParts parts;
  BundleParser parser;
  parser.append(file);
  bool begins = true;
  for (auto item = parser.next(); item && *item; item = parser.next()) {
    if (auto* header = std::get_if<BundleHeaderBytes>(&**item)) parts.header = header->bytes;
    if (auto* trailer = std::get_if<BundleTrailer>(&**item)) parts.trailer = *trailer;
    auto* chunk = std::get_if<BundleChunk>(&**item);
    if (chunk == nullptr) continue;
    if (begins) parts.runs.emplace_back();
    begins = chunk->end != ChunkEnd::none;
    parts.runs.back().push_back(std::move(*chunk));
  }
  return parts;
}

namespace {

using testing::SeededRandom;

// Older ones were lost.
constexpr std::size_t most_carried = 24;

SimNode& some_node(World& world, SeededRandom& random) {
  return *world.nodes[random.below(world.nodes.size())];
}

void send_stick(World& world, const Event& event) {
  SeededRandom random(event.salt);
  SimNode& from = some_node(world, random);
  const SimNode& to = some_node(world, random);
  if (from.machine == to.machine || !world.is_listening(from.machine)) return;
  BundlePlan plan;
  plan.recipients = {to.id()};
  plan.kind = random.below(5) == 0 ? BundleKind::ack : BundleKind::data;
  plan.whole = random.below(6) == 0;
  Job job;
  job.stage = [plan](Replica& replica) { replica.note_handed(plan.recipients); };
  job.finish = [&world, &from, &to, plan](const std::optional<std::string>& error) {
    if (error) return;
    auto file = write_bundle(from, plan);
    if (!file) return;
    world.trace_hash.u64(file->size());  // its bytes are sealed with chance of libsodium's own
    world.tell("machine " + std::to_string(from.machine) + " writes a bundle of " +
               std::to_string(file->size()) + " bytes for machine " + std::to_string(to.machine));
    if (world.carried.size() == most_carried) world.carried.erase(world.carried.begin());
    world.carried.push_back({to.machine, std::move(*file)});
  };
  from.process->post(std::move(job));
}

// One that is being read, and how far.
struct Reading : BundleInParts {
  std::optional<BundleProgress> progress;
  std::size_t next = 0;
};

// One run after the other, each with what the one before has left in the log.
void read_on(const std::shared_ptr<Process>& process, const std::shared_ptr<Reading>& reading) {
  if (reading->next == reading->runs.size()) return;
  const auto box = process->replica().vault().box();
  const auto opened =
      BundleReader::open(process->directory(), process->reader(), box.get(), reading->header);
  if (!opened) return;
  if (!reading->progress) reading->progress = opened->begin();
  const std::size_t at = reading->next++;
  const bool is_last = reading->next == reading->runs.size();
  auto run =
      opened->run(reading->runs[at], is_last ? reading->trailer : std::nullopt, *reading->progress);
  if (!run) return;
  const auto window = std::make_shared<ReceivedWindow>(std::move(run->window.received));
  Job job;
  job.stage = [window](Replica& replica) {
    static_cast<void>(replica.receive(std::move(*window)));
  };
  job.finish = [weak = std::weak_ptr(process), reading](const std::optional<std::string>& error) {
    const auto self = weak.lock();
    if (self == nullptr || error) return;
    // Later than the directory has followed.
    self->later(10, [weak, reading] {
      if (const auto again = weak.lock()) read_on(again, reading);
    });
  };
  process->post(std::move(job));
}

void damage(Bytes& file, SeededRandom& random) {
  if (random.below(2) == 0) return file.resize(random.below(file.size()));
  for (std::size_t i = 0; i <= random.below(3); ++i)
    file[random.below(file.size())] ^= static_cast<std::uint8_t>(1 + random.below(255));
}

void read_bundle(World& world, const Event& event) {
  SeededRandom random(event.salt);
  if (world.carried.empty()) return;
  const Carried& stick = world.carried[random.below(world.carried.size())];
  SimNode& to = random.below(8) == 0 ? some_node(world, random) : world.node(stick.machine);
  if (!world.is_listening(to.machine)) return;
  Bytes file = stick.file;
  if (random.below(4) == 0) damage(file, random);
  world.tell("machine " + std::to_string(to.machine) + " reads a bundle");
  const auto reading = std::make_shared<Reading>(Reading{taken_apart(file), {}, 0});
  if (reading->header.empty()) return;
  to.process->now([&] { read_on(to.process, reading); });
}

}  // namespace

const std::vector<EventKind>& courier_events() {
  static const std::vector<EventKind> all = {
      {"write_bundle", "courier", 4, send_stick},
      {"read_bundle", "courier", 6, read_bundle},
  };
  return all;
}

}  // namespace chapterd::sim
