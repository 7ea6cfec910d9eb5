// The one setting that making a node writes down: where it listens.
#pragma once

#include "daemon/cli/context.h"

#include <string>

namespace chapterd {

// Puts --listen (as sync.listen) into the configuration that is in force now, so that it is checked
// before anything is made. `otherwise` stands in when it was not given; null leaves it.
[[nodiscard]] Result<void> take_listen(Context& context, const char* otherwise);

// Writes chapterd.toml into the folder of the node, unless there is a configuration file already.
[[nodiscard]] Result<void> keep_listen(Context& context);

}  // namespace chapterd
