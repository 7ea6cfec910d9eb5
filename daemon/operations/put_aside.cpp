// Moving files within one folder.
#include "daemon/operations/put_aside.h"

#include "daemon/system_clock.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <sys/stat.h>
#include <unistd.h>

namespace chapterd {

Result<std::string> put_aside(const DataFolder& folder,
                              const std::string& why,
                              const std::vector<std::string>& files) {
  const std::string aside =
      folder.path() + "/" + why + "-" + std::to_string(SystemClock().now().ms);
  const auto trouble = [](const std::string& path) {
    return fail(Errc::failed, "folder.cannot-move",
                path + " cannot be moved: " + std::strerror(errno) + ".",
                "Nothing was written over.",
                "Look at the folder's permissions, then give the same command again.");
  };
  bool any = false;
  for (const std::string& file : files) {
    const std::string from = folder.path() + "/" + file;
    if (::access(from.c_str(), F_OK) != 0) continue;
    if (!any && ::mkdir(aside.c_str(), 0700) != 0) return trouble(aside);
    any = true;
    if (::rename(from.c_str(), (aside + "/" + file).c_str()) != 0) return trouble(from);
  }
  if (any && (!sync_folder_of(aside) || !sync_folder_of(aside + "/."))) return trouble(aside);
  return any ? aside : std::string();
}

}  // namespace chapterd
