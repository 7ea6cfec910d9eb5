// The rows of the table, a file of commands/ a function.
#pragma once

#include "daemon/cli/command_line.h"
#include "domain/kind.h"

#include <vector>

namespace chapterd {

// Headings of the overview.
namespace command_group {
inline constexpr const char* start = "Beginning";
inline constexpr const char* work = "Your work";
inline constexpr const char* figures = "Figures";
inline constexpr const char* others = "Other chapters";
inline constexpr const char* check = "Checking and settings";
}  // namespace command_group

[[nodiscard]] std::vector<Command> init_commands();
[[nodiscard]] std::vector<Command> join_commands();
[[nodiscard]] std::vector<Command> run_commands();
[[nodiscard]] std::vector<Command> unlock_commands();
[[nodiscard]] std::vector<Command> kit_commands();
[[nodiscard]] std::vector<Command> status_commands();
[[nodiscard]] std::vector<Command> peers_commands();
[[nodiscard]] std::vector<Command> invite_commands();
[[nodiscard]] std::vector<Command> quarantine_commands();
[[nodiscard]] std::vector<Command> key_commands();
[[nodiscard]] std::vector<Command> move_commands();
[[nodiscard]] std::vector<Command> fork_commands();
[[nodiscard]] std::vector<Command> sync_commands();
[[nodiscard]] std::vector<Command> bundle_commands();
[[nodiscard]] std::vector<Command> where_commands();
[[nodiscard]] std::vector<Command> explain_commands();
[[nodiscard]] std::vector<Command> doctor_commands();
[[nodiscard]] std::vector<Command> verify_commands();
[[nodiscard]] std::vector<Command> backup_commands();
[[nodiscard]] std::vector<Command> restore_commands();
[[nodiscard]] std::vector<Command> rebuild_commands();
[[nodiscard]] std::vector<Command> erase_commands();
[[nodiscard]] std::vector<Command> views_commands();
[[nodiscard]] std::vector<Command> jee_commands();
[[nodiscard]] std::vector<Command> rollup_commands();
[[nodiscard]] std::vector<Command> config_commands();
[[nodiscard]] std::vector<Command> version_commands();
// Verbs of every kind of record; `kinds` must outlive the commands.
[[nodiscard]] std::vector<Command> record_commands(const Kinds& kinds);

// All of them, in the order of the overview.
[[nodiscard]] std::vector<Command> command_table(const Kinds& kinds);

}  // namespace chapterd
