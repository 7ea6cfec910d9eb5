// SQLite's view of a SimDisk.
#pragma once

#include <memory>
#include <string>

namespace chapterd::sim {

class SimDisk;

// A VFS of this name for as long as it lives.
class RegisteredVfs {
 public:
  RegisteredVfs(SimDisk& disk, const std::string& name);
  RegisteredVfs(const RegisteredVfs&) = delete;
  RegisteredVfs& operator=(const RegisteredVfs&) = delete;
  ~RegisteredVfs();

 private:
  struct Vfs;
  std::unique_ptr<Vfs> vfs_;
};

// Makes SQLite's own chance (salts of a WAL) repeatable from here on.
void seed_sqlite(std::uint32_t seed);

// A control: every connection opened from now on begins with this SQL; nothing when null.
void begin_connections_with(const char* sql);

}  // namespace chapterd::sim
