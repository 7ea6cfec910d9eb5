// The way to a node that the command line takes.
#pragma once

#include "config/config.h"
#include "daemon/operations/caller.h"

#include <memory>

namespace chapterd {

// The running daemon, when one answers at the control socket; else the folder itself, opened in
// this process. Errors: those of ControlClient::connect() but daemon.not-running, those of
// check_may_use(), and those of NodeCaller::open().
[[nodiscard]] Result<std::unique_ptr<Caller>> reach_node(const Config& config);

}  // namespace chapterd
