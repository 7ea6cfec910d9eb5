// Asks the file system.
#include "daemon/operations/disk.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <sys/statvfs.h>

namespace chapterd {

std::uint64_t least_free(std::uint64_t disk_bytes, std::uint64_t limit_bytes) {
  return std::min(limit_bytes, disk_bytes / 20);
}

Result<DiskSpace> disk_space(const std::string& folder, std::uint64_t limit_bytes) {
  struct statvfs disk = {};
  if (::statvfs(folder.c_str(), &disk) != 0) {
    return fail(Errc::failed, "folder.cannot-open",
                "The disk of " + folder + " gives no answer: " + std::strerror(errno) + ".",
                "Nothing was changed.", "Check that the disk is there and mounted.");
  }
  const std::uint64_t free_bytes = std::uint64_t{disk.f_bavail} * disk.f_frsize;
  const std::uint64_t all_bytes = std::uint64_t{disk.f_blocks} * disk.f_frsize;
  const std::uint64_t least_bytes = least_free(all_bytes, limit_bytes);
  return DiskSpace{free_bytes, free_bytes < least_bytes, least_bytes};
}

}  // namespace chapterd
