// What the rows share: live nodes to measure between, and ways to wait for them.
#pragma once

#include "bench/workload.h"
#include "tests/support/two_nodes.h"

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>

namespace chapterd::bench {

// Told by a live node how far its log has come; waits without polling.
class Growth {
 public:
  void watch(testing::LiveNode& node) {
    node.grown = [this](Arrival arrival) {
      const std::lock_guard lock(mutex_);
      arrival_ = arrival.value;
      grown_.notify_all();
    };
  }

  // Throws std::runtime_error when it takes longer than `seconds`.
  void wait_for(std::uint64_t arrival, double seconds);

 private:
  std::mutex mutex_;
  std::condition_variable grown_;
  std::uint64_t arrival_ = 0;
};

// A founder and a chapter below it, on this folder's disk, not running yet.
struct Stage {
  Stage();

  testing::SeededRandom random{42};
  testing::SetClock clock;
  std::unique_ptr<testing::TestNode> global;
  std::unique_ptr<testing::TestNode> kenya;
};

// Writes all lines at `node`, 2,000 a transaction. Returns the changes made.
std::size_t write_lines(testing::TestNode& node, LineWriter& writer, const Lines& lines);

// Options of a node that dials this address, and of one that only listens.
[[nodiscard]] PeersOptions dials(const std::string& address);
[[nodiscard]] PeersOptions listens();

// Waits until the session of `node` with its parent says that both hold the same.
void wait_until_caught_up(testing::LiveNode& node);

}  // namespace chapterd::bench
