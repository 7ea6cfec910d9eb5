// Key files and the machine secret.
#include "daemon/operations/keys.h"

#include "crypto/guarded.h"
#include "crypto/passphrase.h"
#include "replication/store/folder.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace chapterd {
namespace {

constexpr std::size_t most_passphrase_bytes = 4096;

// What was said before the environment is asked.
struct Said {
  std::optional<std::string> passphrase;
  bool unattended = false;
};

Said& said() {
  static Said words;
  return words;
}

std::string variable(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): before threads start
  return value == nullptr ? std::string() : value;
}

tl::unexpected<Error> machine_file_trouble(const std::string& path, const std::string& why) {
  return fail(Errc::failed, "key.machine-file",
              "The machine's own key " + path + " cannot be used: " + why + ".",
              "The keys of the node are unchanged.",
              "Put the file back, or give the passphrase if the keys have one.");
}

// As `mkdir -p` for the folder of a file, each new one for this user only.
void make_folder_of(const std::string& path) {
  for (std::size_t end = path.find('/', 1); end != std::string::npos; end = path.find('/', end + 1))
    ::mkdir(path.substr(0, end).c_str(), 0700);  // what is wrong shows when the file is made
}

// Gives a file its name unless another process was first; then its file stays.
int publish_once(const std::string& made, const std::string& path) {
  const int code = ::link(made.c_str(), path.c_str()) == 0 || errno == EEXIST ? 0 : errno;
  ::unlink(made.c_str());
  return code;
}

Result<void> make_machine_secret(const std::string& path, Random& random) {
  if (::access(path.c_str(), F_OK) == 0) return {};
  make_folder_of(path);
  Bytes secret(machine_secret_bytes);
  random.fill(secret);
  // Two nodes may be set up at one moment: only one secret may win, or the other node's keys are
  // lost. So it is written under a name of its own and then linked.
  const std::string made = path + "." + std::to_string(::getpid());
  auto written = write_file_durably(made, secret);
  wipe(secret);
  if (!written) return written;
  if (const int code = publish_once(made, path); code != 0)
    return machine_file_trouble(path, std::strerror(code));
  return {};
}

Result<Bytes> read_machine_secret(const std::string& path) {
  struct stat status = {};
  if (::stat(path.c_str(), &status) != 0) return machine_file_trouble(path, std::strerror(errno));
  if ((status.st_mode & 077) != 0)
    return machine_file_trouble(path, "others may read it (close it with chmod 600)");
  auto secret = read_file(path, machine_secret_bytes);
  if (!secret) return secret;
  if (secret->size() != machine_secret_bytes) return machine_file_trouble(path, "it is damaged");
  return secret;
}

// What read_file() cannot say: whose key it is, and that others must not read it.
Result<void> check_key_file(const std::string& path) {
  struct stat status = {};
  const bool there = ::stat(path.c_str(), &status) == 0;
  if (!there && errno == ENOENT) {
    return fail(Errc::not_found, "key.missing", "The key " + path + " is missing.",
                "The database is unchanged, and what others have received is safe there.",
                "Put the key back from a backup of this folder. Without one a new computer takes "
                "this one's place, from an empty folder. The chapter above takes this one back, "
                "there: chapterd peers revoke CODE. Then it invites the new one, there: chapterd "
                "invite create CODE --replace");
  }
  if (!there || (status.st_mode & 077) == 0) return {};
  return fail(Errc::not_allowed, "key.open-to-others",
              "Other users of this machine may read or write the key " + path + ".",
              "Nothing was changed.", "Close it with: chmod 600 '" + path + "'");
}

}  // namespace

void say_passphrase(std::string passphrase) {
  said().passphrase = std::move(passphrase);
}

void say_unattended() {
  said().unattended = true;
}

Result<KeySecrets> key_secrets() {
  KeySecrets secrets;
  const std::string state = variable("XDG_STATE_HOME");
  const std::string home = variable("HOME");
  secrets.machine_file = variable("CHAPTERD_MACHINE_KEY");
  if (secrets.machine_file.empty() && state.starts_with('/'))
    secrets.machine_file = state + "/chapterd/machine.key";
  if (secrets.machine_file.empty() && !home.empty())
    secrets.machine_file = home + "/.local/state/chapterd/machine.key";
  secrets.unattended = said().unattended || variable("CHAPTERD_UNATTENDED") == "1";
  secrets.passphrase = said().passphrase;
  if (std::string passphrase = variable("CHAPTERD_PASSPHRASE");
      !secrets.passphrase && !passphrase.empty())
    secrets.passphrase = std::move(passphrase);
  const std::string file = variable("CHAPTERD_PASSPHRASE_FILE");
  if (!secrets.passphrase && !file.empty()) {
    auto text = read_file(file, most_passphrase_bytes);
    if (!text) return forward(text);
    auto passphrase = passphrase_in(as_text(*text));
    wipe(*text);
    if (!passphrase) return forward(passphrase);
    secrets.passphrase = std::move(*passphrase);
  }
  if (secrets.unattended && !secrets.passphrase) {
    return fail(Errc::usage, "key.unattended",
                "An unattended node needs a passphrase: without one there would be nothing that is "
                "locked.",
                "Nothing was changed.",
                "Give it in CHAPTERD_PASSPHRASE or in the file CHAPTERD_PASSPHRASE_FILE.");
  }
  if (secrets.machine_file.empty() && (!secrets.passphrase || secrets.unattended)) {
    return fail(Errc::usage, "key.no-place",
                "There is no place for this machine's own key: the environment has no HOME.",
                "Nothing was changed.", "Set CHAPTERD_MACHINE_KEY to the path of a file.");
  }
  return secrets;
}

