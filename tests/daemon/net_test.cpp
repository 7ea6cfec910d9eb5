// Two and three live nodes over real TLS: what one writes, the other holds.
#include "daemon/net/peers.h"
#include "tests/support/two_nodes.h"

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <future>
#include <utility>

namespace chapterd {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): the nodes and their words

const std::vector<std::string> cold_chain = {"Cold chain"};

// Changes a byte of each piece of the live lane.
Batch damaged_pieces(Reader& reader) {
  Batch batch;
  for (StoredPiece& piece : reader.pieces_after(Lane::live, Arrival(0), SIZE_MAX)) {
    piece.body.front() ^= 0xFFU;
    batch.moved.push_back(piece);
  }
  return batch;
}

struct Peers2 : ::testing::Test {
  TwoNodes nodes;
  LiveNode& global = *nodes.global;
  LiveNode& kenya = *nodes.kenya;

  void connect() {
    nodes.start();
    ASSERT_TRUE(comes_true([&] {
      const auto parent = kenya.status_of(global.id());
      return parent && parent->caught_up;
    }));
  }
};

TEST_F(Peers2, WhatAChapterWritesReachesItsParentAndTheReceiptComesBack) {
  connect();
  kenya.write_text(up, "insight", "Cold chain");
  EXPECT_TRUE(comes_true([&] { return global.values(Audience::up, "insight") == cold_chain; }));
  EXPECT_TRUE(comes_true([&] { return kenya.receipts(Audience::up) == 1; }));
}

// A piece that nobody can send any more stops its own link, not the node.
TEST_F(Peers2, ADamagedEntryEndsTheLinkThatWouldSendItAndNothingElse) {
  kenya.write_text(up, "insight", "Cold chain");
  kenya.node().store->commit(damaged_pieces(*kenya.node().store));
  std::atomic<int> told = 0;
  kenya.damaged = [&](const Error& error) { told += error.code == "store.damaged" ? 1 : 0; };
  nodes.start();
  ASSERT_TRUE(comes_true([&] { return told > 0; }));
  kenya.write_text(up, "other", "still saved");
  EXPECT_EQ(kenya.values(Audience::up, "other"), Values{"still saved"});
  EXPECT_TRUE(global.values(Audience::up, "insight").empty());
  kenya.stop();  // it counts no more
}

TEST_F(Peers2, WhatTheParentPublishesComesDown) {
  connect();
  global.write_text(all, "synthesis", "Cold chain");
  EXPECT_TRUE(comes_true([&] { return kenya.values(Audience::all, "synthesis") == cold_chain; }));
}

TEST_F(Peers2, StatusTellsWhoIsThereAndHowFar) {
  kenya.write_text(up, "insight", "Cold chain");
  connect();
  ASSERT_TRUE(comes_true([&] {
    const auto status = kenya.status_of(global.id());
    return status && status->caught_up && status->entries_sent > 0;
  }));
  const auto parent = kenya.status_of(global.id());
  EXPECT_EQ(parent->chapter, "GLOBAL");
  EXPECT_EQ(parent->address, global.address());
  EXPECT_EQ(parent->side, Side::dialler);
  EXPECT_EQ(parent->end_code, "");
  EXPECT_TRUE(parent->heard.has_value());
  const auto child = global.status_of(kenya.id());
  ASSERT_TRUE(child);
  EXPECT_EQ(child->chapter, "KE");
  EXPECT_EQ(child->side, Side::listener);
  EXPECT_GT(child->entries_received, 0U);
}

TEST_F(Peers2, ThreeLevelsPassOnBothWays) {
  connect();
  const auto office = nodes.live(std::move(nodes.kisumu), kenya);
  LiveNode& kisumu = *office;
  kisumu.start();
  kisumu.write_text(up, "insight", "Cold chain");
  global.write_text(all, "synthesis", "Cold chain");
  EXPECT_TRUE(comes_true([&] { return global.values(Audience::up, "insight") == cold_chain; }));
  EXPECT_TRUE(comes_true([&] { return kisumu.values(Audience::all, "synthesis") == cold_chain; }));
  EXPECT_TRUE(comes_true([&] { return kisumu.receipts(Audience::up) == 2; }));
}

TEST_F(Peers2, ALongAbsenceIsCaughtUp) {
  constexpr int count = 20'000;
  global.write_many(all, count);
  const std::uint64_t before = kenya.node().entries();
  const auto began = std::chrono::steady_clock::now();
  nodes.start();
  ASSERT_TRUE(comes_true([&] { return kenya.arrival() >= before + count; }));
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  RecordProperty("changes_a_second", std::to_string(static_cast<int>(count / took.count())));
  EXPECT_TRUE(comes_true([&] { return kenya.status_of(global.id())->caught_up; }));
  EXPECT_EQ(kenya.status_of(global.id())->entries_received,
            global.status_of(kenya.id())->entries_sent);
}

