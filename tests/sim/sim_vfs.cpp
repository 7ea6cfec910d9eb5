// The methods of files and disks that SQLite calls. One process, one thread.
#include "tests/sim/sim_vfs.h"

#include "tests/sim/sim_disk.h"

#include <sqlite3.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>

namespace chapterd::sim {
namespace {

constexpr int memory_slots = SharedMemory::slots;

struct OpenFile {
  sqlite3_file base;
  SimDisk* disk;
  std::shared_ptr<SimFile> file;
  std::shared_ptr<SharedMemory> memory;
  std::uint64_t generation = 0;
  int lock = SQLITE_LOCK_NONE;
  bool shared[memory_slots];
  bool exclusive[memory_slots];
  std::string delete_on_close;
};

OpenFile& of(sqlite3_file* file) {
  return *reinterpret_cast<OpenFile*>(file);
}

bool is_dead(sqlite3_file* file) {
  return of(file).disk->is_dead() || of(file).generation != of(file).disk->generation();
}

bool count_io(sqlite3_file* file) {
  return !is_dead(file) && of(file).disk->count_io();
}

int read(sqlite3_file* file, void* to, int count, sqlite3_int64 offset) {
  if (is_dead(file)) return SQLITE_IOERR_READ;
  const int got =
      of(file).file->read(static_cast<std::uint8_t*>(to), static_cast<std::size_t>(count),
                          static_cast<std::size_t>(offset));
  return got == count ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

int write(sqlite3_file* file, const void* from, int count, sqlite3_int64 offset) {
  SimDisk& disk = *of(file).disk;
  if (!count_io(file)) return SQLITE_IOERR_WRITE;
  if (disk.faults.bad_writes > 0) {
    --disk.faults.bad_writes;
    return SQLITE_IOERR_WRITE;
  }
  if (disk.faults.room_bytes >= 0) {
    if (disk.faults.room_bytes < count) return SQLITE_FULL;
    disk.faults.room_bytes -= count;
  }
  of(file).file->write({static_cast<const std::uint8_t*>(from), static_cast<std::size_t>(count)},
                       static_cast<std::size_t>(offset));
  return SQLITE_OK;
}

int truncate(sqlite3_file* file, sqlite3_int64 size) {
  if (!count_io(file)) return SQLITE_IOERR_TRUNCATE;
  of(file).file->truncate(static_cast<std::size_t>(size));
  return SQLITE_OK;
}

int sync(sqlite3_file* file, int /*flags*/) {
  SimDisk& disk = *of(file).disk;
  if (!count_io(file)) return SQLITE_IOERR_FSYNC;
  if (disk.faults.bad_syncs > 0) {
    --disk.faults.bad_syncs;
    return SQLITE_IOERR_FSYNC;
  }
  if (disk.faults.syncs_lie) return SQLITE_OK;
  of(file).file->sync();
  // As the VFS of SQLite for Unix does for journals: names become durable with their first sync.
  disk.sync_names();
  return SQLITE_OK;
}

int file_size(sqlite3_file* file, sqlite3_int64* size) {
  *size = static_cast<sqlite3_int64>(of(file).file->size());
  return SQLITE_OK;
}

int unlock(sqlite3_file* file, int to) {
  OpenFile& open = of(file);
  if (open.generation != open.disk->generation()) return SQLITE_OK;
  FileLocks& locks = open.file->locks;
  for (const void** holder : {&locks.reserved, &locks.pending, &locks.exclusive})
    if (*holder == &open) *holder = nullptr;
  if (open.lock >= SQLITE_LOCK_SHARED && to == SQLITE_LOCK_NONE && locks.shared > 0) --locks.shared;
  open.lock = std::min(open.lock, to);
  return SQLITE_OK;
}

int lock(sqlite3_file* file, int to) {
  OpenFile& open = of(file);
  FileLocks& locks = open.file->locks;
  const auto held_by_other = [&](const void* holder) {
    return holder != nullptr && holder != &open;
  };
  if (is_dead(file)) return SQLITE_IOERR_LOCK;
  if (open.lock >= to) return SQLITE_OK;
  if (to == SQLITE_LOCK_SHARED) {
    if (held_by_other(locks.pending) || held_by_other(locks.exclusive)) return SQLITE_BUSY;
    ++locks.shared;
  } else if (to == SQLITE_LOCK_RESERVED) {
    if (held_by_other(locks.reserved)) return SQLITE_BUSY;
    locks.reserved = &open;
  } else {
    if (held_by_other(locks.pending) || held_by_other(locks.reserved)) return SQLITE_BUSY;
    locks.pending = &open;
    if (locks.shared > 1) return SQLITE_BUSY;
    locks.exclusive = &open;
  }
  open.lock = to;
  return SQLITE_OK;
}

int check_reserved(sqlite3_file* file, int* held) {
  *held = of(file).file->locks.reserved != nullptr ? 1 : 0;
  return SQLITE_OK;
}

int file_control(sqlite3_file* file, int what, void* with) {
  if (what != SQLITE_FCNTL_PRAGMA || !of(file).disk->faults.ignores_full_sync)
    return SQLITE_NOTFOUND;
  char** words = static_cast<char**>(with);
  const bool is_full = words[2] != nullptr && std::strcmp(words[2], "FULL") == 0;
  return is_full && std::strcmp(words[1], "synchronous") == 0 ? SQLITE_OK : SQLITE_NOTFOUND;
}

int map_memory(sqlite3_file* file, int region, int size, int extend, void volatile** to) {
  OpenFile& open = of(file);
  if (!open.memory) {
    open.memory = open.file->memory;
    ++open.memory->users;
  }
  auto& regions = open.memory->regions;
  const auto index = static_cast<std::size_t>(region);
  *to = nullptr;
  if (regions.size() <= index && extend == 0) return SQLITE_OK;
  while (regions.size() <= index)
    regions.push_back(std::make_unique<std::vector<std::uint8_t>>(static_cast<std::size_t>(size),
                                                                  std::uint8_t{0}));
  *to = regions[index]->data();
  return SQLITE_OK;
}

int unlock_memory(OpenFile& open, int first, int last) {
  for (int slot = first; slot < last; ++slot) {
    if (open.shared[slot]) --open.memory->shared[slot];
    if (open.exclusive[slot]) open.memory->exclusive[slot] = false;
    open.shared[slot] = open.exclusive[slot] = false;
  }
  return SQLITE_OK;
}

int lock_memory(sqlite3_file* file, int first, int count, int flags) {
  OpenFile& open = of(file);
  SharedMemory& memory = *open.memory;
  const int last = first + count;
  if ((flags & SQLITE_SHM_UNLOCK) != 0) return unlock_memory(open, first, last);
  const bool exclusive = (flags & SQLITE_SHM_EXCLUSIVE) != 0;
  for (int slot = first; slot < last; ++slot) {
    const int others = memory.shared[slot] - (open.shared[slot] ? 1 : 0);
    const bool taken = memory.exclusive[slot] && !open.exclusive[slot];
    if (taken || (exclusive && others > 0)) return SQLITE_BUSY;
  }
  for (int slot = first; slot < last; ++slot) {
    if (exclusive) {
      memory.exclusive[slot] = open.exclusive[slot] = true;
    } else if (!open.shared[slot]) {
      ++memory.shared[slot];
      open.shared[slot] = true;
    }
  }
  return SQLITE_OK;
}

int unmap_memory(sqlite3_file* file, int /*remove*/) {
  OpenFile& open = of(file);
  if (!open.memory) return SQLITE_OK;
  unlock_memory(open, 0, memory_slots);
  if (--open.memory->users == 0) open.memory->regions.clear();
  open.memory.reset();
  return SQLITE_OK;
}

int close(sqlite3_file* file) {
  OpenFile& open = of(file);
  unlock(file, SQLITE_LOCK_NONE);
  if (!open.delete_on_close.empty() && !is_dead(file)) open.disk->remove(open.delete_on_close);
  open.~OpenFile();
  return SQLITE_OK;
}

sqlite3_io_methods make_methods() {
  sqlite3_io_methods m = {};
  m.iVersion = 2;
  m.xClose = close;
  m.xRead = read;
  m.xWrite = write;
  m.xTruncate = truncate;
  m.xSync = sync;
  m.xFileSize = file_size;
  m.xLock = lock;
  m.xUnlock = unlock;
  m.xCheckReservedLock = check_reserved;
  m.xFileControl = file_control;
  m.xSectorSize = [](sqlite3_file*) { return 4096; };
  m.xDeviceCharacteristics = [](sqlite3_file*) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; };
  m.xShmMap = map_memory;
  m.xShmLock = lock_memory;
  m.xShmBarrier = [](sqlite3_file*) {};
  m.xShmUnmap = unmap_memory;
  return m;
}

SimDisk& disk_of(sqlite3_vfs* vfs) {
  return *static_cast<SimDisk*>(vfs->pAppData);
}

int open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  static const sqlite3_io_methods methods = make_methods();
  SimDisk& disk = disk_of(vfs);
  std::memset(static_cast<void*>(file), 0, sizeof(OpenFile));
  if (disk.is_dead()) return SQLITE_CANTOPEN;
  // Each temporary file is one of its own, and is gone with its process.
  const std::string key =
      name != nullptr ? name : SimDisk::temporary + std::to_string(disk.temporaries++);
  auto at = disk.files.find(key);
  if (at == disk.files.end()) {
    // SqliteStore made the main file; others are made here.
    if ((flags & (SQLITE_OPEN_CREATE | SQLITE_OPEN_MAIN_DB)) == 0) return SQLITE_CANTOPEN;
    if (!disk.count_io()) return SQLITE_CANTOPEN;
    at = disk.files.emplace(key, std::make_shared<SimFile>()).first;
    at->second->is_named_durably = (flags & SQLITE_OPEN_MAIN_DB) != 0;
  }
  auto* opened = new (file) OpenFile();
  opened->disk = &disk;
  opened->file = at->second;
  opened->generation = disk.generation();
  if ((flags & SQLITE_OPEN_DELETEONCLOSE) != 0) opened->delete_on_close = key;
  opened->base.pMethods = &methods;
  if (out_flags != nullptr) *out_flags = flags;
  return SQLITE_OK;
}

int remove(sqlite3_vfs* vfs, const char* name, int sync_directory) {
  SimDisk& disk = disk_of(vfs);
  if (!disk.count_io()) return SQLITE_IOERR_DELETE;
  if (!disk.files.contains(name)) return SQLITE_IOERR_DELETE_NOENT;
  disk.remove(name);
  if (sync_directory != 0) disk.sync_names();
  return SQLITE_OK;
}

int access(sqlite3_vfs* vfs, const char* name, int /*flags*/, int* result) {
  const auto at = disk_of(vfs).files.find(name);
  // As SQLite's own: an empty file does not count as there.
  *result = at != disk_of(vfs).files.end() && at->second->size() > 0 ? 1 : 0;
  return SQLITE_OK;
}

int full_name(sqlite3_vfs* /*vfs*/, const char* name, int size, char* out) {
  std::strncpy(out, name, static_cast<std::size_t>(size));
  return SQLITE_OK;
}

const char*& first_sql() {
  static const char* sql = nullptr;
  return sql;
}

int begin_connection(sqlite3* db, char** /*error*/, const void* /*api*/) {
  return first_sql() == nullptr ? SQLITE_OK
                                : sqlite3_exec(db, first_sql(), nullptr, nullptr, nullptr);
}

}  // namespace