Result<void> check_for_new(const KeySecrets& secrets) {
  return secrets.passphrase ? check_new_passphrase(*secrets.passphrase) : Result<void>();
}

Result<void> write_seed(const std::string& path,
                        KeyPurpose purpose,
                        ByteView seed,
                        const KeySecrets& secrets,
                        Random& random) {
  if (secrets.uses_passphrase(purpose)) {
    const auto wrapping = Wrapping::with_passphrase(*secrets.passphrase);
    return write_file_durably(path, encode_key_file(purpose, seed, wrapping, random));
  }
  if (auto made = make_machine_secret(secrets.machine_file, random); !made) return made;
  auto machine = read_machine_secret(secrets.machine_file);
  if (!machine) return forward(machine);
  const auto wrapping = Wrapping::with_machine(*machine);
  const Bytes file = encode_key_file(purpose, seed, wrapping, random);
  wipe(*machine);
  return write_file_durably(path, file);
}

Result<void> write_key(const std::string& path,
                       KeyPurpose purpose,
                       const SigningKey& key,
                       const KeySecrets& secrets,
                       Random& random) {
  return write_seed(path, purpose, key.seed(), secrets, random);
}

Result<Protection> protection_of(const std::string& path, KeyPurpose purpose) {
  if (auto checked = check_key_file(path); !checked) return forward(checked);
  const auto file = read_file(path, key_file_bytes);
  if (!file) return forward(file);
  return key_file_protection(purpose, *file);
}

Result<GuardedBytes> read_seed(const std::string& path,
                               KeyPurpose purpose,
                               const KeySecrets& secrets) {
  const auto protection = protection_of(path, purpose);
  if (!protection) return forward(protection);
  const auto file = read_file(path, key_file_bytes);
  if (!file) return forward(file);
  Unwrapping unwrapping;
  if (secrets.passphrase) unwrapping.passphrase = *secrets.passphrase;
  Result<Bytes> machine;
  if (*protection == Protection::machine) {
    machine = read_machine_secret(secrets.machine_file);
    if (!machine) return forward(machine);
    unwrapping.machine_secret = *machine;
  }
  auto seed = decode_key_file(purpose, *file, unwrapping);
  if (machine) wipe(*machine);
  if (!seed) return forward(seed);
  GuardedBytes guarded(seed->size());
  std::ranges::copy(*seed, guarded.writable().begin());
  wipe(*seed);
  return guarded;
}

Result<SigningKey> read_key(const std::string& path,
                            KeyPurpose purpose,
                            const KeySecrets& secrets) {
  const auto seed = read_seed(path, purpose, secrets);
  if (!seed) return forward(seed);
  return SigningKey::from_seed(seed->view());
}

std::string authority_file(const std::string& folder,
                           const PublicKey& in_use,
                           const KeySecrets& secrets) {
  std::string next = folder + "/authority.key.next";
  const auto key = read_key(next, KeyPurpose::authority, secrets);
  return key && key->public_key() == in_use ? next : folder + "/authority.key";
}

Result<std::optional<SigningKey>> authority_in_use(const DataFolder& folder,
                                                   const PublicKey& in_use,
                                                   const KeySecrets& secrets,
                                                   Random& random) {
  for (const std::string& path : {folder.authority_key(), folder.next_authority_key()}) {
    auto key = read_key(path, KeyPurpose::authority, secrets);
    if (!key && key.error().kind != Errc::not_found) return forward(key);
    if (!key || key->public_key() != in_use) continue;
    if (path == folder.next_authority_key()) {
      auto kept = write_key(folder.authority_key(), KeyPurpose::authority, *key, secrets, random);
      if (!kept) return forward(kept);
      ::unlink(path.c_str());  // what is left of it is read no more
    }
    return std::optional(std::move(*key));
  }
  return std::optional<SigningKey>();
}

}  // namespace chapterd
