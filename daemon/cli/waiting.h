// --wait: stands by until a piece of work has been received as far up as was asked.
#pragma once

#include "daemon/cli/context.h"

#include <string>
#include <vector>

namespace chapterd {

// --wait and --timeout, for every command that writes records.
[[nodiscard]] std::vector<Flag> waiting_flags();

// Checks --wait before anything is written. Errors: cli.bad-wait.
[[nodiscard]] Result<void> check_waiting(const Context& context);

// Returns once every record has reached what --wait names, at once without --wait. Errors, all of
// kind gave_up, for the work is safe: wait.timeout, wait.no-daemon, wait.stays-home.
[[nodiscard]] Result<void> wait_for(Context& context, const std::vector<std::string>& ids);

// Calls `done` again and again until it is true or an error. False when the time is over.
[[nodiscard]] Result<bool> poll(std::uint64_t seconds, const std::function<Result<bool>()>& done);

}  // namespace chapterd
