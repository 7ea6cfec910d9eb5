// A node's folder, opened: locked, keys unlocked, database and replica ready.
#pragma once

#include "base/result.h"
#include "crypto/system_random.h"
#include "daemon/operations/keys.h"
#include "daemon/operations/node_access.h"
#include "daemon/system_clock.h"
#include "replication/store/high_water.h"
#include "replication/store/sqlite/sqlite_store.h"

#include <memory>

namespace chapterd {

class OpenedNode {
 public:
  // Takes the folder's lock until it is destroyed. When the database was put back to an older
  // state, a new incarnation begins. Finishes a rebuild that was cut short. Errors: those of
  // open_folder(), start_crypto(), open_database(), Replica::open() and read_key() for node.key. A
  // missing authority.key is no error: then there is no authority. Nor is it one when a key other
  // than node.key needs a passphrase that was not given, or chapter.key cannot be used: then the
  // authority or the private data is locked.
  [[nodiscard]] static Result<std::unique_ptr<OpenedNode>> open(const Config& config);

  OpenedNode(const OpenedNode&) = delete;
  OpenedNode& operator=(const OpenedNode&) = delete;
  // Raises the export mark a last time, unless the machine is broken.
  ~OpenedNode();

  [[nodiscard]] const NodeParts& parts() const { return parts_; }

  [[nodiscard]] const Config& config() const { return config_; }

  [[nodiscard]] Random& random() { return *random_; }

  [[nodiscard]] const Clock& date() const { return date_; }

  [[nodiscard]] Replica& replica() { return *replica_; }

  [[nodiscard]] Store& store() { return *store_; }

  [[nodiscard]] const ChapterVault& vault() const { return *vault_; }

  // After each transaction, on the thread that writes: once a successor of the chapter's authority
  // key took effect, nothing is signed with the one before, and the new one is used if it waits
  // here and opens. Else it is locked until somebody unlocks it.
  void follow_authority();

 private:
  OpenedNode(const Config& config,
             DataFolder folder,
             Kinds kinds,
             SigningKey key,
             std::string machine_file,
             std::unique_ptr<SystemRandom> random,
             std::unique_ptr<ChapterVault> vault);
  [[nodiscard]] Result<void> unlock(const KeySecrets& secrets);

  const Config config_;
  const DataFolder folder_;
  const Kinds kinds_;
  const SystemClock date_;
  const std::unique_ptr<SystemRandom> random_;
  const std::unique_ptr<ChapterVault> vault_;
  const SigningKey key_;
  const std::string machine_file_;
  AuthorityKey authority_;
  MemberIndex members_;
  NoticedDamage damage_;
  std::optional<Error> locked_because_;
  const NodeParts parts_;
  MarkFile mark_;
  std::unique_ptr<SqliteStore> store_;
  std::unique_ptr<Replica> replica_;
  std::uint64_t followed_ = 0;  // version of the authority
};

}  // namespace chapterd
