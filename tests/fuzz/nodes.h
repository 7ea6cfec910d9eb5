// Two joined test nodes that go back to one state before every run of a target.
#pragma once

#include "tests/support/node.h"

#include <filesystem>
#include <fstream>
#include <iterator>

namespace chapterd::fuzz {

inline Bytes file_bytes(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline void write_bytes(const std::string& path, ByteView bytes) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << as_text(bytes);
}

// What a node has on its disk.
struct Saved {
  Bytes database;
  Bytes instance;
};

inline void close(testing::TestNode& node) {
  node.directory.reset();
  node.replica.reset();
  node.store.reset();
}

inline std::string database_of(const testing::TestNode& node) {
  return node.folder.file("chapterd.db");
}

// Everything is in the database file itself afterwards; the node is closed.
inline Saved save(testing::TestNode& node) {
  close(node);
  return {file_bytes(database_of(node)), file_bytes(node.folder.file("instance"))};
}

// The node is closed afterwards, with this on its disk.
inline void put_back(testing::TestNode& node, const Saved& saved) {
  close(node);
  for (const char* each : {"-wal", "-shm"}) std::filesystem::remove(database_of(node) + each);
  write_bytes(database_of(node), saved.database);
  if (saved.instance.empty()) {
    std::filesystem::remove(node.folder.file("instance"));
  } else {
    write_bytes(node.folder.file("instance"), saved.instance);
  }
}

// A global node and the chapter KE below it, with some work in each.
struct Pair {
  testing::SeededRandom random{7};
  testing::SetClock clock;
  std::unique_ptr<testing::TestNode> global = testing::TestNode::founder(random, clock);
  std::unique_ptr<testing::TestNode> kenya = testing::TestNode::below(*global, "KE");
  Saved saved_global;
  Saved saved_kenya;

  Pair() {
    global->write_text({Audience::all, {}}, "theme", "title", "immunisation");
    kenya->write_text({Audience::up, {}}, "insight", "title", "boats");
    kenya->write_text({Audience::chapter, {}}, "member", "phone", "0700 000 000");
    kenya->write_text({Audience::up, {}}, "insight", "title", std::string(6000, 'b'));
    testing::Wire(*kenya, *global).run();
    kenya->write_text({Audience::all, {}}, "finding", "title", "not yet sent");
    saved_global = save(*global);
    saved_kenya = save(*kenya);
  }

  void rewind() {
    random = testing::SeededRandom(8);
    clock.set(Instant{1'780'000'000'000});
    put_back(*global, saved_global);
    put_back(*kenya, saved_kenya);
    global->restart();
    kenya->restart();
  }
};

}  // namespace chapterd::fuzz
