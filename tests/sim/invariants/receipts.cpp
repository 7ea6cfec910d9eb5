// I8: what a receipt says is true: its signer held that entry, durably, when it said so.
#include "replication/format/receipt.h"
#include "tests/sim/invariants/invariants.h"

#include <string>

namespace chapterd::sim {

void check_receipts(World& world, SimNode& node) {
  Directory& directory = node.process->replica().directory();
  std::map<PublicKey, int> machines;
  for (const auto& each : world.nodes) machines[each->id()] = each->machine;
  for (const StoredReceipt& stored :
       node.process->store().receipts_after(Arrival(0), SIZE_MAX >> 1U)) {
    const auto signer = machines.find(stored.node);
    const auto receipt = decode_receipt(stored.bytes);
    world.require(receipt.has_value(), "I8", "a stored receipt cannot be read");
    if (signer == machines.end()) continue;
    const FeedId& id = directory.feed(stored.feed).head.feed;
    const auto truth = world.ledger.feeds.find(id);
    if (truth == world.ledger.feeds.end() || truth->second.author < 0) continue;
    const auto& promised = world.ledger.promised[static_cast<std::size_t>(signer->second)];
    const auto held = promised.lower_bound({id, FeedRow(0)});
    const std::string where = " (signed by machine " + std::to_string(signer->second) +
                              ", stored at " + std::to_string(node.machine) + ")";
    world.require(
        held != promised.end() && held->first.first == id && held->second.seq >= receipt->head.seq,
        "I8", "a receipt says more than its signer holds" + where);
    world.require(truth->second.hashes[receipt->head.seq.value - 1] == receipt->head.hash, "I8",
                  "a receipt names another entry than the one written" + where);
  }
}

}  // namespace chapterd::sim
