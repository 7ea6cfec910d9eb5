// "This is a copy, make it a new node": a copied data folder gets a key, a certificate and feeds of
// its own, so that two computers never sign with one key.
#pragma once

#include "base/result.h"
#include "config/config.h"

#include <nlohmann/json_fwd.hpp>

namespace chapterd {

// {"name": of this computer, "take_unsent": whether unsent work becomes the new node's} gives
// {"chapter", "node": fingerprint, "before": that of the old node, "taken": pieces of unsent work,
// "kept": where the copied database and its key lie}. The daemon must be stopped. Nothing is
// changed before all of it is ready beside the database; what a power cut interrupts after that is
// completed by giving the command again (then without "before" and "taken"). Errors:
// new-node.no-authority (needs_person: authority.key is not here), store.damaged (check_failed: the
// copy is torn), argument.name, and those of open_folder() and read_key().
[[nodiscard]] Result<nlohmann::json> make_new_node(const Config& config,
                                                   const nlohmann::json& args);

}  // namespace chapterd
