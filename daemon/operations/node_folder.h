// What lies in a data folder before there is a node to ask: its database, its keys, a request to
// join, or nothing. Keys outlive a lost database: whoever sets a node up must not write over them.
#pragma once

#include "base/result.h"
#include "replication/store/folder.h"
#include "replication/store/sqlite/sqlite_store.h"

#include <memory>
#include <string>

namespace chapterd {

// Why this user may not use a folder that there is: folder.other-owner, folder.not-writable
// (not_allowed).
[[nodiscard]] Result<void> check_may_use(const std::string& path);
// check_may_use() and DataFolder::open().
[[nodiscard]] Result<DataFolder> open_folder(const std::string& path, Create create);

[[nodiscard]] bool waits_to_join(const std::string& folder);

// Why there is no node in a folder without a database: join.pending (needs_person; or the code with
// which the chapter above refused the request for good), node.database-lost (needs_person: keys are
// there), node.not-initialised (not_found).
[[nodiscard]] Error no_node(const std::string& folder);

// The database of a node; `seal` must outlive it. Errors: those of no_node(), also for a file that
// is empty or of something else while keys lie beside it; node.incomplete for a start that was cut
// short; those of SqliteStore::open().
[[nodiscard]] Result<std::unique_ptr<SqliteStore>> open_database(const DataFolder& folder,
                                                                 const LayerSeal* seal);

// Makes sure that a new node may be set up here: removes the database of a start that was cut
// short, of which nothing was used yet. Errors: node.exists, node.database-lost, and those of
// SqliteStore::open().
[[nodiscard]] Result<void> make_room(const DataFolder& folder);

}  // namespace chapterd
