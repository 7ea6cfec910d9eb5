// Two kinds of trouble, told apart.
#include "daemon/operations/store_trouble.h"

#include "replication/store/sqlite/connection.h"
#include "replication/store/store.h"

#include <string>

namespace chapterd {

Error store_trouble(const std::exception& thrown) {
  if (const auto* record = dynamic_cast<const DamagedRecord*>(&thrown); record != nullptr)
    return record->error;
  if (dynamic_cast<const DiskFull*>(&thrown) != nullptr) {
    return {Errc::disk, "store.disk-full", "The disk is full or does not allow writing.",
            "Everything saved before is safe; this was not saved.",
            "Free some space, then try again."};
  }
  const auto* broken = dynamic_cast<const SqliteBroken*>(&thrown);
  if (broken != nullptr && broken->is_damage()) {
    return {Errc::check_failed, "store.damaged",
            "The database is damaged: parts of its file cannot be read any more.",
            "Nothing was changed. What other nodes have received is safe there.",
            "Keep a copy of the whole data folder, then put the last backup back. A disk that "
            "damages one file will damage others: replace it."};
  }
  return {Errc::failed, "store.broken",
          std::string("The disk or the database failed underneath: ") + thrown.what() + ".",
          "Everything confirmed before was on disk; this was not confirmed.",
          "Keep a copy of the data folder, look at the log of the machine, then run: "
          "chapterd verify"};
}

}  // namespace chapterd
