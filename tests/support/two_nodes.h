// Nodes with everything that a daemon has between its database and its socket: real threads, real
// TLS on loopback, a clock that tests push forward.
#pragma once

#include "daemon/net/asio.h"
#include "daemon/net/peers.h"
#include "daemon/system_clock.h"
#include "tests/support/node.h"

#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace chapterd::testing {

// Moves by itself, and further when it is pushed.
class PushedClock final : public Clock {
 public:
  [[nodiscard]] Instant now() const override { return even_.now().plus_ms(pushed_ms_.load()); }

  void push_ms(std::int64_t ms) { pushed_ms_ += ms; }

 private:
  EvenClock even_;
  std::atomic<std::int64_t> pushed_ms_{0};
};

// True once the condition holds; false when it does not within a generous time.
[[nodiscard]] bool comes_true(const std::function<bool()>& condition);

// Options that suit a test: listens on a port that the system chooses, calls again at once.
[[nodiscard]] PeersOptions test_options();

class LiveNode {
 public:
  LiveNode(std::unique_ptr<TestNode> node, PeersOptions options);
  LiveNode(const LiveNode&) = delete;
  LiveNode& operator=(const LiveNode&) = delete;
  ~LiveNode();

  // Opens the port and begins to call.
  void start();
  // Says goodbye and ends all threads. Nothing but node() may be used afterwards.
  void stop();

  // The node itself, for another daemon to run. After stop().
  [[nodiscard]] std::unique_ptr<TestNode> release() {
    node_->random = chance_before_;
    node_->restart();  // its replica still used ours
    return std::move(node_);
  }

  // Whom it calls from now on. Before start().
  void follow(const PublicKey& parent);

  // Runs something on the loop and waits for it.
  template <class F>
  auto on_loop(F what) {
    using Answer = decltype(what());
    std::packaged_task<Answer()> task(std::move(what));
    auto future = task.get_future();
    asio::post(loop_, [&task] { task(); });
    return future.get();
  }

  // What is said to the writer, and waited for.
  void write_text(const Address& address, const std::string& record, const std::string& value);
  void write_many(const Address& address, int count);
  void revoke(const PublicKey& node);
  [[nodiscard]] std::vector<std::string> values(Audience audience, const std::string& record);
  // Receipts of other nodes for the own feed of this audience.
  [[nodiscard]] std::size_t receipts(Audience audience);
  [[nodiscard]] std::uint64_t arrival();
  // Keeps the writer busy until `until` is ready.
  void hold_writer(std::shared_future<void> until);

  [[nodiscard]] std::vector<PeerStatus> status();
  // Of this node, as one line of the list; nothing when it does not appear.
  [[nodiscard]] std::optional<PeerStatus> status_of(const PublicKey& peer);
  [[nodiscard]] bool is_open_to(const PublicKey& peer);

  [[nodiscard]] const std::string& address() const { return address_; }

  [[nodiscard]] std::uint16_t port() const { return split_address(address_).port; }

  [[nodiscard]] Peers& peers() { return *peers_; }

  [[nodiscard]] Writer& writer() { return *writer_; }

  [[nodiscard]] TestNode& node() { return *node_; }

  [[nodiscard]] const PublicKey& id() const { return node_->id(); }

  PushedClock clock;
  // Told on the loop when a session met damage in the database. Before start().
  std::function<void(const Error&)> damaged;
  // Told on the loop when the log has grown. Before start().
  std::function<void(Arrival)> grown;
  // What answers invites; null: locked. Before start().
  std::shared_ptr<const SigningKey> authority;

 private:
  SeededRandom* chance_before_;  // what the node had, and gets back
  SeededRandom writer_chance_;
  SeededRandom loop_chance_;
  std::unique_ptr<TestNode> node_;
  std::unique_ptr<Reader> reader_;
  std::optional<Directory> directory_;
  TlsContext tls_;
  asio::io_context loop_;
  std::unique_ptr<Writer> writer_;
  std::unique_ptr<VerifyPool> pool_;
  std::unique_ptr<Peers> peers_;
  std::string address_;
  std::thread thread_;
};

// A global node, running, and the chapter KE below it, which calls it once started.
struct TwoNodes {
  TwoNodes();
  void start();

  // A live node that calls `parent`. Not started.
  [[nodiscard]] std::unique_ptr<LiveNode> live(std::unique_ptr<TestNode> node, LiveNode& parent);

  SeededRandom random{5};
  SetClock date;
  std::unique_ptr<LiveNode> global;
  std::unique_ptr<LiveNode> kenya;
  // Joined before the daemons ran, for the tests that need one more.
  std::unique_ptr<TestNode> uganda;  // below the global node
  std::unique_ptr<TestNode> kisumu;  // below KE
};

}  // namespace chapterd::testing
