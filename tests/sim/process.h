// One life of a node: store, replica, directory and links as the daemon composes them, with every
// hop between its threads an event of its own.
#pragma once

#include "replication/directory.h"
#include "replication/replica.h"
#include "replication/store/sqlite/sqlite_store.h"
#include "tests/sim/agenda.h"
#include "tests/sim/controls.h"
#include "tests/sim/sim_link.h"
#include "tests/sim/sim_mark.h"

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace chapterd::sim {

class SimNode;
class World;

// Something for the writer. `finish` hears of an error, or that it is on disk.
struct Job {
  std::function<void(Replica&)> stage;
  std::function<void(const std::optional<std::string>& error)> finish;
  bool alone = false;  // in its transaction
};

class Process : public std::enable_shared_from_this<Process> {
 public:
  // Throws Broken or DiskFull when the disk does not let it start.
  Process(World& world, SimNode& node);
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process();

  // Begins to call its peers.
  void start();

  // Runs `what` after a while, unless the process is gone by then; later when it is paused. A
  // broken machine ends the process.
  void later(std::int64_t ms, std::function<void()> what);
  void now(const std::function<void()>& what);

  [[nodiscard]] bool has_started() const { return started_; }

  void post(Job&& job);
  // Takes what waits, or a part of it, and commits it.
  void run_group();
  // A peer's window, verified.
  void receive(const std::shared_ptr<SimLink>& link,
               VerifiedWindow&& window,
               std::function<void(const StoredWindow*)> stored);
  void link_ended(const SimLink& link);
  // The newest link to a node counts.
  void link_opened(const SimLink& link);
  // Both ends know each other: those whom it calls stand above it, and a copy may do so; the global
  // node has only those that call it.
  void session_opened(const SimLink& link);
  // Another machine is called instead of one.
  void redirect(int from, int to);
  [[nodiscard]] bool calls(int machine) const;
  // Somebody called.
  std::shared_ptr<SimLink> accept(int machine, const PublicKey& peer);

  // The last that is written in an orderly end.
  void close();
  // The machine was switched off (`silently`) or the process killed.
  void end(bool silently);

  [[nodiscard]] Replica& replica() { return *replica_; }

  [[nodiscard]] Directory& directory() { return *directory_; }

  [[nodiscard]] SqliteStore& store() { return *store_; }

  [[nodiscard]] Reader& reader() { return *reader_; }

  [[nodiscard]] SimNode& node() { return node_; }

  [[nodiscard]] World& world() { return world_; }

  [[nodiscard]] const std::vector<std::shared_ptr<SimLink>>& links() const { return links_; }

 private:
  struct Call {
    int machine = 0;
    int failures = 0;
    bool had_session = false;
    std::shared_ptr<SimLink> link;
  };

  bool write_group(std::vector<Job>& group);
  void follow();
  void follow_moves();
  void ask_person();
  void tell_window(const VerifiedWindow& window, const SimLink& link);
  void dial(std::size_t call);
  void connected(std::size_t call);
  void dial_later(std::size_t call);

  World& world_;
  SimNode& node_;
  ChapterVault vault_;
  SimMark mark_;
  std::unique_ptr<SqliteStore> store_;
  std::unique_ptr<Replica> replica_;
  std::unique_ptr<Reader> reader_;
  std::unique_ptr<Directory> directory_;
  std::vector<std::shared_ptr<SimLink>> links_;
  std::vector<Call> calls_;
  std::deque<Job> queue_;
  bool group_due_ = false;
  bool follow_due_ = false;
  bool person_asked_ = false;
  bool started_ = false;
  bool ended_ = false;
};

}  // namespace chapterd::sim
