// A copy of a database at one moment, while others go on writing to it.
#pragma once

#include <string>

namespace chapterd {

// Copies every committed transaction of the database `from` into the new file `to` (mode 0600),
// and waits until it is on disk. Reads by a connection of its own that never writes: the daemon
// goes on undisturbed, in this process or in another. Throws DiskFull or Broken; then an unfinished
// file may be left at `to`.
void copy_database(const std::string& from, const std::string& to);

}  // namespace chapterd
