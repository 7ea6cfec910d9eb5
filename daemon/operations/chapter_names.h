// What people may call chapters, nodes and federations.
#pragma once

#include "base/result.h"

#include <string_view>

namespace chapterd {

// 1 to 20 upper-case letters, digits and dashes, beginning with a letter. Error: chapter.code
// (usage).
[[nodiscard]] Result<void> check_code(std::string_view code);

// One line of 1 to 200 bytes of UTF-8. Error: argument.name (usage), which names `what`.
[[nodiscard]] Result<void> check_name(std::string_view what, std::string_view name);

}  // namespace chapterd
