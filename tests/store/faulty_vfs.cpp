// Forwards every call to the default VFS, unless a fault is due.
#include "tests/store/faulty_vfs.h"

#include <sqlite3.h>

#include <new>

namespace chapterd {

namespace {

struct FaultyFile {
  sqlite3_file base;
  bool is_database;
  sqlite3_file* real;  // lies behind this struct, in the same allocation
};

sqlite3_file* real_of(sqlite3_file* file) {
  return reinterpret_cast<FaultyFile*>(file)->real;
}

sqlite3_vfs* real_vfs() {
  static sqlite3_vfs* const real = sqlite3_vfs_find(nullptr);
  return real;
}

int write(sqlite3_file* file, const void* bytes, int count, sqlite3_int64 offset) {
  Faults& due = faults();
  const bool counts = !due.only_database || reinterpret_cast<FaultyFile*>(file)->is_database;
  if (counts && due.room_bytes >= 0) {
    if (due.room_bytes < count) return SQLITE_FULL;
    due.room_bytes -= count;
  }
  return real_of(file)->pMethods->xWrite(real_of(file), bytes, count, offset);
}

int sync(sqlite3_file* file, int flags) {
  Faults& due = faults();
  if (due.syncs == 0) return SQLITE_IOERR_FSYNC;
  if (due.syncs > 0) --due.syncs;
  return real_of(file)->pMethods->xSync(real_of(file), flags);
}

sqlite3_io_methods make_methods() {
  sqlite3_io_methods m = {};
  m.iVersion = 2;
  m.xClose = [](sqlite3_file* f) { return real_of(f)->pMethods->xClose(real_of(f)); };
  m.xRead = [](sqlite3_file* f, void* to, int count, sqlite3_int64 offset) {
    return real_of(f)->pMethods->xRead(real_of(f), to, count, offset);
  };
  m.xWrite = write;
  m.xTruncate = [](sqlite3_file* f, sqlite3_int64 size) {
    return real_of(f)->pMethods->xTruncate(real_of(f), size);
  };
  m.xSync = sync;
  m.xFileSize = [](sqlite3_file* f, sqlite3_int64* size) {
    return real_of(f)->pMethods->xFileSize(real_of(f), size);
  };
  m.xLock = [](sqlite3_file* f, int lock) { return real_of(f)->pMethods->xLock(real_of(f), lock); };
  m.xUnlock = [](sqlite3_file* f, int lock) {
    return real_of(f)->pMethods->xUnlock(real_of(f), lock);
  };
  m.xCheckReservedLock = [](sqlite3_file* f, int* held) {
    return real_of(f)->pMethods->xCheckReservedLock(real_of(f), held);
  };
  m.xFileControl = [](sqlite3_file* f, int what, void* with) {
    return real_of(f)->pMethods->xFileControl(real_of(f), what, with);
  };
  m.xSectorSize = [](sqlite3_file* f) { return real_of(f)->pMethods->xSectorSize(real_of(f)); };
  m.xDeviceCharacteristics = [](sqlite3_file* f) {
    return real_of(f)->pMethods->xDeviceCharacteristics(real_of(f));
  };
  m.xShmMap = [](sqlite3_file* f, int page, int size, int extend, void volatile** to) {
    return real_of(f)->pMethods->xShmMap(real_of(f), page, size, extend, to);
  };
  m.xShmLock = [](sqlite3_file* f, int offset, int count, int flags) {
    return real_of(f)->pMethods->xShmLock(real_of(f), offset, count, flags);
  };
  m.xShmBarrier = [](sqlite3_file* f) { real_of(f)->pMethods->xShmBarrier(real_of(f)); };
  m.xShmUnmap = [](sqlite3_file* f, int remove) {
    return real_of(f)->pMethods->xShmUnmap(real_of(f), remove);
  };
  return m;
}

int open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  static const sqlite3_io_methods methods = make_methods();
  auto* faulty = new (file) FaultyFile();
  faulty->real = reinterpret_cast<sqlite3_file*>(faulty + 1);
  faulty->is_database = (flags & SQLITE_OPEN_MAIN_DB) != 0;
  const int code = real_vfs()->xOpen(real_vfs(), name, faulty->real, flags, out_flags);
  if (code == SQLITE_OK) faulty->base.pMethods = &methods;
  return code;
}

sqlite3_vfs make_vfs() {
  sqlite3_vfs vfs = *real_vfs();
  vfs.szOsFile += static_cast<int>(sizeof(FaultyFile));
  vfs.pNext = nullptr;
  vfs.zName = "faulty";
  vfs.xOpen = open;
  return vfs;
}

}  // namespace

Faults& faults() {
  static Faults due;
  return due;
}

const std::string& faulty_vfs() {
  static const std::string name = "faulty";
  static sqlite3_vfs vfs = make_vfs();
  static const int code = sqlite3_vfs_register(&vfs, 0);
  static_cast<void>(code);
  return name;
}

}  // namespace chapterd
