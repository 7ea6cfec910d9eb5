// A running node whose whole folder was put back to an older state, so that only its parent can
// tell.
#include "daemon/net/peers.h"
#include "tests/support/two_nodes.h"

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <future>
#include <string>
#include <utility>
#include <vector>

namespace chapterd {
namespace {

namespace fs = std::filesystem;

using namespace testing;  // NOLINT(google-build-using-namespace): the nodes and their words

std::unique_ptr<testing::TestNode> stopped(std::unique_ptr<LiveNode>& live) {
  live->stop();
  auto node = live->release();
  node->replica.reset();
  node->directory.reset();
  node->store.reset();
  live.reset();
  return node;
}

void copy(const std::string& from, const std::string& to) {
  fs::remove_all(to);
  fs::copy(from, to);
}

// Kenya's folder is copied; it writes more, which its parent gets; then the copy is put back, and
// it is not started yet.
void put_back_after_more(TwoNodes& nodes) {
  const testing::TempFolder backup;
  LiveNode& global = *nodes.global;
  auto node = stopped(nodes.kenya);
  copy(node->folder.path(), backup.path());
  nodes.kenya = nodes.live(std::move(node), global);
  nodes.kenya->start();
  nodes.kenya->write_text(up, "new", "after the backup");
  ASSERT_TRUE(
      comes_true([&] { return global.values(Audience::up, "new") == Values{"after the backup"}; }));
  node = stopped(nodes.kenya);
  copy(backup.path(), node->folder.path());
  nodes.kenya = nodes.live(std::move(node), global);
}

TEST(RestoredNode, GetsBackWhatItsParentHoldsAndGoesOnWithoutAFork) {
  TwoNodes nodes;
  nodes.start();
  LiveNode& global = *nodes.global;
  nodes.kenya->write_text(up, "old", "before");
  ASSERT_TRUE(comes_true([&] { return global.values(Audience::up, "old") == Values{"before"}; }));
  ASSERT_NO_FATAL_FAILURE(put_back_after_more(nodes));
  nodes.kenya->write_text(up, "offline", "since");
  nodes.kenya->start();
  LiveNode& kenya = *nodes.kenya;
  EXPECT_TRUE(
      comes_true([&] { return kenya.values(Audience::up, "new") == Values{"after the backup"}; }));
  EXPECT_TRUE(
      comes_true([&] { return global.values(Audience::up, "offline") == Values{"since"}; }));
  EXPECT_EQ(global.values(Audience::up, "new"), Values{"after the backup"});
  EXPECT_TRUE(comes_true([&] {
    const auto parent = kenya.status_of(global.id());
    return parent && parent->caught_up && !parent->stays_different;
  }));
}

// Always has something of its own to save, so that whatever the writer is given waits beside it.
class BusyPeople {
 public:
  explicit BusyPeople(Writer& writer) : writer_(writer) { save(0); }

  BusyPeople(const BusyPeople&) = delete;
  BusyPeople& operator=(const BusyPeople&) = delete;

  ~BusyPeople() { rest(); }

  // Returns how many were saved, once the last one is.
  int rest() {
    rest_ = true;
    return saved_.get();
  }

 private:
  void save(int number) {
    writer_.submit(
        [this, number](Replica& replica) {
          if (rest_) {
            last_ = number;
          } else {
            save(number + 1);  // waits before this one is committed
          }
          return replica.write(up,
                               a_change(record_named(std::to_string(number)), "title", "since"));
        },
        [this, number](const Result<Written>& written) {
          EXPECT_TRUE(written);
          if (number == last_) end_.set_value(number + 1);
        });
  }

  Writer& writer_;
  std::atomic<bool> rest_ = false;
  int last_ = -1;  // writer thread only
  std::promise<int> end_;
  std::shared_future<int> saved_ = end_.get_future().share();
};

// What says that it was put back changes what is stored: it cannot share a transaction.
TEST(RestoredNode, LearnsThatItWasPutBackWhileItsPeopleGoOnWriting) {
  TwoNodes nodes;
  nodes.start();
  LiveNode& global = *nodes.global;
  ASSERT_NO_FATAL_FAILURE(put_back_after_more(nodes));
  LiveNode& kenya = *nodes.kenya;
  BusyPeople people(kenya.writer());
  kenya.start();
  EXPECT_TRUE(
      comes_true([&] { return kenya.values(Audience::up, "new") == Values{"after the backup"}; }));
  const int count = people.rest();
  for (const int number : {0, count / 2, count - 1}) {
    const std::string record = std::to_string(number);
    EXPECT_TRUE(comes_true([&] { return global.values(Audience::up, record) == Values{"since"}; }));
  }
  const auto forked = kenya.writer().run(
      [](Replica& replica) -> Result<bool> { return !replica.directory().forked().empty(); });
  EXPECT_EQ(*forked, false);
}

TEST(Clocks, AreComparedByWhoeverCalls) {
  TwoNodes nodes;
  nodes.global->clock.push_ms(3'600'000);
  nodes.start();
  EXPECT_TRUE(comes_true([&] {
    const auto parent = nodes.kenya->status_of(nodes.global->id());
    return parent && parent->clock_ahead_ms && *parent->clock_ahead_ms > 3'000'000;
  }));
}

}  // namespace
}  // namespace chapterd
