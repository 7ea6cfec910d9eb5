// A disk in memory: what a process wrote, what of it is durable, and what a power cut leaves.
//
// Every write since the last fsync of its file may be kept, dropped, torn at a sector or overtaken
// by a later one once the power goes. A killed process loses nothing that it wrote.
#pragma once

#include "base/bytes.h"
#include "tests/support/seeded.h"

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace chapterd::sim {

using testing::SeededRandom;

// Locks and shared memory of the processes that have a file open: gone with the last of them.
struct SharedMemory {
  static constexpr int slots = 8;
  std::vector<std::unique_ptr<std::vector<std::uint8_t>>> regions;
  int shared[slots] = {};
  bool exclusive[slots] = {};
  int users = 0;
};

struct FileLocks {
  int shared = 0;
  const void* reserved = nullptr;
  const void* pending = nullptr;
  const void* exclusive = nullptr;
};

class SimFile {
 public:
  int read(std::uint8_t* to, std::size_t count, std::size_t offset) const;
  void write(ByteView bytes, std::size_t offset);
  void truncate(std::size_t size);
  void sync();

  [[nodiscard]] std::size_t size() const { return now_.size(); }

  [[nodiscard]] const Bytes& bytes() const { return now_; }

  // What the file holds once the power came back.
  void lose_power(SeededRandom& random);
  // Only what is needed to lose power on it.
  [[nodiscard]] SimFile copy() const;
  // What was written, all of it on the new disk.
  [[nodiscard]] SimFile restored() const;

  bool is_named_durably = false;  // its directory entry was synced
  FileLocks locks;
  std::shared_ptr<SharedMemory> memory = std::make_shared<SharedMemory>();

 private:
  struct Change {
    bool is_truncation = false;
    std::size_t offset = 0;  // or the new size
    Bytes bytes;
  };

  static void apply(Bytes& to, const Change& change);
  static void apply_torn(Bytes& to, const Change& change, SeededRandom& random);

  Bytes now_;
  Bytes durable_;
  std::vector<Change> unsynced_;
};

// What goes wrong, until it is set back. Counted over all files.
struct DiskFaults {
  std::int64_t room_bytes = -1;   // that may still be written before "disk full"; -1: no limit
  std::int64_t dies_after = -1;   // I/O calls until nothing gets through any more; -1: never
  std::int64_t probe_after = -1;  // I/O calls until a copy is taken
  int bad_writes = 0;             // that fail with an I/O error
  int bad_syncs = 0;
  bool syncs_lie = false;          // a control: fsync says yes and does nothing
  bool ignores_full_sync = false;  // a control: synchronous=FULL is not heard
};

class SimDisk {
 public:
  // Registers the disk as a VFS of SQLite.
  explicit SimDisk(std::uint64_t seed);
  SimDisk(const SimDisk&) = delete;
  SimDisk& operator=(const SimDisk&) = delete;
  ~SimDisk();

  // Name of the VFS, and the only database on the disk.
  [[nodiscard]] const std::string& vfs() const { return name_; }

  // SqliteStore makes the file itself before SQLite opens it: this one is always there.
  static constexpr const char* database = "/dev/null";
  // Begins the names of temporary files.
  static constexpr const char* temporary = "temporary-";

  [[nodiscard]] bool is_dead() const { return faults.dies_after == 0; }

  // The processes that used the disk are gone; what they wrote is in the page cache.
  void processes_died();
  // As processes_died(), and the page cache is gone too.
  void lose_power();
  // The disk as it is now, under a name of its own, with chance of its own.
  [[nodiscard]] std::unique_ptr<SimDisk> copy(std::uint64_t seed) const;
  // Every byte of every file.
  [[nodiscard]] std::vector<const Bytes*> contents() const;

  // Counts one I/O call. False: the process died before it.
  bool count_io();

  // Grows with every death: files that a dead process had open do nothing any more.
  [[nodiscard]] std::uint64_t generation() const { return generation_; }

  void remove(const std::string& name);
  // The old file under the new name may come back until names are synced.
  void rename(const std::string& from, const std::string& to);
  // Every file is as it was on the other disk when that copy was taken; those named stay.
  void put_back(const SimDisk& other, const std::set<std::string>& staying);
  // Names made and removed until now are on disk.
  void sync_names();

  std::map<std::string, std::shared_ptr<SimFile>> files;
  DiskFaults faults;
  std::vector<std::unique_ptr<SimDisk>> probes;  // copies that faults.probe_after asked for
  std::uint64_t io_calls = 0;
  std::uint64_t temporaries = 0;  // files made so far

 private:
  SeededRandom random_;
  std::uint64_t generation_ = 0;
  std::string name_;
  std::map<std::string, std::shared_ptr<SimFile>> removed_;   // and not synced: may come back
  std::map<std::string, std::shared_ptr<SimFile>> replaced_;  // the same; null: there was none
  struct Registration;
  std::unique_ptr<Registration> registration_;
};

}  // namespace chapterd::sim
