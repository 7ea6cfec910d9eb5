// A machine with a disk, a clock and keys, on which a node's process lives, dies and lives again.
#pragma once

#include "crypto/node_key.h"
#include "replication/format/feed.h"
#include "replication/format/ids.h"
#include "tests/sim/ledger.h"
#include "tests/sim/process.h"
#include "tests/sim/sim_clock.h"
#include "tests/sim/sim_disk.h"
#include "tests/sim/sim_mark.h"

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace chapterd::sim {

// A chapter of the simulated federation, as those who founded it know it.
struct SimChapter {
  ChapterId id;
  std::string code;
  int parent = -1;  // index; -1: global
  int founded_below = -1;
  std::shared_ptr<SigningKey> authority;
  std::vector<std::shared_ptr<SigningKey>> later;  // keys made to take its place
  std::vector<int> machines;
  std::vector<Bytes> chain;  // statements that lead to its authority
};

// A copy of a disk that somebody laid aside, and what it promised.
struct Backup {
  std::unique_ptr<SimDisk> disk;
  Promised promised;
  Incarnation incarnation;
  Epoch epoch;
  ExportMark mark;        // in the database
  std::set<int> revoked;  // machines of which it knew that
};

class SimNode {
 public:
  SimNode(World& world, int machine, int chapter, std::uint64_t seed);

  // Writes the identity of a new node to the empty disk.
  void found(const Bytes& genesis, const std::vector<Bytes>& chain);

  void start();
  // The program ends in order.
  void stop();
  void kill();
  void lose_power();
  // Nobody hears of this disk again.
  void retire();
  // After the disk failed under the process: what the page cache holds stays.
  void broke(const std::string& why);

  [[nodiscard]] bool is_up() const { return process != nullptr; }

  // Whether anything is expected of it: nobody revoked it, and its disk is not lost for good.
  [[nodiscard]] bool counts() const { return !is_revoked && !is_gone; }

  [[nodiscard]] const PublicKey& id() const { return key->public_key(); }

  World& world;
  const int machine;
  const int chapter;  // index
  testing::SeededRandom random;
  SimClock clock;
  std::unique_ptr<SimDisk> disk;
  std::unique_ptr<SigningKey> key;
  std::vector<int> peers;  // machines that it calls
  std::shared_ptr<Process> process;
  Instant paused_until;
  Instant corrupts_until;  // what it relays until then has changed bytes
  std::optional<Backup> yesterday;
  bool stays_down = false;  // until the end of the chaos
  bool is_gone = false;     // its disk is lost, or it was a copy that was found
  int copy_of = -1;         // machine that has the same key
  int replaced_by = -1;     // machine that its chapter has now that its disk is lost
  bool is_revoked = false;  // the statement is on some disk
  int revoker = -1;         // the machine that wrote the statement, or tried to
  bool has_written_revocation = false;
  bool loses_power_next = false;  // when its disk dies, rather than the process being killed
  int restarts = 0;
  int life = 0;                // grows when a disk is put back
  bool may_come_back = false;  // a disk was put back, or copied: it may find out
  Incarnation incarnation;     // as of its last transaction
  ChapterPath home;            // the same: where its chapter stands
  std::set<Epoch> epochs;      // of this life
  InstanceToken token;         // as of its last transaction: another one once it came back
  bool has_come_back = false;  // it found out that its disk was put back, or copied
  bool has_met = false;        // and since then somebody who may give back what it lost
  std::string last_trouble;

 private:
  void restart_later();
};

}  // namespace chapterd::sim
