// How a node begins: by founding a federation, or by joining below a chapter. These take the lock
// of the data folder themselves, and make the folder.
#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "config/config.h"

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace chapterd {

struct FoundOptions {
  std::string federation;  // name
  std::string code;        // of the global chapter
  std::string chapter;     // its name
  std::string node;        // name of this computer
};

// {"federation": id, "chapter": code, "node": fingerprint, "recovery_key": text}. The recovery key
// is 32 random bytes in base32, in groups of five; only its hash is kept, in genesis. Errors:
// node.exists, node.database-lost, join.pending, chapter.code, argument.name, and those of the
// folder, keys and store.
[[nodiscard]] Result<nlohmann::json> found_federation(const Config& config,
                                                      const FoundOptions& options);

// Makes the folder and the keys, and keeps the invite there until finish_join(). Again, with the
// same invite or after the chapter above refused the earlier one, keeps the keys. {"request":
// base32, "words": four words, "chapter": {code, name, level}, "parent": {fingerprint, addresses}}.
// Errors: invite.mistyped, node.exists, node.database-lost, join.pending (another invite waits).
[[nodiscard]] Result<nlohmann::json> prepare_join(const Config& config,
                                                  const std::string& invite,
                                                  const std::string& node_name);

// {"chapter", "name", "federation": id, "parent": {code, name}, "words", "replaces": whether the
// chapter was there before}. Errors: join.not-asked
// (nothing was prepared here), federation.other, invite.answer.
[[nodiscard]] Result<nlohmann::json> finish_join(const Config& config, ByteView answer);

// The three steps at once, over TLS, trying each address of the invite. Errors beside those of the
// others: join.no-address, and those of request_join(). The prepared keys stay for another try.
[[nodiscard]] Result<nlohmann::json> join_online(const Config& config,
                                                 const std::string& invite,
                                                 const std::string& node_name);

}  // namespace chapterd
