// Drawing a plan: which faults, which events, when.
#include "tests/sim/plan.h"

#include "tests/sim/world.h"

#include <algorithm>

namespace chapterd::sim {
namespace {

constexpr std::size_t least_faults = 4;
// Some runs give everything time to settle in between, others none.
constexpr std::int64_t paces_ms[] = {500, 1'000, 2'000};  // an event

std::vector<const EventKind*> all_faults() {
  std::vector<const EventKind*> all;
  for (const auto* table :
       {&fault_events(), &byzantine_events(), &restore_events(), &clone_events(), &wipe_events(),
        &rekey_events(), &move_events(), &rot_events(), &revoking_events(), &courier_events(),
        &newcomer_events()})
    for (const EventKind& kind : *table) all.push_back(&kind);
  return all;
}

const EventKind* draw(const std::vector<const EventKind*>& kinds, testing::SeededRandom& random) {
  int sum = 0;
  for (const EventKind* kind : kinds) sum += kind->weight;
  auto at = static_cast<int>(random.below(static_cast<std::size_t>(sum)));
  for (const EventKind* kind : kinds) {
    at -= kind->weight;
    if (at < 0) return kind;
  }
  return kinds.back();
}

// With chance of its own: what a run with named faults draws stays when the table grows.
std::vector<std::string> draw_faults(std::uint64_t seed) {
  testing::SeededRandom random(seed ^ 0xFA017);
  std::vector<std::string> names = fault_names();
  const std::size_t count = least_faults + random.below(names.size() - least_faults + 1);
  for (std::size_t i = 0; i < count; ++i)
    std::swap(names[i], names[i + random.below(names.size() - i)]);
  names.resize(count);
  return names;
}

// A control is judged with what brings it out, whatever kinds there are besides.
std::vector<std::string> faults_needed_by(Control control) {
  if (control == Control::forgets_orders) return {"cut", "partition"};
  if (control == Control::hides_fork || control == Control::drops_fork)
    return {"clone", "power", "kill", "cut"};
  if (control == Control::forgets_moves) return {"move", "cut"};
  if (control == Control::trusts_disk) return {"rot", "cut"};
  if (control == Control::forgets_invites) return {"newcomer", "kill", "restart", "cut"};
  if (control == Control::reuses_sequence || control == Control::hides_restore)
    return {"restore", "power", "kill", "cut"};
  return {"power", "kill", "cut", "full_disk", "corrupt", "revoke", "partition"};
}

}  // namespace

std::vector<std::string> fault_names() {
  std::vector<std::string> names;
  for (const EventKind* kind : all_faults())
    if (std::find(names.begin(), names.end(), kind->fault) == names.end())
      names.emplace_back(kind->fault);
  return names;
}

std::vector<std::string> faults_of(const Options& options) {
  if (!options.faults.empty()) return options.faults;
  if (options.control != Control::none) return faults_needed_by(options.control);
  return draw_faults(options.seed);
}

Plan draw_plan(const Options& options, Instant begin) {
  testing::SeededRandom random(options.seed ^ 0x914A4);
  Plan plan;
  plan.faults = faults_of(options);
  std::vector<const EventKind*> people;
  for (const auto* table : {&people_events(), &erasing_events()})
    for (const EventKind& kind : *table) people.push_back(&kind);
  std::vector<const EventKind*> faults;
  for (const EventKind* kind : all_faults())
    if (std::find(plan.faults.begin(), plan.faults.end(), kind->fault) != plan.faults.end())
      faults.push_back(kind);
  const std::int64_t length_ms = paces_ms[random.below(std::size(paces_ms))] * options.events;
  for (int number = 0; number < options.events; ++number) {
    const bool fault = !faults.empty() && random.below(3) == 0;
    const EventKind* kind = draw(fault ? faults : people, random);
    const auto ms = static_cast<std::int64_t>(random.below(static_cast<std::size_t>(length_ms)));
    plan.events.push_back({number, begin.plus_ms(ms), kind, random.next()});
  }
  if (!options.only.empty()) {
    std::erase_if(plan.events, [&](const Event& event) {
      return std::find(options.only.begin(), options.only.end(), event.number) ==
             options.only.end();
    });
  }
  return plan;
}

}  // namespace chapterd::sim
