// What the checks look at, gathered once.
#pragma once

#include "config/config.h"
#include "daemon/operations/disk.h"
#include "daemon/operations/seen_database.h"
#include "replication/store/high_water.h"

#include <nlohmann/json.hpp>

#include <optional>
#include <string>
#include <vector>

namespace chapterd {

enum class Severity { note, warning, person, trouble };

struct Diagnosis {
  Severity severity = Severity::note;
  std::string code;
  std::string what;
  std::string safe;
  std::string next;
};

using Diagnoses = std::vector<Diagnosis>;

struct Facts {
  explicit Facts(const Config& config_) : config(config_) {}

  const Config& config;
  std::optional<Error> config_error;
  std::string peer;             // code of the only chapter that is asked about; empty: all
  std::optional<Error> folder;  // why it cannot be used
  bool has_database = false;
  bool is_held = false;         // by a process that does not answer
  std::optional<Error> daemon;  // why it does not answer; none: it does
  nlohmann::json status;        // what the daemon says of itself, or null
  std::optional<DiskSpace> disk;
  std::optional<SeenDatabase> seen;
  std::optional<Error> database;    // why it cannot be read
  std::optional<MarkVerdict> mark;  // only without a daemon
  nlohmann::json check;             // of the log: what `verify` finds; null when not looked at
  std::optional<Error> node_key;
  std::optional<Error> authority_key;
  std::optional<Error> chapter_key;
  nlohmann::json peers = nlohmann::json::array();
  Instant now;
};

[[nodiscard]] Facts gather_facts(const Config& config, const nlohmann::json& args);

// The table's checks one after the other; what is worse comes first.
[[nodiscard]] Diagnoses run_checks(const Facts& facts);
// Checks that have files of their own. doctor_peers.cpp: links with others.
void check_peers(const Facts& facts, Diagnoses& found);
// doctor_duties.cpp: what waits for somebody to decide.
void check_quarantine(const Facts& facts, Diagnoses& found);
void check_forks(const Facts& facts, Diagnoses& found);
void check_moves(const Facts& facts, Diagnoses& found);
void check_elsewhere(const Facts& facts, Diagnoses& found);
void check_strangers(const Facts& facts, Diagnoses& found);
void check_erasures(const Facts& facts, Diagnoses& found);
void check_invites(const Facts& facts, Diagnoses& found);

// --- words ---

inline constexpr std::int64_t long_silence_ms = 14LL * 24 * 3600 * 1000;
inline constexpr const char* work_is_safe = "Everything that was saved is safe.";
inline constexpr const char* go_on_anew =
    "Ask the chapter above why. To go on, put a backup back on a computer in good hands and make "
    "it a new node, there: chapterd backup restore FILE. Then there: chapterd restore "
    "--as-new-node";

[[nodiscard]] const char* word_of(Severity severity);
// "Kenya (KE)"
[[nodiscard]] std::string called(const nlohmann::json& peer);
// "1 entry", "2 entries"
[[nodiscard]] std::string how_many(std::uint64_t count, const char* one, const char* many);
// "3 days", "5 hours", "12 minutes"
[[nodiscard]] std::string span_of(std::int64_t ms);

}  // namespace chapterd
