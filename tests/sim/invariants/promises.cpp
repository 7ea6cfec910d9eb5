// I1, I14: what was promised before a crash is there after it. I9: no cursor is ahead of it.
#include "replication/entitlement.h"
#include "tests/sim/invariants/invariants.h"

#include <algorithm>
#include <string>

namespace chapterd::sim {
namespace {

std::string at(const SimNode& node, const FeedId& feed, Sequence seq) {
  return " (machine " + std::to_string(node.machine) + ", feed " +
         to_hex(feed.view()).substr(0, 8) + ", entry " + std::to_string(seq.value) + ")";
}

int machine_with(const World& world, const PublicKey& key) {
  for (const auto& each : world.nodes)
    if (each->id() == key) return each->machine;
  return -1;
}

// The transaction that begins a new life of the feeds of a node that was put back moves what had
// not left it; the ledger follows when it hears of that transaction.
bool has_new_life(Reader& reader, const SimNode& node) {
  if (!node.may_come_back) return false;
  const auto stored = reader.values(stored_name::incarnation);
  const ByteView known = node.incarnation.view();
  return !stored.empty() && !std::ranges::equal(stored.front().value, known);
}

// Nothing goes back to whom it came from, also when that one has lost it or is another machine with
// the same key; what follows it is then refused as a gap. The digest at the end of the same session
// finds both.
bool lacks_what_its_key_had(const World& world,
                            const SimNode& node,
                            const FeedId& feed,
                            Sequence held) {
  const auto has_more = [&](const Promised& promised) {
    return std::ranges::any_of(promised, [&](const auto& each) {
      return each.first.first == feed && each.second.seq > held;
    });
  };
  for (const auto& each : world.nodes) {
    const bool is_same = each->machine != node.machine && each->id() == node.id();
    if (is_same && has_more(world.ledger.promised[static_cast<std::size_t>(each->machine)]))
      return true;
  }
  return std::ranges::any_of(world.ledger.past, [&](const PastLife& past) {
    return past.key == node.id() && has_more(past.promised);
  });
}

// A cursor is of use only together with what the node might hold when it was handed out: once that
// is another, the next session begins anew.
bool may_hold_otherwise(World& world, SimNode& node, const StoredPeer& peer, int machine) {
  const auto is_other = [&](const SimNode& who) {
    return who.is_up() && grant_name(who.process->replica().directory().authority(), node.id(),
                                     peer.node) != peer.grant;
  };
  return is_other(node) || (machine >= 0 && is_other(world.node(machine)));
}

// The pieces of each feed follow each other up to its head.
void check_whole(World& world,
                 Reader& reader,
                 SimNode& node,
                 const std::vector<StoredFeed>& feeds) {
  std::vector<Head> reached(feeds.size() + 1);
  for (const StoredFeed& feed : feeds)
    reached[feed.row.value] = Head{feed.id, feed.fork.seq, feed.fork.hash};
  for (const StoredPiece& piece : reader.heads_after(Arrival(0), SIZE_MAX >> 1U)) {
    Head& head = reached.at(piece.feed.value);
    world.require(piece.seq == head.seq.next() && piece.prev == head.hash, "I3", [&] {
      return "a stored piece does not follow the one before it" +
             at(node, feeds[piece.feed.value - 1].id, piece.seq);
    });
    head.seq = Sequence(piece.seq.value + piece.count - 1);
    head.hash = piece.last;
  }
  for (const StoredFeed& feed : feeds) {
    const Head& head = reached[feed.row.value];
    world.require(head.seq == feed.seq && head.hash == feed.hash, "I3", [&] {
      return "a head is not the end of its pieces" + at(node, feed.id, feed.seq);
    });
  }
}

}  // namespace

void check_promises(World& world, Reader& reader, SimNode& node) {
  const auto feeds = reader.feeds_after(FeedRow(0), SIZE_MAX >> 1U);
  std::map<std::pair<FeedId, FeedRow>, Head> held;
  for (const StoredFeed& feed : feeds)
    held[{feed.id, feed.row}] = Head{feed.id, feed.seq, feed.hash};
  const Ledger& ledger = world.ledger;
  const bool has_moved = has_new_life(reader, node);
  for (const auto& [branch, promised] : ledger.promised[static_cast<std::size_t>(node.machine)]) {
    const FeedId& id = branch.first;
    const auto truth = ledger.feeds.find(id);
    if (has_moved && truth != ledger.feeds.end() && truth->second.intro.node == node.id()) continue;
    const auto found = held.find(branch);
    world.require(found != held.end() && found->second.seq >= promised.seq, "I1",
                  [&] { return "what was saved is gone" + at(node, id, promised.seq); });
    if (found->second.seq == promised.seq)
      world.require(found->second.hash == promised.hash, "I1", [&] {
        return "what was saved is another entry now" + at(node, id, promised.seq);
      });
    if (truth == ledger.feeds.end()) continue;
    const Head& head = found->second;
    const FeedIntro& intro = truth->second.intro;
    // A second history that is being written is told by the transaction's end.
    if (intro.node == node.id() && ledger.may_fork.contains({intro.node, intro.incarnation}))
      continue;
    if (head.seq.value > 0 && head.seq.value <= truth->second.places.size())
      world.require(truth->second.wrote(head.seq, head.hash), "I3",
                    [&] { return "a head is not what its author wrote" + at(node, id, head.seq); });
  }
  check_whole(world, reader, node, feeds);
}

void check_cursors(World& world, Reader& reader, SimNode& node) {
  std::map<FeedId, Sequence> held;
  for (const StoredFeed& feed : reader.feeds_after(FeedRow(0), SIZE_MAX >> 1U))
    held[feed.id] = std::max(held[feed.id], feed.seq);
  for (const StoredPeer& peer : reader.peers()) {
    const auto log = world.ledger.logs.find(peer.epoch);
    if (log == world.ledger.logs.end() || world.ledger.doubtful.contains(peer.epoch)) continue;
    // Nothing is taken from a revoked node, and nobody follows its log any more.
    const int machine = machine_with(world, peer.node);
    if (machine >= 0 && !world.node(machine).counts()) continue;
    if (may_hold_otherwise(world, node, peer, machine)) continue;
    for (const LogPiece& piece : log->second) {
      if (piece.last > peer.held[static_cast<std::size_t>(piece.lane)]) continue;
      const auto truth = world.ledger.feeds.find(piece.feed);
      if (truth == world.ledger.feeds.end() || truth->second.author < 0) continue;
      if (world.node(truth->second.author).is_revoked || node.is_revoked) continue;
      // Before a move, or after it, the log was passed over there, or digests left it out.
      const FeedIntro& intro = truth->second.intro;
      const auto may = [&](const SimNode& who) {
        return world.places.may_always_hold(who.chapter, intro);
      };
      if (!may(node) || (machine >= 0 && !may(world.node(machine)))) continue;
      // Of a feed with two histories lists of tips set entries aside and take them back: what
      // begins to count behind a cursor is found by the digests, which say something else from then
      // on.
      if (world.ledger.may_fork.contains({intro.node, intro.incarnation})) continue;
      // A relay that changes bytes is found out; the digest asks for the rest again.
      if (world.ledger.refused.contains({node.machine, piece.feed})) continue;
      if (held[piece.feed] < piece.seq &&
          lacks_what_its_key_had(world, node, piece.feed, held[piece.feed]))
        continue;
      world.require(held[piece.feed] >= piece.seq, "I9", [&] {
        return "a cursor is ahead of what is stored" + at(node, piece.feed, piece.seq) +
               ", audience " + std::string(name_of(truth->second.intro.audience)) + " by machine " +
               std::to_string(truth->second.author) + " at " + std::to_string(piece.last.value) +
               ", cursor into machine " + std::to_string(machine);
      });
    }
  }
}

}  // namespace chapterd::sim
