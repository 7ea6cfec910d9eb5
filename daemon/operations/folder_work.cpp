// The table.
#include "daemon/operations/folder_work.h"

#include "daemon/operations/backups.h"
#include "daemon/operations/doctor.h"
#include "daemon/operations/new_node.h"
#include "daemon/operations/store_trouble.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>

namespace chapterd {
namespace {

using Json = nlohmann::json;

struct FolderWork {
  std::string_view name;
  Result<Json> (*perform)(const Config& config, const Json& args);
};

constexpr std::array works{
    FolderWork{"backup.create", create_backup},   FolderWork{"backup.list", list_backups},
    FolderWork{"backup.verify", verify_backup},   FolderWork{"backup.restore", restore_backup},
    FolderWork{"backup.drill", drill_backup},     FolderWork{"doctor", diagnose},
    FolderWork{"doctor.bundle", redacted_bundle}, FolderWork{"new-node", make_new_node},
};

}  // namespace

Result<Json> work_on_folder(const Config& config, std::string_view name, const Json& args) {
  const auto found = std::ranges::find(works, name, &FolderWork::name);
  if (found == works.end()) {
    return fail(Errc::usage, "verb.unknown", "There is no such work.", "Nothing was changed.");
  }
  try {
    return found->perform(config, args);
  } catch (const std::exception& thrown) {
    return fail(store_trouble(thrown));
  }
}

}  // namespace chapterd
