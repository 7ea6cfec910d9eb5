// What lies in a backup: a database, and perhaps keys. Keys are kept as purpose and seed, and
// wrapped anew where they are put back.
#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "daemon/operations/keys.h"

#include <nlohmann/json_fwd.hpp>

#include <optional>
#include <string>
#include <vector>

namespace chapterd {

// Names of the key files in a data folder.
[[nodiscard]] std::vector<std::string> key_files_in(const std::string& folder);

// purpose u8 | seed bytes[32]; the caller wipe()s it. Errors: those of read_key().
[[nodiscard]] Result<Bytes> read_key_part(const std::string& path, const KeySecrets& secrets);
// The other way: a key file as this machine protects its own.
[[nodiscard]] Result<void> write_key_part(const std::string& path,
                                          ByteView part,
                                          const KeySecrets& secrets,
                                          Random& random);

// What its head says, with "file", "bytes" and "sealed".
[[nodiscard]] Result<nlohmann::json> describe_backup(const std::string& path);

// Writes the files of a backup into a folder, each for its owner only and on disk; keys as parts.
// Errors: those of read_backup(), backup.cannot-write, backup.damaged (a name that cannot be).
[[nodiscard]] Result<void> unpack_backup(const std::string& path,
                                         const std::optional<std::string>& passphrase,
                                         const std::string& folder);

// As Verification::json(), pages and all. The file is opened for writing: only for a copy.
[[nodiscard]] Result<nlohmann::json> check_database(const std::string& copy);

}  // namespace chapterd
