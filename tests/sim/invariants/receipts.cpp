// I8: what a receipt says is true: its signer held that entry, durably, when it said so. One of a
// disk that was put back or lost is void; its signer held that once.
#include "replication/format/receipt.h"
#include "tests/sim/invariants/invariants.h"

#include <algorithm>
#include <string>

namespace chapterd::sim {
namespace {

bool is_true(World& world, const Receipt& receipt, const FeedTruth& truth) {
  const Ledger& ledger = world.ledger;
  const Head& said = receipt.head;
  const auto holds_it = [&](const Promised& promised) {
    return holds(promised, truth, said.seq, said.hash, said.feed);
  };
  for (const auto& each : world.nodes) {
    if (each->id() == receipt.node &&
        holds_it(ledger.promised[static_cast<std::size_t>(each->machine)]))
      return true;
  }
  return std::ranges::any_of(ledger.past, [&](const PastLife& past) {
    return past.key == receipt.node && past.epochs.contains(receipt.epoch) &&
           holds_it(past.promised);
  });
}

}  // namespace

void check_receipts(World& world, SimNode& node) {
  std::map<PublicKey, int> machines;
  for (const auto& each : world.nodes) machines.emplace(each->id(), each->machine);
  for (const StoredReceipt& stored :
       node.process->store().receipts_after(Arrival(0), SIZE_MAX >> 1U)) {
    const auto signer = machines.find(stored.node);
    const auto receipt = decode_receipt(stored.bytes);
    world.require(receipt.has_value(), "I8", "a stored receipt cannot be read");
    if (signer == machines.end()) continue;
    const auto truth = world.ledger.feeds.find(receipt->head.feed);
    if (truth == world.ledger.feeds.end() || truth->second.author < 0) continue;
    const std::string where = " (signed by machine " + std::to_string(signer->second) +
                              ", stored at " + std::to_string(node.machine) + ")";
    world.require(truth->second.wrote(receipt->head.seq, receipt->head.hash), "I8",
                  "a receipt names another entry than the one written" + where);
    world.require(is_true(world, *receipt, truth->second), "I8",
                  "a receipt says more than its signer holds" + where);
  }
}

}  // namespace chapterd::sim
