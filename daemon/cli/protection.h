// How a new node's keys are protected: what a person chose, and what that does not protect.
#pragma once

#include "base/result.h"
#include "daemon/cli/answers.h"
#include "daemon/cli/command_line.h"

#include <vector>

namespace chapterd {

// --passphrase, --unattended, --kit.
[[nodiscard]] std::vector<Flag> protection_flags();
extern const char* const protection_help;

// Takes these flags in. Errors: those of choose_passphrase().
[[nodiscard]] Result<void> choose_protection(Context& context);

// Says plainly what is protected and what is not; `answer` is that of init or join.
void tell_protection(Context& context, const Json& answer);

}  // namespace chapterd
