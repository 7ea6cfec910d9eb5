// Setting the stage.
#include "bench/stage.h"

#include <stdexcept>

namespace chapterd::bench {

void Growth::wait_for(std::uint64_t arrival, double seconds) {
  std::unique_lock lock(mutex_);
  const bool reached = grown_.wait_for(lock, std::chrono::duration<double>(seconds),
                                       [&] { return arrival_ >= arrival; });
  if (!reached) {
    throw std::runtime_error("only " + std::to_string(arrival_) + " of " + std::to_string(arrival) +
                             " entries came");
  }
}

Stage::Stage()
    : global(testing::TestNode::founder(random, clock)),
      kenya(testing::TestNode::below(*global, "KE")) {}

std::size_t write_lines(testing::TestNode& node, LineWriter& writer, const Lines& lines) {
  constexpr std::size_t group = 2000;
  std::size_t changes = 0;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (writer.write(*node.replica, lines[i])) ++changes;
    if (i % group == group - 1) node.commit();
  }
  node.commit();
  return changes;
}

PeersOptions dials(const std::string& address) {
  PeersOptions options = testing::test_options();
  options.parents = {address};
  return options;
}

PeersOptions listens() {
  return testing::test_options();
}

void wait_until_caught_up(testing::LiveNode& node) {
  const bool caught_up = testing::comes_true([&] {
    const auto status = node.status();
    return !status.empty() && status.front().caught_up;
  });
  if (!caught_up) throw std::runtime_error("the nodes never agreed");
}

}  // namespace chapterd::bench
