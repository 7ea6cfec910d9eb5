// A disk that fills up or fails, for SQLite: wraps the default VFS.
#pragma once

#include <cstdint>
#include <string>

namespace chapterd {

// What goes wrong, for the whole process and all files opened through the VFS.
struct Faults {
  std::int64_t room_bytes = -1;  // that may still be written before "disk full"; -1: no limit
  bool only_database = false;    // the limit is for the database file, not for its WAL
  int syncs = -1;                // that still work before fsync fails; -1: all
};

// Set before and between calls into the store, from its thread.
Faults& faults();

// Registers the VFS on the first call and returns its name.
const std::string& faulty_vfs();

}  // namespace chapterd
