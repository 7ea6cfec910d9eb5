// What both ends may hold, as far as the peer has acknowledged it.
#include "replication/outflow.h"

#include <unordered_map>
#include <utility>

namespace chapterd {

std::vector<SharedHead> Outflow::heads(const HeadOf& head_of) const {
  std::vector<SharedHead> shared = shared_heads(directory_, peer_, head_of);
  std::erase_if(shared, [&](const SharedHead& each) { return !is_in_lanes(each.row); });
  return shared;
}

std::vector<SharedHead> Outflow::heads() const {
  return heads(Directory::standing_head);
}

HeadOf Outflow::acknowledged_head_of() const {
  std::unordered_map<std::uint64_t, Position> before;
  for (const InFlight& piece : in_flight_)
    before.try_emplace(piece.feed.value, Position{piece.before, piece.before_hash});
  return [before = std::move(before)](const KnownFeed& feed) {
    const auto at = before.find(feed.row.value);
    if (at == before.end()) return Directory::standing_head(feed);
    return Head{feed.head.feed, at->second.seq, at->second.hash};
  };
}

// A feed of which the peer holds nothing yet does not count.
std::vector<SharedHead> Outflow::acknowledged_heads() const {
  return heads(acknowledged_head_of());
}

}  // namespace chapterd
