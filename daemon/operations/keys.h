// The node's secret keys on disk, and what opens them.
//
// Key files lie in the data folder. Without a passphrase they are bound to this machine by 32
// random bytes in a file outside it, so that a copy of the data folder alone opens nothing:
// $CHAPTERD_MACHINE_KEY, else $XDG_STATE_HOME/chapterd/machine.key, else
// ~/.local/state/chapterd/machine.key. All nodes of one account share it.
// $CHAPTERD_PASSPHRASE, or the first line of the file $CHAPTERD_PASSPHRASE_FILE, protects new key
// files instead, and opens those that were made so. Unattended, the node's key alone stays bound to
// the machine: the daemon starts by itself and exchanges what is shared, while the authority and
// the chapter's private data wait for the passphrase.
#pragma once

#include "base/random.h"
#include "base/result.h"
#include "crypto/guarded.h"
#include "crypto/key_file.h"
#include "crypto/node_key.h"
#include "replication/store/folder.h"

#include <optional>
#include <string>

namespace chapterd {

struct KeySecrets {
  std::string machine_file;
  std::optional<std::string> passphrase;
  bool unattended = false;  // for new keys

  // Whether a key of this purpose is to be protected by the passphrase.
  [[nodiscard]] bool uses_passphrase(KeyPurpose purpose) const {
    return passphrase && !(unattended && purpose == KeyPurpose::node);
  }
};

// What a person said on the line or typed on the terminal: counts before the environment. Called
// before other threads start.
void say_passphrase(std::string passphrase);
void say_unattended();

// From the environment: called before other threads start. Errors: key.no-place (no HOME either),
// those of read_file() for the passphrase's file, passphrase.empty.
[[nodiscard]] Result<KeySecrets> key_secrets();

// Whether a node that begins now may keep its keys so. Error: passphrase.short.
[[nodiscard]] Result<void> check_for_new(const KeySecrets& secrets);

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

// How the file is protected. Errors: key.missing, key.open-to-others, key.damaged and what else
// key_file_protection() says.
[[nodiscard]] Result<Protection> protection_of(const std::string& path, KeyPurpose purpose);

// Its 32-byte seed. Errors: key.missing (not_found), key.open-to-others (not_allowed), those of
// decode_key_file(), key.machine-file.
[[nodiscard]] Result<GuardedBytes> read_seed(const std::string& path,
                                             KeyPurpose purpose,
                                             const KeySecrets& secrets);
[[nodiscard]] Result<SigningKey> read_key(const std::string& path,
                                          KeyPurpose purpose,
                                          const KeySecrets& secrets);

// Of authority.key and authority.key.next the file that holds the key in use, as far as `secrets`
// open them; authority.key when neither is known to.
[[nodiscard]] std::string authority_file(const std::string& folder,
                                         const PublicKey& in_use,
                                         const KeySecrets& secrets);

// The authority key in use: that of authority.key, or, once a successor took effect, that of
// authority.key.next, which then takes its place. Nothing when neither file holds it. Errors: those
// of read_key(), but for key.missing, and of write_key().
[[nodiscard]] Result<std::optional<SigningKey>> authority_in_use(const DataFolder& folder,
                                                                 const PublicKey& in_use,
                                                                 const KeySecrets& secrets,
                                                                 Random& random);

}  // namespace chapterd
