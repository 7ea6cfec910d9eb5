// The loop's own directory, which follows a log that another thread writes.
#include "replication/directory.h"

#include "replication/store/sqlite/sqlite_reader.h"
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

}  // namespace
}  // namespace chapterd
