// The node's secret keys on disk, and what opens them.
//
// Key files lie in the data folder. Without a passphrase they are bound to this machine by 32
// random bytes in a file outside it, so that a copy of the data folder alone opens nothing:
// $CHAPTERD_MACHINE_KEY, else $XDG_STATE_HOME/chapterd/machine.key, else
// ~/.local/state/chapterd/machine.key. All nodes of one account share it.
// $CHAPTERD_PASSPHRASE, or the first line of the file $CHAPTERD_PASSPHRASE_FILE, protects new key
// files instead, and opens those that were made so.
#pragma once

#include "base/random.h"
#include "base/result.h"
#include "crypto/key_file.h"
#include "crypto/node_key.h"
#include "replication/store/folder.h"

#include <optional>
#include <string>

namespace chapterd {

struct KeySecrets {
  std::string machine_file;
  std::optional<std::string> passphrase;
};

// From the environment: called before other threads start. Errors: key.no-place (no HOME either),
// and those of read_file() for the passphrase's file.
[[nodiscard]] Result<KeySecrets> key_secrets();

// Makes the machine secret when it is needed and missing. Errors: those of write_file_durably(),
// key.machine-file.
[[nodiscard]] Result<void> write_key(const std::string& path,
                                     KeyPurpose purpose,
                                     const SigningKey& key,
                                     const KeySecrets& secrets,
                                     Random& random);

// The same for the 32 bytes that a key is made from, of any purpose.
[[nodiscard]] Result<void> write_seed(const std::string& path,
                                      KeyPurpose purpose,
                                      ByteView seed,
                                      const KeySecrets& secrets,
                                      Random& random);

// The 32 bytes; the caller wipe()s them. Errors: those of read_key().
[[nodiscard]] Result<Bytes> read_seed(const std::string& path,
                                      KeyPurpose purpose,
                                      const KeySecrets& secrets);

// Errors: key.missing (not_found), key.open-to-others (not_allowed), those of decode_key_file(),
// key.machine-file.
[[nodiscard]] Result<SigningKey> read_key(const std::string& path,
                                          KeyPurpose purpose,
                                          const KeySecrets& secrets);

// The authority key in use: that of authority.key, or, once a successor took effect, that of
// authority.key.next, which then takes its place. Nothing when neither file holds it. Errors: those
// of read_key(), but for key.missing, and of write_key().
[[nodiscard]] Result<std::optional<SigningKey>> authority_in_use(const DataFolder& folder,
                                                                 const PublicKey& in_use,
                                                                 const KeySecrets& secrets,
                                                                 Random& random);

}  // namespace chapterd
