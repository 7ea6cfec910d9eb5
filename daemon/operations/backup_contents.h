// What lies in a backup: a database, and perhaps keys. Keys are kept as purpose and seed, and
// wrapped anew where they are put back.
#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/guarded.h"
#include "daemon/operations/keys.h"

#include <nlohmann/json_fwd.hpp>

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace chapterd {

// Names of the key files in a data folder.
[[nodiscard]] std::vector<std::string> key_files_in(const std::string& folder);

// Keys of a backup by the names of their files, each as purpose u8 | seed bytes[32]. They lie in
// memory only: on a disk they would be open to whoever finds it.
using KeyParts = std::map<std::string, GuardedBytes>;

// purpose u8 | seed bytes[32]; the caller wipe()s it. Errors: those of read_key().
[[nodiscard]] Result<Bytes> read_key_part(const std::string& path, const KeySecrets& secrets);
// The other way: a key file as this machine protects its own.
[[nodiscard]] Result<void> write_key_part(const std::string& path,
                                          ByteView part,
                                          const KeySecrets& secrets,
                                          Random& random);

// What its head says, with "file", "bytes" and "sealed".
[[nodiscard]] Result<nlohmann::json> describe_backup(const std::string& path);

// Writes the files of a backup into a folder, each for its owner only and on disk, but for its
// keys: those go into `keys`, or nowhere when that is null. Errors: those of read_backup(),
// backup.cannot-write, backup.damaged (a name or a key that cannot be).
[[nodiscard]] Result<void> unpack_backup(const std::string& path,
                                         const std::optional<std::string>& passphrase,
                                         const std::string& folder,
                                         KeyParts* keys);

// As Verification::json(), pages and all. The file is opened for writing: only for a copy.
[[nodiscard]] Result<nlohmann::json> check_database(const std::string& copy);

}  // namespace chapterd
