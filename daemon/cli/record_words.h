// Records, lists of them and their whereabouts, put for people.
#pragma once

#include "daemon/cli/context.h"

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace chapterd {

// A whole record as record.show answers it; `kind` may be null.
[[nodiscard]] std::string record_page(const Output& output,
                                      const Kind* kind,
                                      const nlohmann::json& record);

// The rows of record.list.
[[nodiscard]] std::string record_table(const Output& output, const nlohmann::json& rows);

// The stations of record.where.
[[nodiscard]] std::string where_page(const Output& output, const nlohmann::json& where);

// Whether another station of the list is the same chapter and the one to show: the root is its own
// top, and a national chapter's parent is the global node.
[[nodiscard]] bool is_told_elsewhere(const nlohmann::json& stations, const nlohmann::json& station);

// How long ago, by this machine's clock: "6 h ago"; a dash for no time.
[[nodiscard]] std::string since(const nlohmann::json& json, std::string_view member_name);

}  // namespace chapterd
