// What both ends may hold, as far as the peer has acknowledged it, and when that changes.
#include "replication/entitlement.h"
#include "replication/outflow.h"

#include <unordered_map>
#include <utility>

namespace chapterd {
namespace {

// Feeds that one SCOPE frame names: it explains, both sides compute the scope themselves.
constexpr std::size_t most_scoped = 1000;

}  // namespace

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

std::optional<ScopeFrame> Outflow::rescope() {
  if (authority_version_ == directory_.authority().version()) return std::nullopt;
  authority_version_ = directory_.authority().version();
  const std::uint64_t grant = grant_name(directory_.authority(), peer_, directory_.self());
  if (grant == std::exchange(grant_, grant)) return std::nullopt;
  const std::vector<std::uint8_t> before = std::exchange(granted_, {});
  ScopeFrame scope;
  for (const KnownFeed& feed : directory_.feeds()) {
    const std::uint8_t had =
        feed.row.value < before.size() ? before[feed.row.value] : std::uint8_t{0};
    const bool has = granted(feed.row);
    const bool is_full = scope.added.size() + scope.removed.size() >= most_scoped;
    if (has && had == 2) {
      if (!is_full && feed.trunk.value == 0) scope.added.push_back(feed.head.feed);
      backfill(feed.row, feed.fork.seq.next());
    } else if (!has && had == 1) {
      if (!is_full && feed.trunk.value == 0) scope.removed.push_back(feed.head.feed);
      backfill_.erase(feed.row);
    }
  }
  if (scope.added.empty() && scope.removed.empty()) return std::nullopt;
  return scope;
}

}  // namespace chapterd
