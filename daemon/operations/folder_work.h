// Work on a data folder or on files beside it that needs no node to ask: one table, as of the
// verbs.
#pragma once

#include "base/result.h"
#include "config/config.h"

#include <nlohmann/json_fwd.hpp>

#include <string_view>

namespace chapterd {

// "backup.create", "backup.list", "backup.verify", "backup.restore", "backup.drill", "doctor",
// "doctor.bundle", "new-node". Errors beside those of the work itself: verb.unknown.
[[nodiscard]] Result<nlohmann::json> work_on_folder(const Config& config,
                                                    std::string_view name,
                                                    const nlohmann::json& args);

}  // namespace chapterd
