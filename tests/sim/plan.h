// What is going to happen in a run, drawn from the seed before it begins: so that a failing run can
// be repeated with any part of it.
#pragma once

#include "base/time.h"

#include <cstdint>
#include <string>
#include <vector>

namespace chapterd::sim {

class World;
struct Event;

// To add a kind of event: write its function and name it in one of the tables.
struct EventKind {
  const char* name;
  const char* fault;  // the swarm switches it on by this name; null: people, always on
  int weight;
  void (*happen)(World& world, const Event& event);
};

struct Event {
  int number = 0;
  Instant at;
  const EventKind* kind = nullptr;
  std::uint64_t salt = 0;  // all that it decides, it decides from this
};

struct Plan {
  std::vector<Event> events;
  std::vector<std::string> faults;  // that are on
};

// Begins every text that only a chapter may read: found anywhere else, it leaked.
inline constexpr const char* canary_prefix = "canary-7f3a91-";

// One table for each file of events.
[[nodiscard]] const std::vector<EventKind>& people_events();
[[nodiscard]] const std::vector<EventKind>& erasing_events();  // of people, too
[[nodiscard]] const std::vector<EventKind>& fault_events();
[[nodiscard]] const std::vector<EventKind>& byzantine_events();
[[nodiscard]] const std::vector<EventKind>& restore_events();
[[nodiscard]] const std::vector<EventKind>& clone_events();
[[nodiscard]] const std::vector<EventKind>& wipe_events();
[[nodiscard]] const std::vector<EventKind>& rekey_events();
[[nodiscard]] const std::vector<EventKind>& move_events();
[[nodiscard]] const std::vector<EventKind>& rot_events();
[[nodiscard]] const std::vector<EventKind>& revoking_events();
[[nodiscard]] const std::vector<EventKind>& courier_events();
[[nodiscard]] const std::vector<EventKind>& newcomer_events();

[[nodiscard]] std::vector<std::string> fault_names();

struct Options;
// The kinds of faults that are on: named, or what the control needs, or drawn from the seed.
[[nodiscard]] std::vector<std::string> faults_of(const Options& options);
[[nodiscard]] Plan draw_plan(const Options& options, Instant begin);

}  // namespace chapterd::sim
