// Local writes and live changes: how long until durable, here and there.
#include "bench/limits.h"
#include "bench/rows.h"
#include "bench/stage.h"

#include <thread>
#include <utility>

namespace chapterd::bench {
namespace {

Result<Written> write_one(Replica& replica, int number) {
  const std::string text = std::to_string(number) + std::string(250, 'x');
  return replica.write({Audience::up, {}},
                       testing::a_change(testing::record_named(std::to_string(number)), "t", text));
}

double milliseconds(double seconds) {
  return seconds * 1000;
}

struct Hops {
  double p50 = 0;
  double p99 = 0;
};

// Nothing grows any more: what the session's opening brought is in.
std::uint64_t settled_arrival(testing::LiveNode& node) {
  std::uint64_t before = 0;
  std::uint64_t now = node.arrival();
  while (now != before) {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    before = std::exchange(now, node.arrival());
  }
  return now;
}

// From the call of write() at the lowest node until the highest holds it on disk and has seen it.
// There each change makes two arrivals: the entry and the receipt for it.
Hops measure(testing::LiveNode& from, testing::LiveNode& to, Growth& growth, int changes) {
  const std::uint64_t before = settled_arrival(to);
  std::vector<double> samples;
  for (int i = 0; i < changes; ++i) {
    const Stopwatch watch;
    if (!from.writer().run([&](Replica& replica) { return write_one(replica, i); })) {
      throw std::runtime_error("a write was refused");
    }
    growth.wait_for(before + 2 * static_cast<std::uint64_t>(i) + 1, 30);
    samples.push_back(milliseconds(watch.seconds()));
  }
  if (settled_arrival(to) != before + 2 * static_cast<std::uint64_t>(changes)) {
    throw std::runtime_error("something else arrived meanwhile: the figures would be wrong: " +
                             std::to_string(settled_arrival(to) - before));
  }
  return {quantile(samples, 0.5), quantile(samples, 0.99)};
}

}  // namespace

std::vector<Figure> local_writes() {
  constexpr int alone = 2000;
  constexpr int writers = 64;
  constexpr int each = 500;
  const testing::TempFolder folder;
  Stage stage;
  const double limit = sqlite_single_commits(folder.path(), alone);
  testing::LiveNode node(std::move(stage.kenya), listens());
  node.start();
  std::vector<Figure> figures;
  const Stopwatch watch;
  for (int i = 0; i < alone; ++i) {
    if (!node.writer().run([&](Replica& replica) { return write_one(replica, i); }))
      throw std::runtime_error("refused");
  }
  figures.push_back({"local write, durable, one at a time", alone / watch.seconds(), "writes/s",
                     limit, "plain SQLite's single durable commits", "≥ 0.8 of the limit", ""});
  const Stopwatch together;
  std::vector<std::thread> threads;
  std::atomic<int> refused{0};
  for (int t = 0; t < writers; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < each; ++i) {
        if (!node.writer().run(
                [&](Replica& replica) { return write_one(replica, 10'000 + t * each + i); }))
          ++refused;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  if (refused > 0) throw std::runtime_error("writes were refused");
  figures.push_back({"local write, durable, 64 writers", writers * each / together.seconds(),
                     "writes/s", 0, "", "≥ 20,000", ""});
  return figures;
}

std::vector<Figure> live(int changes) {
  const testing::TempFolder folder;
  const double fsync_ms = milliseconds(fsync_seconds(folder.path()));
  Stage stage;
  auto kisumu_node = testing::TestNode::below(*stage.kenya, "KE-17");
  testing::LiveNode global(std::move(stage.global), listens());
  Growth at_global;
  at_global.watch(global);
  global.start();
  testing::LiveNode kenya(std::move(stage.kenya), dials(global.address()));
  kenya.follow(global.id());
  kenya.start();
  wait_until_caught_up(kenya);
  std::vector<Figure> figures;
  const Hops one = measure(kenya, global, at_global, changes);
  figures.push_back({"live, durable at both ends, one hop, p50", one.p50, "ms", 2 + 2 * fsync_ms,
                     "2 ms + 2 fsyncs", "≤ the limit, p99 ≤ 4 × p50",
                     "p99 " + std::to_string(one.p99) + " ms"});
  testing::LiveNode kisumu(std::move(kisumu_node), dials(kenya.address()));
  kisumu.follow(kenya.id());
  kisumu.start();
  wait_until_caught_up(kisumu);
  wait_until_caught_up(kenya);
  const Hops three = measure(kisumu, global, at_global, changes);
  figures.push_back({"live, durable, three levels, p50", three.p50, "ms", 6 + 4 * fsync_ms,
                     "6 ms + 4 fsyncs", "≤ the limit, p99 ≤ 4 × p50",
                     "p99 " + std::to_string(three.p99) + " ms"});
  return figures;
}

}  // namespace chapterd::bench
