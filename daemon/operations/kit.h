// The recovery kit of a node: the keys that no other computer can give back, as codes for paper.
#pragma once

#include "base/result.h"
#include "config/config.h"
#include "crypto/kit_code.h"
#include "replication/format/ids.h"

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <vector>

namespace chapterd {

// {"authority": code, "chapter": code}.
[[nodiscard]] nlohmann::json kit_json(const FederationId& federation,
                                      ByteView authority_seed,
                                      ByteView chapter_seed);

// The kit of the node in this folder, from its key files; also while its daemon runs. `facts` as
// the verb kit.facts gives them. Errors: kit.facts (not_compatible), those of key_secrets() and
// read_seed().
[[nodiscard]] Result<nlohmann::json> show_kit(const Config& config, const nlohmann::json& facts);

// Writes key files anew from typed codes: authority.key, chapter.key, or both, protected as new
// ones are. The node must not be running. {"restored": ["authority", …]}. Errors: kit.mistyped,
// kit.other-federation, kit.other-node (not_allowed: right, but not of this node), and those of
// opening the folder.
[[nodiscard]] Result<nlohmann::json> restore_kit(const Config& config,
                                                 const std::vector<std::string>& codes);

}  // namespace chapterd