TEST_F(Peers2, ANodeThatIsRevokedIsCutOffAndLearnsWhy) {
  connect();
  global.revoke(kenya.id());
  const auto began = std::chrono::steady_clock::now();
  ASSERT_TRUE(comes_true([&] { return !global.is_open_to(kenya.id()); }));
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(5));
  EXPECT_EQ(global.status_of(kenya.id())->end_code, "node.revoked");
  ASSERT_TRUE(comes_true([&] {
    const auto parent = kenya.status_of(global.id());
    return parent && parent->end_code == "peer.node.revoked";
  }));
  // It calls again, is told again, and gets nothing.
  global.write_text(all, "synthesis", "Cold chain");
  kenya.on_loop([&] { kenya.peers().sync_now(); });
  ASSERT_TRUE(comes_true([&] {
    const auto parent = kenya.status_of(global.id());
    return parent && parent->state == PeerState::waiting && parent->next_dial;
  }));
  EXPECT_EQ(kenya.status_of(global.id())->end_code, "peer.node.revoked");
  EXPECT_TRUE(kenya.values(Audience::all, "synthesis").empty());
}

TEST_F(Peers2, APauseEndsTheLinkAndResumeBringsItBack) {
  connect();
  kenya.on_loop([&] { kenya.peers().pause(); });
  ASSERT_TRUE(
      comes_true([&] { return global.status_of(kenya.id())->end_code == "peer.node.paused"; }));
  kenya.write_text(up, "insight", "Cold chain");
  kenya.clock.push_ms(60'000);
  EXPECT_FALSE(kenya.is_open_to(global.id()));
  kenya.on_loop([&] { kenya.peers().resume(); });
  EXPECT_TRUE(comes_true([&] { return global.values(Audience::up, "insight") == cold_chain; }));
}

TEST_F(Peers2, AParentThatRestartsIsFoundAgain) {
  connect();
  const std::string address = global.address();
  global.stop();
  ASSERT_TRUE(comes_true([&] {
    const auto parent = kenya.status_of(global.id());
    return parent && parent->end_code == "net.unreachable";
  }));
  kenya.write_text(up, "insight", "Cold chain");
  auto options = test_options();
  options.listen = address;
  // The same folder cannot be opened twice: the old one lends its node to a new daemon.
  const auto again = std::make_unique<LiveNode>(global.release(), options);
  again->start();
  EXPECT_TRUE(comes_true([&] { return again->values(Audience::up, "insight") == cold_chain; }));
}

TEST_F(Peers2, ASlowDiskHereIsNotTakenForASilentPeer) {
  connect();
  const std::uint64_t before = kenya.arrival();
  std::promise<void> disk;
  kenya.hold_writer(disk.get_future().share());
  constexpr int count = 20'000;
  global.write_many(all, count);
  // Everything that the peer may send unacknowledged is on its way, and nothing is read any more.
  std::uint64_t sent = 0;
  ASSERT_TRUE(comes_true([&] {
    const std::uint64_t now = global.status_of(kenya.id())->entries_sent;
    return now > 5'000 && now == std::exchange(sent, now);
  }));
  for (int i = 0; i < 5; ++i) {
    const Instant heard = *global.status_of(kenya.id())->heard;
    kenya.clock.push_ms(30'000);
    // A sign of life goes out even now.
    ASSERT_TRUE(comes_true([&] { return *global.status_of(kenya.id())->heard > heard; }));
  }
  disk.set_value();
  EXPECT_TRUE(comes_true([&] { return kenya.arrival() >= before + count; }));
  EXPECT_EQ(kenya.status_of(global.id())->end_code, "");
}

// As after a restored backup: the child's certificate is gone.
TEST_F(Peers2, AParentThatForgotUsKnowsUsAgain) {
  namespace fs = std::filesystem;
  const std::string address = global.address();
  const testing::TempFolder backup;
  auto options = test_options();
  options.listen = address;
  global.stop();
  auto node = global.release();
  node->random = &nodes.random;
  node->replica.reset();
  node->directory.reset();
  node->store.reset();
  nodes.global.reset();
  const auto copy = [](const std::string& from, const std::string& to) {
    fs::remove_all(to);
    fs::copy(from, to);
  };
  copy(node->folder.path(), backup.path());
  auto first = std::make_unique<LiveNode>(std::move(node), options);
  first->start();
  const PublicKey parent = first->id();
  nodes.start();
  ASSERT_TRUE(comes_true([&] {
    const auto status = kenya.status_of(parent);
    return status && status->caught_up;
  }));
  first->stop();
  node = first->release();
  node->replica.reset();
  node->directory.reset();
  node->store.reset();
  node->random = &nodes.random;
  first.reset();
  copy(backup.path(), node->folder.path());
  LiveNode again(std::move(node), options);
  again.start();
  EXPECT_TRUE(comes_true([&] { return kenya.is_open_to(parent); }));
}

TEST_F(Peers2, AParentWithAnotherKeyIsRefused) {
  // It calls the chapter KE where it expects the global node.
  kenya.start();
  const auto uganda = nodes.live(std::move(nodes.uganda), kenya);
  uganda->follow(global.id());
  uganda->start();
  EXPECT_TRUE(comes_true([&] {
    const auto parent = uganda->status_of(global.id());
    return parent && parent->end_code == "tls.other-key";
  }));
}

TEST_F(Peers2, AnotherAddressIsTriedAtOnceWhenOneDoesNotAnswer) {
  auto options = test_options();
  options.parents.emplace_back("127.0.0.1:1");
  options.parents.push_back(global.address());
  options.retry_min_ms = 1'000'000;
  options.retry_max_ms = 1'000'000;
  LiveNode uganda(std::move(nodes.uganda), options);
  uganda.follow(global.id());
  uganda.start();
  EXPECT_TRUE(comes_true([&] { return uganda.is_open_to(global.id()); }));
}

}  // namespace
}  // namespace chapterd
