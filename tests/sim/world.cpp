// The course of a run, and what processes tell of theirs.
#include "tests/sim/world.h"

#include "base/byte_stream.h"
#include "replication/format/piece.h"
#include "tests/sim/invariants/invariants.h"
#include "tests/sim/sim_vfs.h"

#include <algorithm>
#include <cstdio>

namespace chapterd::sim {
namespace {

// Faults are off: by then everybody must agree.
constexpr std::int64_t healing_bound_ms = 45LL * 60 * 1000;
constexpr std::int64_t look_every_ms = 5'000;
constexpr std::uint64_t steps_between_checks = 2'000;
// A hundred times what a run takes: two nodes that keep each other busy for ever show here.
constexpr std::uint64_t most_steps = 3'000'000;

}  // namespace

World::World(const Options& options_)
    : options(options_),
      control(options_.control),
      random(options_.seed * 0x9E3779B97F4A7C15ULL + 1),
      network(agenda, random.next()) {
  active_control() = control;
  seed_sqlite(static_cast<std::uint32_t>(options.seed));
  begin_connections_with(control == Control::synchronous_off ? "PRAGMA synchronous = OFF"
                                                             : nullptr);
}

World::~World() {
  active_control() = Control::none;
  for (const auto& each : nodes)
    if (each->process != nullptr) each->process->end(true);
}

void World::run() {
  found_tree();
  run_until(agenda.now().plus_ms(20'000));
  plan = draw_plan(options, agenda.now());
  figures.fault_kinds = static_cast<int>(plan.faults.size());
  Instant end = agenda.now();
  for (const Event& event : plan.events) {
    end = std::max(end, event.at);
    agenda.at(event.at, [this, &event] {
      ++figures.events;
      trace_hash.u64(static_cast<std::uint64_t>(event.number));
      tell(std::string("event ") + std::to_string(event.number) + " " + event.kind->name);
      event.kind->happen(*this, event);
    });
  }
  run_until(end.plus_ms(30'000));
  heal();
  const Instant healed = agenda.now();
  converge();
  figures.healing_ms = agenda.now().ms - healed.ms;
  if (places.has_moves() && has_converged()) {
    // What is written from here on goes where chapters stand now, and nowhere else.
    has_met = true;
    for (const auto& each : nodes)
      if (each->counts()) write_some(*this, *each, random.next());
    run_until(agenda.now().plus_ms(look_every_ms));
    converge();
  }
  check_end();
  figures.steps = agenda.steps();
  figures.virtual_ms = agenda.now().ms;
  figures.messages = network.messages();
  figures.bytes = network.bytes();
  figures.nodes = static_cast<int>(nodes.size());
  figures.saved = ledger.saved.size();
}

void World::converge() {
  const Instant began = agenda.now();
  while (agenda.now().ms - began.ms < healing_bound_ms && !has_converged())
    run_until(agenda.now().plus_ms(look_every_ms));
}

void World::run_until(Instant end) {
  while (agenda.step(end)) {
    require(agenda.steps() < most_steps, "I16", "more happens than a run can need");
    if (agenda.steps() - steps_checked_ < steps_between_checks) continue;
    steps_checked_ = agenda.steps();
    check_now();
  }
}

// Everything works from here on; only the clocks stay as wrong as they are.
void World::heal() {
  tell("healing");
  is_healing = true;
  for (const auto& each : nodes)
    if (each->copy_of >= 0 && !each->is_gone) each->retire();
  strike_lost();
  network.heal();
  for (const auto& each : nodes) {
    each->stays_down = false;
    each->paused_until = Instant{};
    each->disk->faults.room_bytes = -1;
    each->disk->faults.bad_writes = 0;
    each->disk->faults.bad_syncs = 0;
    each->disk->faults.dies_after = -1;
    each->start();
  }
}

bool World::is_listening(int machine) {
  SimNode& each = node(machine);
  return each.process != nullptr && each.process->has_started() &&
         each.paused_until <= agenda.now();
}

void World::tell(const std::string& what) {
  if (!options.trace) return;
  std::printf("%10.3f  %s\n", static_cast<double>(agenda.now().ms - 1'000'000) / 1000.0,
              what.c_str());
}

void World::require(bool holds, const char* invariant, const std::string& what) const {
  if (!holds) throw Failure(invariant, what);
}

void World::says(int from, int to, ByteView bytes) {
  trace_hash.u64(static_cast<std::uint64_t>(agenda.now().ms));
  trace_hash.u64(static_cast<std::uint64_t>(from * 1000 + to)).add(bytes);
}

std::uint64_t World::standing(const FeedId& id, const FeedTruth& truth) {
  if (truth.author < 0 || !node(truth.author).is_revoked) return UINT64_MAX;
  if (truth.intro.audience == Audience::auth) return UINT64_MAX;
  const bool own = ledger.cut_by_own_chapter.contains(truth.author);
  if (truth.intro.audience == Audience::chapter && !own) return UINT64_MAX;
  // Whoever holds it from below, before a move, may not judge it.
  if (truth.intro.audience == Audience::down && !own) return 0;
  const auto cut = ledger.cuts.find(id);
  return cut == ledger.cuts.end() ? 0 : cut->second.value;
}

bool World::is_held(const Saved& saved) {
  const FeedTruth& truth = ledger.feeds[saved.feed];
  return std::ranges::any_of(nodes, [&](const auto& each) {
    return each->counts() && holds(ledger.promised[static_cast<std::size_t>(each->machine)], truth,
                                   saved.seq, saved.hash, saved.feed);
  });
}

const SigningKey& World::authority_of(const SimChapter& chapter, Replica& replica) {
  const KnownChapter* known = replica.directory().authority().chapter(chapter.id);
  for (const auto& key : chapter.later)
    if (known != nullptr && key->public_key() == known->certificate.authority) return *key;
  return *chapter.authority;
}

std::set<int> World::revoked_known(int machine) const {
  std::set<int> known;
  for (const auto& [by, revoked] : ledger.knows_revoked)
    if (by == machine) known.insert(revoked);
  return known;
}

bool World::may_have_forked(const SimNode& each) const {
  return std::ranges::any_of(ledger.may_fork,
                             [&](const auto& life) { return life.first == each.id(); });
}

void World::strike_lost() {
  figures.struck += std::erase_if(ledger.saved, [&](const Saved& saved) {
    return !node(saved.machine).is_revoked && !is_held(saved);
  });
  settle_moves();
  // A revocation that nobody knows any more has not happened.
  for (const auto& each : nodes) {
    each->is_revoked =
        each->is_revoked && std::ranges::any_of(nodes, [&](const auto& other) {
          return other->counts() && ledger.knows_revoked.contains({other->machine, each->machine});
        });
  }
}

bool World::is_excused(const SimNode& node, const RefusedPiece& refused) const {
  const bool corrupts =
      std::find(plan.faults.begin(), plan.faults.end(), "corrupt") != plan.faults.end();
  // A certificate that it had handed on itself was lost with the newer disk and comes back later in
  // the same session, like what needs it.
  const std::string& code = refused.error.code;
  const bool forgot =
      node.may_come_back && (code == "authority.target" || code == "authority.unknown-node");
  return corrupts || forgot || code == "authority.revoked";
}

int World::machine_called(const PublicKey& key) const {
  for (const auto& each : nodes) {
    if (each->id() != key || each->copy_of >= 0) continue;
    int machine = each->machine;
    while (nodes[static_cast<std::size_t>(machine)]->replaced_by >= 0)
      machine = nodes[static_cast<std::size_t>(machine)]->replaced_by;
    return machine;
  }
  return -1;
}

}  // namespace chapterd::sim
