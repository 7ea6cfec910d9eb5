// Copies of a database that others go on writing to.
#include "replication/store/sqlite/copy.h"

#include "replication/store/sqlite/sqlite_store.h"
#include "tests/store/builders.h"
#include "tests/store/scratch_folder.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <sys/stat.h>

namespace chapterd {
namespace {

struct Copying : ::testing::Test {
  ScratchFolder folder;
  std::string from = folder.file("chapterd.db");
  std::string to = folder.file("copy.db");

  std::unique_ptr<SqliteStore> store = std::move(*SqliteStore::open(from, SqliteOptions{}));

  void save(std::uint64_t arrival) {
    Batch batch;
    batch.pieces = {piece_of(arrival, 1, arrival, 1, 30'000)};
    store->commit(batch);
  }

  Copying() {
    store->commit(ground());
    save(1);
  }
};

TEST_F(Copying, TakesAllThatWasCommittedAndNothingOfWhatComesLater) {
  copy_database(from, to);
  save(2);
  const auto copy = SqliteStore::open(to, SqliteOptions{});
  ASSERT_TRUE(copy);
  EXPECT_EQ((*copy)->counters().arrival, Arrival(1));
  EXPECT_EQ((*copy)->piece_at(Arrival(1))->body, store->piece_at(Arrival(1))->body);
  EXPECT_EQ(store->counters().arrival, Arrival(2)) << "the original goes on";
}

TEST_F(Copying, IsForItsUserAlone) {
  const mode_t before = ::umask(0);
  copy_database(from, to);
  ::umask(before);
  struct stat status = {};
  ASSERT_EQ(::stat(to.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST_F(Copying, NeverWritesOverAFileThatIsThere) {
  std::ofstream(to) << "somebody's";
  EXPECT_THROW(copy_database(from, to), Broken);
  EXPECT_EQ(std::filesystem::file_size(to), 10U);
}

TEST_F(Copying, OfWhatIsNotThereOrNoDatabaseIsTold) {
  EXPECT_THROW(copy_database(folder.file("missing.db"), to), Broken);
  std::filesystem::remove(to);
  std::ofstream(folder.file("text")) << std::string(5000, 'x');
  EXPECT_THROW(copy_database(folder.file("text"), to), Damaged);
}

}  // namespace
}  // namespace chapterd
