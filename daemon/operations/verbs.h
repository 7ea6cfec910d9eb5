// The verbs by family; operations.cpp puts the table together.
#pragma once

#include "base/result.h"
#include "daemon/operations/node_access.h"

#include <nlohmann/json_fwd.hpp>

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace chapterd {

enum class Needs {
  nothing,
  space,  // it adds to the log: refused while the disk is low
};

struct Verb {
  std::string_view name;
  Needs needs = Needs::nothing;
  // `args` is an object of good texts.
  Result<nlohmann::json> (*perform)(NodeAccess& node, const nlohmann::json& args) = nullptr;
};

[[nodiscard]] std::span<const Verb> record_verbs();      // records.cpp: what writes records
[[nodiscard]] std::span<const Verb> reading_verbs();     // reading.cpp: what shows them
[[nodiscard]] std::span<const Verb> status_verbs();      // status.cpp: status, peers, sync
[[nodiscard]] std::span<const Verb> invite_verbs();      // invites.cpp: who may take part
[[nodiscard]] std::span<const Verb> figure_verbs();      // figures.cpp: jee, rollup
[[nodiscard]] std::span<const Verb> check_verbs();       // checks.cpp: verify, rebuild, views
[[nodiscard]] std::span<const Verb> bundle_verbs();      // bundles.cpp: frames in files
[[nodiscard]] std::span<const Verb> erase_verbs();       // erasing.cpp: for good, everywhere
[[nodiscard]] std::span<const Verb> quarantine_verbs();  // quarantine.cpp: what a revocation cut
                                                         // off
[[nodiscard]] std::span<const Verb> restore_verbs();     // restoring.cpp: after a roll-back
[[nodiscard]] std::span<const Verb> fork_verbs();        // forks.cpp: second histories of one key

[[nodiscard]] std::span<const Verb> succession_verbs();  // succession.cpp: authority keys
[[nodiscard]] std::span<const Verb> move_verbs();        // moves.cpp: below another chapter
[[nodiscard]] std::span<const Verb> locking_verbs();     // locking.cpp: unlock, lock
[[nodiscard]] std::span<const Verb> kit_verbs();         // kit.cpp: is the copy of the kit right

// Whether private data is locked, how it is protected, how many entries wait for its key.
[[nodiscard]] nlohmann::json private_json(const NodeAccess& node, Reader& reader);
// Where nodes below reach this one, as host:port: nowhere that can be named when it listens
// everywhere.
[[nodiscard]] std::vector<std::string> own_addresses(NodeAccess& node);
// Entries of this node that were written for chapters it has left since, and that did not reach
// them; nobody has decided yet what becomes of them.
[[nodiscard]] std::uint64_t entries_left_behind(Reader& reader, const Directory& directory);
// Entries beyond revocations and closings that are held here, count for nothing, and that nobody
// dropped.
[[nodiscard]] std::uint64_t entries_set_aside(Reader& reader, const Directory& directory);

// A node with a second history about which nobody has said what counts.
struct OpenFork {
  PublicKey node;
  ChapterId chapter;
  std::int64_t since_ms = 0;  // by its own clock; 0: not known
};

[[nodiscard]] std::vector<OpenFork> open_forks(Reader& reader, const Directory& directory);

}  // namespace chapterd
