// Finds why something does not work, in plain words: a table of checks over what can be seen of a
// node, whether its daemon runs, its database is damaged, or nothing is there at all.
#pragma once

#include "base/result.h"
#include "config/config.h"

#include <nlohmann/json_fwd.hpp>

namespace chapterd {

// {"peer": code of a chapter; absent: all, "config": the error of a configuration that could not be
// read, "config_code": its code} gives {"daemon": whether it answers, "findings": [{"severity",
// "code", "what", "safe", "do"}], "checked": [names of the checks]}. A severity is "trouble" (it
// does not work), "person" (somebody must decide), "warning" or "note". Writes nothing. Errors:
// peer.unknown (not_found).
[[nodiscard]] Result<nlohmann::json> diagnose(const Config& config, const nlohmann::json& args);

// The same without "peer", as a document for support: {"bundle"}. It holds counts, codes and
// states, but no titles, names, addresses, paths, messages or keys; chapters are numbered.
[[nodiscard]] Result<nlohmann::json> redacted_bundle(const Config& config,
                                                     const nlohmann::json& args);

}  // namespace chapterd
