// Revocations outlive the database: one that was put back does not forget who was revoked.
#include "replication/session.h"
#include "tests/store/faulty_vfs.h"
#include "tests/support/node.h"

#include <gtest/gtest.h>

#include <filesystem>

namespace chapterd {
namespace {

using testing::SeededRandom;
using testing::SetClock;
using testing::TestNode;
using testing::Wire;
using Texts = std::vector<std::string>;

constexpr Address all{Audience::all, {}};

struct Recall : ::testing::Test {
  SeededRandom random{37};
  SetClock clock;
  std::unique_ptr<TestNode> global = TestNode::founder(random, clock);
  std::unique_ptr<TestNode> kenya = TestNode::below(*global, "KE");

  static void save(TestNode& node) {
    for (const char* file : {"chapterd.db", "chapterd.db-wal"})
      std::filesystem::copy_file(node.folder.file(file),
                                 node.folder.file(std::string(file) + ".kept"));
  }

  // The database alone; the file beside it stays.
  static void put_back(TestNode& node) {
    node.replica->close();
    node.directory.reset();
    node.replica.reset();
    node.store.reset();
    std::filesystem::remove(node.folder.file("chapterd.db-shm"));
    for (const char* file : {"chapterd.db", "chapterd.db-wal"})
      std::filesystem::copy_file(node.folder.file(std::string(file) + ".kept"),
                                 node.folder.file(file),
                                 std::filesystem::copy_options::overwrite_existing);
    node.restart();
  }

  void exchange() {
    for (int i = 0; i < 4; ++i) Wire(*kenya, *global).run();
  }
};

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

// The chapter above goes silent afterwards: only this node still knows.
TEST_F(Recall, ADatabasePutBackDoesNotForgetWhoWasRevoked) {
  auto laptop = TestNode::beside(*kenya);
  Wire(*laptop, *kenya).run();
  laptop->write_text(all, "insight", "title", "seen");
  Wire(*laptop, *kenya).run();
  exchange();
  save(*kenya);
  global->revoke(laptop->id(), {laptop->head(Audience::all)});
  exchange();
  ASSERT_TRUE(kenya->directory->authority().is_revoked(laptop->id()));
  put_back(*kenya);
  EXPECT_TRUE(kenya->replica->directory().authority().is_revoked(laptop->id()));
  EXPECT_TRUE(kenya->directory->authority().is_revoked(laptop->id()));
  laptop->write_text(all, "insight", "title", "by a thief");
  Wire thief(*laptop, *kenya);
  thief.run();
  EXPECT_EQ(thief.dialler().end_code(), "peer.node.revoked");
  EXPECT_EQ(kenya->values(Audience::all, "insight", "title"), Texts{"seen"});
  // It is in the database again, and others learn of it here.
  std::filesystem::remove(kenya->folder.file("instance"));
  kenya->restart();
  EXPECT_TRUE(kenya->directory->authority().is_revoked(laptop->id()));
}

// The backup is from before the revoked node's chapter was known.
TEST_F(Recall, ARevocationWaitsForTheCertificatesThatItNeeds) {
  save(*kenya);
  auto uganda = TestNode::below(*global, "UG");
  auto kampala = TestNode::below(*uganda, "UG-1");
  Wire(*kampala, *uganda).run();
  Wire(*uganda, *global).run();
  uganda->revoke(kampala->id());
  Wire(*uganda, *global).run();
  exchange();
  ASSERT_TRUE(kenya->directory->authority().is_revoked(kampala->id()));
  put_back(*kenya);
  EXPECT_EQ(kenya->mark->read_revocations().size(), 1U);
  EXPECT_FALSE(kenya->directory->authority().is_revoked(kampala->id()));
  kenya->restart();
  EXPECT_EQ(kenya->mark->read_revocations().size(), 1U);
  exchange();
  EXPECT_TRUE(kenya->directory->authority().is_revoked(kampala->id()));
  EXPECT_EQ(kenya->mark->read_revocations().size(), 1U);
}

TEST_F(Recall, ACrashBeforeTheFileIsWrittenLeavesTheRevocationInTheDatabase) {
  auto laptop = TestNode::beside(*kenya);
  Wire(*laptop, *kenya).run();
  DiesBeforeWriting dying(*kenya->mark);
  kenya->replica->keep_mark(dying);
  EXPECT_THROW(kenya->revoke(laptop->id()), Broken);
  EXPECT_TRUE(kenya->mark->read_revocations().empty());
  kenya->restart();
  EXPECT_TRUE(kenya->directory->authority().is_revoked(laptop->id()));
  EXPECT_EQ(kenya->mark->read_revocations().size(), 1U);
}

// Whoever was told that it was not saved tries again; until then nobody is revoked, here or
// anywhere.
TEST_F(Recall, ARevocationThatAFullDiskRefusedIsNotKnown) {
  auto laptop = TestNode::beside(*global);
  Wire(*laptop, *global).run();
  global->restart(faulty_vfs());
  faults().room_bytes = 0;
  EXPECT_THROW(global->revoke(laptop->id()), DiskFull);
  faults() = Faults{};
  EXPECT_FALSE(global->replica->directory().authority().is_revoked(laptop->id()));
  global->write_text(all, "insight", "title", "after");
  global->restart();
  EXPECT_FALSE(global->replica->directory().authority().is_revoked(laptop->id()));
}

}  // namespace
}  // namespace chapterd
