// Backups of a node: made while the daemon runs, looked through, tried out, put back. These work on
// files, without a node to ask.
#pragma once

#include "base/result.h"
#include "config/config.h"

#include <nlohmann/json_fwd.hpp>

namespace chapterd {

// A backup holds the whole database: the log, the records, and members' personal data in the clear.
// With a passphrase it also holds the node's keys, and all of it is sealed; without one the keys
// are left out.
//
// {"out": a file or a folder; absent: the folder "backups" of the data folder, "passphrase"} gives
// {"file", "bytes", "ms", "entries", "feeds", "records", "keys", "sealed", "same_disk"}. Errors:
// no_node(), backup.exists, passphrase.short, those of BackupWriter and of read_key().
[[nodiscard]] Result<nlohmann::json> create_backup(const Config& config,
                                                   const nlohmann::json& args);

// {"folder"} gives {"folder", "backups": [{"file", "bytes", "made_ms", "chapter", "node",
// "federation", "entries", "sealed"}]}, the newest first; what is no backup is left out.
[[nodiscard]] Result<nlohmann::json> list_backups(const Config& config, const nlohmann::json& args);

// {"file", "passphrase"} gives what list_backups() says of it and "check": what `verify` finds in
// it. Unpacks it into a temporary folder. Errors: those of read_backup() and SqliteStore::open().
[[nodiscard]] Result<nlohmann::json> verify_backup(const Config& config,
                                                   const nlohmann::json& args);

// {"file", "passphrase", "replace"} puts it into the data folder: {"chapter", "node", "entries",
// "made_ms", "kept": where the older database lies now, or null, "has_keys"}. The node takes
// itself for restored at its next start; revocations that the folder knew stay known. Errors:
// backup.live (needs_person: there is a database, and no "replace"), backup.other-node,
// backup.faults (check_failed), folder.in-use and what verify_backup() says.
[[nodiscard]] Result<nlohmann::json> restore_backup(const Config& config,
                                                    const nlohmann::json& args);

// {"folder", "passphrase"} tries the newest one out: {"file", "made_ms", "ok", "entries", "live":
// entries held now, "since": own entries written since, "elsewhere": of these held by others too,
// "lost", "check"}. Of several nodes' backups only this node's count, while its database can be
// read. Errors: backup.none, backup.none-of-this-node (not_found), and what verify_backup() says.
[[nodiscard]] Result<nlohmann::json> drill_backup(const Config& config, const nlohmann::json& args);

}  // namespace chapterd
