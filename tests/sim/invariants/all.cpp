// Which invariants are looked at when.
#include "tests/sim/invariants/invariants.h"

namespace chapterd::sim {

namespace {

void check_node_now(World& world, SimNode& node) {
  check_cursors(world, node.process->store(), node);
  check_receipts(world, node);
  check_revocations(world, node);
  check_told(world, node);
}

// Looked at first: a node that holds what it may not never agrees with the others.
void check_heads(World& world) {
  for (const auto& node : world.nodes) {
    if (node->is_gone || node->process == nullptr || !node->process->has_started()) continue;
    for (const KnownFeed& feed : node->process->replica().directory().feeds())
      if (feed.head.seq != Sequence(0)) check_head(world, *node, feed, HeadIs::stored);
  }
}

}  // namespace

void World::check_now() {
  for (const auto& each : nodes)
    if (each->process != nullptr && each->process->has_started()) check_node_now(*this, *each);
  // One after the other: it takes longer.
  const SimNode& next = *nodes[looks_++ % nodes.size()];
  if (next.process != nullptr && next.process->has_started())
    check_waiting(*this, node(next.machine));
}

bool World::has_converged() {
  std::string difference = find_difference(*this);
  if (difference.empty()) difference = find_unconfirmed(*this);
  if (!difference.empty()) tell("not yet: " + difference);
  return difference.empty();
}

void World::check_end() {
  check_heads(*this);
  const std::string difference = find_difference(*this);
  require(difference.empty(), "I15", difference);
  const std::string unconfirmed = find_unconfirmed(*this);
  require(unconfirmed.empty(), "I8", unconfirmed);
  has_healed = true;
  check_saved(*this);
  check_keys(*this);
  check_views(*this);
  check_canaries(*this);
  check_erased(*this);
  for (const auto& each : nodes)
    if (!each->is_gone) check_forks(*this, *each);
  check_now();
  check_invites(*this);
  check_repeats(*this);
}

}  // namespace chapterd::sim
