// Two nodes of which one is put back to an older state.
#pragma once

#include "replication/format/limits.h"
#include "replication/session.h"
#include "tests/support/tree.h"

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace chapterd::testing {

// What was put back with the database.
enum class With { database_only, whole_folder };

// Keeps nothing: the process dies after the database was committed and before the file was written.
class DiesBeforeWriting final : public MarkKeeper {
 public:
  explicit DiesBeforeWriting(MarkKeeper& file) : file_(file) {}

  std::optional<ExportMark> read() override { return file_.read(); }

  std::vector<Bytes> read_revocations() override { return file_.read_revocations(); }

  bool write(const ExportMark& /*mark*/, const std::vector<Bytes>& /*revocations*/) override {
    throw Broken("the process was killed");
  }

 private:
  MarkKeeper& file_;
};

struct Restored : Pair {
  static void save(TestNode& node) {
    for (const char* file : {"chapterd.db", "chapterd.db-wal", "instance"}) {
      const std::string kept = node.folder.file(std::string(file) + ".kept");
      std::filesystem::remove(kept);
      if (std::filesystem::exists(node.folder.file(file)))
        std::filesystem::copy_file(node.folder.file(file), kept);
    }
  }

  static void put_back(TestNode& node, With with) {
    node.replica->close();
    node.directory.reset();
    node.replica.reset();
    node.store.reset();
    std::filesystem::remove(node.folder.file("chapterd.db-shm"));
    for (const char* file : {"chapterd.db", "chapterd.db-wal", "instance"}) {
      if (with == With::database_only && std::string(file) == "instance") continue;
      std::filesystem::remove(node.folder.file(file));
      if (std::filesystem::exists(node.folder.file(std::string(file) + ".kept"))) {
        std::filesystem::copy_file(node.folder.file(std::string(file) + ".kept"),
                                   node.folder.file(file));
      }
    }
    node.restart();
  }

  // As often as a daemon would call again. Nothing may be refused as a second history.
  void exchange() {
    for (int i = 0; i < 4; ++i) {
      Wire wire(*kenya, *global);
      wire.run();
      for (const Session* session : {&wire.dialler(), &wire.listener()}) {
        for (const RefusedPiece& fault : session->faults())
          ADD_FAILURE() << fault.error.code << ": " << fault.error.what;
      }
      note_signed(*kenya);
      note_signed(*global);
      caught_up = wire.dialler().caught_up() && wire.listener().caught_up();
    }
  }

  // Whatever anybody holds of another's feeds was signed by its author.
  void note_signed(TestNode& node) {
    for (const KnownFeed& feed : node.replica->directory().feeds()) {
      if (feed.intro.node == node.id()) continue;
      for (const StoredPiece& stored : node.store->pieces_of(feed.row, Sequence(1), SIZE_MAX)) {
        const auto piece = decode_piece(stored.body);
        ASSERT_TRUE(piece);
        const auto hashes = chain(*piece, feed.head.feed, stored.prev);
        for (std::size_t i = 0; i < hashes.size(); ++i) {
          const auto at = std::pair(feed.head.feed, piece->first.plus(i));
          EXPECT_EQ(signed_.emplace(at, hashes[i]).first->second, hashes[i]) << "signed twice";
        }
      }
    }
  }

  [[nodiscard]] static bool is_waiting(TestNode& node) {
    return !node.store->values(stored_name::restored).empty();
  }

  static void confirm(TestNode& node, Complete complete = Complete::no) {
    node.replica->confirm_restored(complete);
    node.commit();
  }

  void expect_at_both(Audience audience, const std::string& record, const Values& values) {
    EXPECT_EQ(kenya->values(audience, record, "title"), values) << "Kenya, " << record;
    EXPECT_EQ(global->values(audience, record, "title"), values) << "global, " << record;
  }

  std::map<std::pair<FeedId, Sequence>, EntryHash> signed_;
  bool caught_up = false;
};

}  // namespace chapterd::testing
