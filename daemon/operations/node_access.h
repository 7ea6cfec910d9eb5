// What the verbs need of a node, whether it runs as a daemon or was opened in this process.
#pragma once

#include "base/random.h"
#include "base/result.h"
#include "base/time.h"
#include "config/config.h"
#include "crypto/node_key.h"
#include "daemon/net/peers.h"
#include "daemon/operations/member_index.h"
#include "domain/kind.h"
#include "replication/directory.h"
#include "replication/replica.h"
#include "replication/store/folder.h"
#include "replication/store/store.h"

#include <nlohmann/json_fwd.hpp>

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace chapterd {

// The connections at one moment.
struct LinksNow {
  std::vector<PeerStatus> peers;
  std::string listens_at;
  bool paused = false;
  std::uint64_t day_used_bytes = 0;  // of the budget of the day; 0 without one
  bool is_day_spent = false;
  std::optional<AncestorsStatus> ancestors;  // nodes further up; nothing when none is asked
  Instant now;                               // by the clock that `peers` was told by
};

// Of a running daemon. Any thread but the loop's.
class Connections {
 public:
  virtual ~Connections() = default;
  [[nodiscard]] virtual LinksNow look() = 0;
  virtual void sync_now() = 0;
  virtual void ask_ancestors() = 0;
  virtual void pause() = 0;
  virtual void resume() = 0;
};

// The chapter's authority key while it is unlocked. Any thread.
class AuthorityKey {
 public:
  // Null while it is locked, or when its file is not here.
  [[nodiscard]] std::shared_ptr<const SigningKey> get() const {
    const std::lock_guard lock(mutex_);
    return key_;
  }

  void set(std::shared_ptr<const SigningKey> key) {
    const std::lock_guard lock(mutex_);
    key_ = std::move(key);
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const SigningKey> key_;
};

// The first damage of what is stored that anything met since the start, until a verification finds
// none. Any thread.
class NoticedDamage {
 public:
  struct Noticed {
    Error error;
    Instant date;
  };

  void note(const Error& error, Instant date) {
    const std::lock_guard lock(mutex_);
    if (!noticed_) noticed_ = Noticed{error, date};
  }

  void forget() {
    const std::lock_guard lock(mutex_);
    noticed_.reset();
  }

  [[nodiscard]] std::optional<Noticed> get() const {
    const std::lock_guard lock(mutex_);
    return noticed_;
  }

 private:
  mutable std::mutex mutex_;
  std::optional<Noticed> noticed_;
};

struct DiskSpace {
  std::uint64_t free_bytes = 0;
  bool is_low = false;            // new writes are refused
  std::uint64_t least_bytes = 0;  // what must be free for them
};

// What does not change while a node is open. Borrowed; everything in it may be used by any thread.
struct NodeParts {
  const Config& config;
  const DataFolder& folder;
  const Kinds& kinds;
  const Clock& date;
  Random& random;
  const SigningKey& key;
  AuthorityKey& authority;
  const ChapterVault& vault;
  MemberIndex& members;
  NoticedDamage& damage;
  const std::string& machine_file;             // of KeySecrets, for unlocking
  const std::optional<Error>& locked_because;  // why the vault did not open at the start
};

// One thread an object.
class NodeAccess {
 public:
  using Read = std::function<Result<nlohmann::json>(Reader&, const Directory&)>;
  using Write = std::function<Result<nlohmann::json>(Replica&)>;

  virtual ~NodeAccess() = default;

  // Calls `read` with the directory as of now.
  [[nodiscard]] virtual Result<nlohmann::json> read(const Read& read) = 0;
  // Calls `write` on the writer; what it staged is on disk when this returns a value. A `write`
  // that refuses has staged nothing.
  [[nodiscard]] virtual Result<nlohmann::json> write(const Write& write) = 0;
  // The same where nothing of anybody else may be staged meanwhile: for upkeep of the whole
  // database, and for a `write` that may refuse half-way. What that has staged is taken back.
  [[nodiscard]] virtual Result<nlohmann::json> write_alone(const Write& write) = 0;

  // Null when no daemon is running.
  [[nodiscard]] virtual Connections* connections() = 0;
  [[nodiscard]] virtual Result<DiskSpace> disk() const = 0;
  [[nodiscard]] virtual const NodeParts& parts() const = 0;
};

}  // namespace chapterd
