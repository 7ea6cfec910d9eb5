// A running node whose whole folder was put back to an older state, so that only its parent can
// tell.
#include "daemon/net/peers.h"
#include "tests/support/two_nodes.h"

#include <gtest/gtest.h>

#include <filesystem>
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

TEST(RestoredNode, GetsBackWhatItsParentHoldsAndGoesOnWithoutAFork) {
  TwoNodes nodes;
  const testing::TempFolder backup;
  nodes.start();
  LiveNode& global = *nodes.global;
  nodes.kenya->write_text(up, "old", "before");
  ASSERT_TRUE(comes_true([&] { return global.values(Audience::up, "old") == Values{"before"}; }));
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
