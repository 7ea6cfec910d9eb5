// Tells a node, a start that was cut short and a lost database apart.
//
// A database begins with two transactions: who this node is, then its first entries. Keys are
// written after the first one, or after the request to join, so keys with neither beside them had a
// database once.
#include "daemon/operations/node_folder.h"

#include "daemon/operations/join_refusal.h"
#include "daemon/operations/pending_join.h"
#include "replication/directory.h"

#include <cerrno>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

namespace chapterd {
namespace {

bool is_there(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

// SQLite takes an empty file for a new database.
bool is_empty(const std::string& path) {
  struct stat status = {};
  return ::stat(path.c_str(), &status) != 0 || status.st_size == 0;
}

bool has_keys(const std::string& folder) {
  return is_there(folder + "/node.key") || is_there(folder + "/authority.key") ||
         is_there(folder + "/chapter.key");
}

Error database_lost(const std::string& what) {
  return {Errc::needs_person, "node.database-lost", what + " The keys of a node are still here.",
          "The keys were not touched. What other nodes have received is safe there.",
          "Put the database back from a backup of this folder. Without one, move the whole folder "
          "away and keep it, for it holds the keys; then begin in a new one."};
}

Error missing(const std::string& folder) {
  return database_lost("The database " + folder + "/chapterd.db is missing or empty.");
}

// "Move it away if nothing needs it" would be bad advice beside keys.
Result<std::unique_ptr<SqliteStore>> open_file(const DataFolder& folder, const LayerSeal* seal) {
  SqliteOptions options;
  options.seal = seal;
  auto store = SqliteStore::open(folder.database(), options);
  if (store || store.error().code != "store.foreign-file" || !has_keys(folder.path())) return store;
  return fail(database_lost(folder.database() + " is no database of chapterd."));
}

std::string user_name(uid_t user) {
  const passwd* entry = ::getpwuid(user);  // NOLINT(concurrency-mt-unsafe): before threads start
  return entry == nullptr ? "number " + std::to_string(user) : entry->pw_name;
}

bool names_a_node(Reader& store) {
  return !store.values(stored_name::genesis).empty();
}

}  // namespace

Result<void> check_may_use(const std::string& path) {
  struct stat status = {};
  if (::stat(path.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) return {};
  constexpr const char* unchanged = "Nothing was changed.";
  const uid_t self = ::geteuid();
  // The superuser may use what is others'.
  if (self != 0 && status.st_uid != self) {
    return fail(Errc::not_allowed, "folder.other-owner",
                "The folder " + path + " belongs to the user " + user_name(status.st_uid) +
                    ", and this is " + user_name(self) + ".",
                unchanged, "Run chapterd as that user, or name a folder of your own with --data.");
  }
  if (::access(path.c_str(), W_OK | X_OK) == 0 || errno != EACCES) return {};
  return fail(Errc::not_allowed, "folder.not-writable",
              "Its permissions let nobody write into the folder " + path + ".", unchanged,
              "Open it for yourself with: chmod 700 '" + path + "'");
}

Result<DataFolder> open_folder(const std::string& path, Create create) {
  if (auto checked = check_may_use(path); !checked) return forward(checked);
  return DataFolder::open(path, create);
}

bool waits_to_join(const std::string& folder) {
  return is_there(pending_join_file(folder));
}

Error no_node(const std::string& folder) {
  if (waits_to_join(folder)) {
    const auto pending = pending_join(folder);
    const JoinRefusal* refusal = pending ? refusal_with(pending->refused) : nullptr;
    if (refusal != nullptr) {
      return {Errc::needs_person, std::string(refusal->code),
              std::string("This folder asked to join and was refused: ") + refusal->what,
              "The keys that were made for it are kept.", refusal->next};
    }
    return {Errc::needs_person, "join.pending",
            "This folder waits for the answer of the chapter above.",
            "The keys and the request to join are kept.",
            "Hand its answer in: chapterd join FILE. Or ask once more with the same invite."};
  }
  if (has_keys(folder)) return missing(folder);
  return {Errc::not_found, "node.not-initialised", "This folder holds no node yet.",
          "Nothing was changed.",
          "Found a federation with 'chapterd init', or join one with 'chapterd join'."};
}

Result<std::unique_ptr<SqliteStore>> open_database(const DataFolder& folder,
                                                   const LayerSeal* seal) {
  if (is_empty(folder.database())) return fail(no_node(folder.path()));
  auto store = open_file(folder, seal);
  if (!store) return store;
  if (!names_a_node(**store)) return fail(no_node(folder.path()));
  if ((*store)->counters().arrival.value > 0) return store;
  return fail(Errc::failed, "node.incomplete", "Setting this node up was cut short.",
              "Nothing was written with it yet.",
              "Do it again: chapterd init, or chapterd join with the same invite.");
}

Result<void> make_room(const DataFolder& folder) {
  const bool keys_count = has_keys(folder.path()) && !waits_to_join(folder.path());
  if (is_empty(folder.database())) {
    if (keys_count) return fail(missing(folder.path()));
  } else {
    const auto store = open_file(folder, nullptr);
    if (!store) return forward(store);
    if ((*store)->counters().arrival.value > 0) {
      return fail(Errc::not_allowed, "node.exists", "This folder holds a node already.",
                  "Nothing was changed.", "Choose another folder with --data.");
    }
    if (keys_count && !names_a_node(**store)) return fail(missing(folder.path()));
  }
  for (const char* part : {"", "-wal", "-shm"}) ::unlink((folder.database() + part).c_str());
  return {};
}

}  // namespace chapterd
