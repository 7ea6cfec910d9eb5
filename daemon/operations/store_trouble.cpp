// Two kinds of trouble, told apart.
#include "daemon/operations/store_trouble.h"

#include "replication/store/store.h"

#include <string>

namespace chapterd {

Error store_trouble(const std::exception& thrown) {
  if (const auto* damaged = dynamic_cast<const Damaged*>(&thrown); damaged != nullptr)
    return damaged->error;
  if (dynamic_cast<const DiskFull*>(&thrown) != nullptr) {
    return {Errc::disk, "store.disk-full", "The disk is full or does not allow writing.",
            "Everything saved before is safe; this was not saved.",
            "Free some space, then try again."};
  }
  return {Errc::failed, "store.broken",
          std::string("The disk or the database failed underneath: ") + thrown.what() + ".",
          "Everything confirmed before was on disk; this was not confirmed.",
          "Keep a copy of the data folder, look at the log of the machine, then run: "
          "chapterd verify"};
}

}  // namespace chapterd
