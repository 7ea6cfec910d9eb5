// Secrets that a person types: read without showing them.
#pragma once

#include "base/result.h"

#include <string>
#include <string_view>

namespace chapterd {

class Context;

// A line from the terminal that does not appear on it. Only where terminal().in.
[[nodiscard]] std::string ask_secret(Context& context, std::string_view question);

// The passphrase of the keys: $CHAPTERD_PASSPHRASE, the first line of $CHAPTERD_PASSPHRASE_FILE, or
// asked for. Errors: cli.no-passphrase (needs_person), those of Context::read_text().
[[nodiscard]] Result<std::string> given_passphrase(Context& context);

// True when `error` says that a passphrase is missing and there is a person to ask: it was asked
// for and counts from now on, so that the work can be tried again.
[[nodiscard]] bool asked_passphrase(Context& context, const Error& error);

// Asks for a new one twice. Errors: cli.no-terminal (needs_person), cli.not-the-same,
// passphrase.short (usage).
[[nodiscard]] Result<void> choose_passphrase(Context& context);

}  // namespace chapterd
