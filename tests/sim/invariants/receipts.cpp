// I8: what a receipt says is true: its signer held that entry, durably, when it said so. One of a
// disk that was put back or lost is void; its signer held that once. And in the end whoever wrote
// knows who above holds it.
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

// Whether the author's node knows that a chapter holds all of a branch that counts: any of its
// machines may have said so, one whose disk was lost since among them.
bool is_confirmed(World& world, SimNode& author, const KnownFeed& branch, int chapter) {
  const Sequence whole = Directory::standing_head(branch).seq;
  return std::ranges::any_of(
      author.process->store().receipts_of(branch.row), [&](const StoredReceipt& receipt) {
        return receipt.seq >= whole && std::ranges::any_of(world.nodes, [&](const auto& each) {
                 return !each->is_revoked && each->chapter == chapter && each->id() == receipt.node;
               });
      });
}

// Those above the author, and the one that is addressed, whose nodes may hold this, and of which
// one is there.
std::vector<int> chapters_to_tell(World& world, const SimNode& author, const FeedIntro& intro) {
  std::vector<int> chapters = world.places.line(author.chapter);
  for (std::size_t at = 0; intro.target && at < world.chapters.size(); ++at) {
    const int chapter = static_cast<int>(at);
    const bool is_listed = std::ranges::find(chapters, chapter) != chapters.end();
    if (world.chapters[at].id == intro.target->chapter && !is_listed) chapters.push_back(chapter);
  }
  std::erase_if(chapters, [&](int chapter) {
    return chapter == author.chapter || !world.places.may_hold(chapter, intro) ||
           std::ranges::none_of(world.nodes, [&](const auto& each) {
             return each->counts() && each->chapter == chapter;
           });
  });
  return chapters;
}

// Of a branch that another one leaves behind its last entry that counts, that one tells.
bool is_part_of_another(const Directory& directory, const KnownFeed& branch) {
  const Sequence whole = Directory::standing_head(branch).seq;
  return whole == branch.fork.seq ||
         std::ranges::any_of(directory.branches(branch.head.feed), [&](FeedRow row) {
           const KnownFeed& leaving = directory.feed(row);
           return leaving.trunk == branch.row && leaving.fork.seq >= whole;
         });
}

}  // namespace

std::string find_unconfirmed(World& world) {
  for (const auto& author : world.nodes) {
    if (!author->counts()) continue;
    const Directory& directory = author->process->replica().directory();
    for (const FeedRow row : directory.own_feeds()) {
      const KnownFeed& branch = directory.feed(row);
      if (branch.lane() == Lane::auth || !world.places.is_current(branch.intro) ||
          is_part_of_another(directory, branch))
        continue;
      for (const int chapter : chapters_to_tell(world, *author, branch.intro)) {
        if (!is_confirmed(world, *author, branch, chapter))
          return "machine " + std::to_string(author->machine) + " does not know that chapter " +
                 world.chapters[static_cast<std::size_t>(chapter)].code +
                 " holds its entries for audience " + std::string(name_of(branch.intro.audience));
      }
    }
  }
  return {};
}

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
