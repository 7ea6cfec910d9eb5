// Peers, put for people: names and times, no keys.
#pragma once

#include "daemon/cli/output.h"

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace chapterd {

// "connected, up to date", "offline, next try in 20 s"
[[nodiscard]] std::string peer_state(const Output& output, const nlohmann::json& peer);
// The table of peers.list; keys are left out.
[[nodiscard]] std::string peer_table(const Output& output, const nlohmann::json& peers);
// How much of the day's budget is used, and what that means; empty without a budget.
[[nodiscard]] std::string budget_words(const nlohmann::json& status);
// When a node further up was asked for revocations; empty when none is.
[[nodiscard]] std::string ancestors_words(const nlohmann::json& status);
// Name and code, or what else is known of it.
[[nodiscard]] std::string peer_name(const nlohmann::json& peer);
// The same in a list, with the computer's name where several are of one chapter.
[[nodiscard]] std::string peer_name(const nlohmann::json& peer, const nlohmann::json& peers);
// ", last heard 6 h ago"; nothing where the state says it.
[[nodiscard]] std::string last_heard(const nlohmann::json& peer);

}  // namespace chapterd
