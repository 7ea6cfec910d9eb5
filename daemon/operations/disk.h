// How much room there is on the disk of the data folder, and when that is too little.
#pragma once

#include "base/result.h"
#include "daemon/operations/node_access.h"

#include <cstdint>
#include <string>

namespace chapterd {

// What must be free for new writes: `limit_bytes` or a twentieth of the disk, whichever is smaller.
[[nodiscard]] std::uint64_t least_free(std::uint64_t disk_bytes, std::uint64_t limit_bytes);

// Error: folder.cannot-open.
[[nodiscard]] Result<DiskSpace> disk_space(const std::string& folder, std::uint64_t limit_bytes);

}  // namespace chapterd
