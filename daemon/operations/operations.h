// The one table of verbs, whoever calls: what is checked for all of them, then their own work.
#pragma once

#include "base/result.h"
#include "daemon/operations/node_access.h"

#include <nlohmann/json_fwd.hpp>

#include <string_view>

namespace chapterd {

// Errors beside those of the verb itself: verb.unknown, argument.… (Errc::usage), disk.low
// (Errc::disk). May throw Broken.
[[nodiscard]] Result<nlohmann::json> perform(NodeAccess& node,
                                             std::string_view verb,
                                             const nlohmann::json& args);

}  // namespace chapterd
