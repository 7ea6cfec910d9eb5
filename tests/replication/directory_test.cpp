// The loop's own directory, which follows a log that another thread writes.
#include "replication/directory.h"

#include "replication/store/sqlite/sqlite_reader.h"
#include "tests/support/disk_damage.h"
#include "tests/support/node.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace chapterd {
namespace {

using testing::SeededRandom;
using testing::SetClock;
using testing::TestNode;

TEST(Directory, PassesOverNothingThatIsCommittedWhileItFollows) {
  SeededRandom random{31};
  SetClock clock;
  auto node = TestNode::founder(random, clock);
  const Address up{Audience::up, {}};
  node->write_text(up, "insight", "title", "first");
  // From here on each entry is of one feed: its head and the newest arrival grow alike.
  const std::uint64_t before = node->entries() - node->head(Audience::up).seq.value;

  const FeedId feed = node->head(Audience::up).feed;

  auto reader = open_reader(node->folder.file("chapterd.db"));
  auto directory = Directory::load(Snapshot(*reader));
  ASSERT_TRUE(directory);
  std::atomic<bool> done = false;
  std::thread writer([&] {
    for (int i = 0; i < 1500; ++i) {
      if (!node->replica->write(up, testing::a_change(testing::record_named("insight"), "title",
                                                      std::to_string(i)))) {
        break;
      }
      node->replica->commit();
    }
    done = true;
  });
  while (!done) {
    directory->refresh(Snapshot(*reader));
    const KnownFeed* known = directory->feed(feed);
    EXPECT_EQ(known->head.seq.value + before, directory->arrival().value);
    if (HasFailure()) break;
  }
  writer.join();
  directory->refresh(Snapshot(*reader));
  EXPECT_EQ(directory->feed(feed)->head.hash, node->head(Audience::up).hash);
}

// A record's kind is the number of a row: with a row missing, all of a later one would show as the
// one before.
struct MissingRow : ::testing::Test {
  SeededRandom random{31};
  SetClock clock;
  std::unique_ptr<TestNode> node = TestNode::founder(random, clock);
  std::string database = node->folder.file("chapterd.db");

  void write(const std::string& kind) {
    Change change = testing::a_change(testing::record_named(kind), "title", "Cold chain");
    change.kind = kind;
    node->write({Audience::up, {}}, change);
    node->commit();
  }
};

TEST_F(MissingRow, ADirectoryWithAGapIsNotLoaded) {
  write("insight");
  write("member");
  testing::change_rows(database, "DELETE FROM kind WHERE name = 'insight'");
  const auto reader = open_reader(database);
  EXPECT_THROW(static_cast<void>(Directory::load(Snapshot(*reader))), Damaged);
}

// The same of feeds and of spaces: all behind the gap would be taken for something else.
TEST_F(MissingRow, NorIsOneWithAGapAmongItsFeedsOrSpaces) {
  for (const char* table : {"feed", "space"}) {
    const auto other = TestNode::founder(random, clock);
    for (const Audience audience : {Audience::up, Audience::down, Audience::all})
      other->write_text({audience, {}}, "insight", "title", "Cold chain");
    const std::string file = other->folder.file("chapterd.db");
    testing::change_rows(file, std::string("DELETE FROM ") + table + " WHERE row = 2");
    const auto reader = open_reader(file);
    EXPECT_THROW(static_cast<void>(Directory::load(Snapshot(*reader))), Damaged) << table;
  }
}

TEST_F(MissingRow, ADirectoryThatFollowsTheLogGoesNoFurtherThanTheGap) {
  const auto reader = open_reader(database);
  auto directory = Directory::load(Snapshot(*reader));
  ASSERT_TRUE(directory);
  write("insight");
  write("member");
  testing::change_rows(database, "DELETE FROM kind WHERE name = 'insight'");
  EXPECT_THROW(static_cast<void>(directory->refresh(Snapshot(*reader))), Damaged);
}

}  // namespace
}  // namespace chapterd
