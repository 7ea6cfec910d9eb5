// One call of the program, from its words to its exit code.
#pragma once

#include "daemon/cli/context.h"

#include <string>
#include <vector>

namespace chapterd {

// `words` is without the name of the program. Throws nothing but what the machine itself does.
[[nodiscard]] int run_program(const Doors& doors,
                              const Surroundings& around,
                              const std::vector<std::string>& words);

}  // namespace chapterd
