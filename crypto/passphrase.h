// Passphrases as people hand them in: typed, or as the first line of a file.
#pragma once

#include "base/result.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace chapterd {

// Characters of a new one.
inline constexpr std::size_t least_passphrase = 10;

// The first line without its end, whichever editor wrote it. Error: passphrase.empty (usage).
[[nodiscard]] Result<std::string> passphrase_in(std::string_view text);

// Whether it may protect something new; what is there opens with any. Error: passphrase.short
// (usage).
[[nodiscard]] Result<void> check_new_passphrase(std::string_view passphrase);

}  // namespace chapterd