struct RegisteredVfs::Vfs {
  sqlite3_vfs vfs = *sqlite3_vfs_find(nullptr);
  std::string name;
};

RegisteredVfs::RegisteredVfs(SimDisk& disk, const std::string& name)
    : vfs_(std::make_unique<Vfs>()) {
  vfs_->name = name;
  sqlite3_vfs& vfs = vfs_->vfs;
  vfs.szOsFile = sizeof(OpenFile);
  vfs.pNext = nullptr;
  vfs.zName = vfs_->name.c_str();
  vfs.pAppData = &disk;
  vfs.xOpen = open;
  vfs.xDelete = remove;
  vfs.xAccess = access;
  vfs.xFullPathname = full_name;
  vfs.xGetLastError = [](sqlite3_vfs*, int, char*) { return 0; };
  sqlite3_vfs_register(&vfs, 0);
}

RegisteredVfs::~RegisteredVfs() {
  sqlite3_vfs_unregister(&vfs_->vfs);
}

void seed_sqlite(std::uint32_t seed) {
  sqlite3_initialize();
  sqlite3_test_control(SQLITE_TESTCTRL_PRNG_SEED, seed | 1U, nullptr);
  sqlite3_randomness(0, nullptr);
}

void begin_connections_with(const char* sql) {
  first_sql() = sql;
  sqlite3_reset_auto_extension();
  // The API's type for an extension's entry is void(*)(void).
  if (sql != nullptr)
    sqlite3_auto_extension(reinterpret_cast<void (*)()>(reinterpret_cast<void*>(begin_connection)));
}

}  // namespace chapterd::sim
