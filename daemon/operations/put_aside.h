// Files of a data folder that make room for others: nothing is written over.
#pragma once

#include "base/result.h"
#include "replication/store/folder.h"

#include <string>
#include <vector>

namespace chapterd {

// Moves those of the files that are there into a new folder inside it, called after `why` and the
// time; gives its path, or "" when none of them was there. Error: folder.cannot-move.
[[nodiscard]] Result<std::string> put_aside(const DataFolder& folder,
                                            const std::string& why,
                                            const std::vector<std::string>& files);

}  // namespace chapterd
