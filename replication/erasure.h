// What is ordered to be erased, what is missing without an order, and which orders wait for their
// authority: small tables in memory, kept in named values of the store. Writer thread only, but for
// load().
#pragma once

#include "replication/directory.h"
#include "replication/format/erase_order.h"
#include "replication/format/piece.h"

#include <map>
#include <set>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace chapterd {

// One entry that an order names, and where that order stands.
struct OrderedErasure {
  Head entry;
  FeedRow feed;  // of the order
  Sequence seq;
  Arrival arrival;
};

// Whether an order counts, wherever and whenever it is judged: signed by an authority key that its
// feed's chapter ever had, or naming only the last limits::order_reach entries of its own feed
// before it. So a stolen laptop can wipe little, and neither a clock nor what was learned first
// decides: an order from before a key was replaced counts after it too, as its node's feed stands
// where it is. `place` is that of the order. Without a signature the entries must be ancestors of
// it besides, which the caller sees to.
[[nodiscard]] bool is_authorised(const Authority& authority,
                                 const FeedIntro& feed,
                                 const Head& place,
                                 const EraseOrder& order,
                                 ByteView payload);

// Orders reach the layer that their own feed writes, and no other.
[[nodiscard]] bool same_layer(const FeedIntro& a, const FeedIntro& b);

// Only changes are erased, and only payloads that are not shorter than what takes their place.
[[nodiscard]] bool can_be_erased(const PieceEntry& entry);

// The order that was found to count last; 0 when there is none.
[[nodiscard]] Arrival newest_order(Reader& reader);

// Whether the newest order that counts lies between two positions of a peer in this log: then it is
// worth remembering that the peer has obeyed it.
[[nodiscard]] bool is_newest_order_between(Reader& reader, Arrival before, Arrival through);

// The first entry of each feed whose payload is missing without an order.
[[nodiscard]] std::map<FeedRow, Sequence> holes_in(Reader& reader);

class Erasures {
 public:
  [[nodiscard]] static Erasures load(Reader& reader);

  // Of entries, in order of their hashes; each with every order that names it.
  using Orders = std::map<EntryHash, std::vector<OrderedErasure>>;

  [[nodiscard]] const Orders& orders() const { return orders_; }

  // An order that counts and stands names this very entry, of a feed with this intro.
  [[nodiscard]] bool in_force(const Head& entry,
                              const FeedIntro& feed,
                              const Directory& directory) const;

  // Some entry of this feed is ordered to be erased.
  [[nodiscard]] bool touches(const FeedId& feed) const { return feeds_.contains(feed); }

  // The first entry of this feed whose payload is missing without an order; 0 when there is none.
  [[nodiscard]] Sequence first_hole(FeedRow feed) const;
  [[nodiscard]] bool is_hole(FeedRow feed, Sequence seq) const;

  // Orders that do not count yet, as far as is known here, or that only a later program can read.
  [[nodiscard]] const std::set<Arrival>& doubtful() const { return doubtful_; }

  // The first entry of this feed that no receipt may cover: a hole, or an order that was not
  // obeyed; 0 when there is none.
  [[nodiscard]] Sequence first_unproved(FeedRow feed) const;

  // Each returns what the store must keep of it.
  [[nodiscard]] NamedValue add(const OrderedErasure& erasure);
  [[nodiscard]] NamedValue add_hole(FeedRow feed, Sequence seq);
  [[nodiscard]] NamedValue close_hole(FeedRow feed, Sequence seq);
  [[nodiscard]] static NamedValue newest(Arrival order);
  [[nodiscard]] NamedValue doubt(Arrival order, FeedRow feed, Sequence seq);
  [[nodiscard]] NamedValue trust(Arrival order);
  // The order lies elsewhere now, and will be judged there.
  [[nodiscard]] std::vector<NamedValue> forget(Arrival order);

 private:
  Orders orders_;
  std::unordered_set<FeedId, FixedHash> feeds_;
  std::map<FeedRow, std::set<Sequence>> holes_;
  std::set<Arrival> doubtful_;
  std::map<std::pair<FeedRow, Sequence>, Arrival> unobeyed_;  // the same, where they stand
};

}  // namespace chapterd
