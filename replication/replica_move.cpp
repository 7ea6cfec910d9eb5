// Which feeds this node writes into. When its chapter moves below another parent, the feeds with
// the old path end, and what is written from then on goes into new ones, for those above it now.
#include "replication/format/limits.h"
#include "replication/replica.h"
#include "replication/stored_piece.h"

#include <utility>

namespace chapterd {

FeedIntro Replica::own_intro(const Address& address) const {
  const Authority& authority = directory_.authority();
  FeedIntro intro;
  intro.node = directory_.self();
  intro.home = authority.path_of(directory_.chapter());
  intro.audience = address.audience;
  if (address.audience == Audience::to) intro.target = authority.path_of(address.target);
  intro.incarnation = directory_.incarnation();
  return intro;
}

std::optional<FeedRow> Replica::known_own_feed(const FeedIntro& intro) const {
  for (const FeedRow row : directory_.own_feeds()) {
    const FeedIntro& known = directory_.feed(row).intro;
    if (known.incarnation == intro.incarnation && known.audience == intro.audience &&
        known.target == intro.target && known.home == intro.home && !ended_.contains(row)) {
      return row;
    }
  }
  return std::nullopt;
}

FeedRow Replica::own_feed(const Address& address) {
  return own_feed(own_intro(address));
}

FeedRow Replica::own_feed(FeedIntro intro) {
  if (const auto known = known_own_feed(intro)) return *known;
  return open_own_feed(std::move(intro), FeedRow(0));
}

FeedRow Replica::open_own_feed(FeedIntro intro, FeedRow closed) {
  if (closed.value != 0) intro.predecessors = ends_of(closed);
  for (const Predecessor& each : predecessors_of(intro)) {
    const bool is_closed = closed.value != 0 && each.tip.feed == directory_.feed(closed).head.feed;
    if (!is_closed && intro.predecessors.size() < limits::feed_tips)
      intro.predecessors.push_back(each);
  }
  Bytes bytes = encode(intro);
  const FeedId id = feed_id(directory_.authority().federation(), bytes);
  return add_feed(std::move(intro), std::move(bytes), id);
}

// In the group that brought the move. What was written for the chapters that were left and did not
// get there stays where it is: whether those above now shall have it, a person decides.
void Replica::follow_moves() {
  const ChapterPath now = directory_.authority().path_of(directory_.chapter());
  const ChapterPath before = std::exchange(own_path_, now);
  if (now == before) return;
  for (const FeedRow row : directory_.own_feeds()) {
    const KnownFeed& feed = directory_.feed(row);
    const bool goes_on = feed.intro.incarnation == directory_.incarnation() &&
                         feed.intro.home == before && !ended_.contains(row);
    if (!goes_on) continue;
    append(row, EntryKind::end_of_feed, {});
    open_->links.push_back(0);
    close_piece();
    ended_.insert(row);
  }
}

// Own feeds of this incarnation whose newest entry ends them, and where the chapter stands.
void Replica::note_place() {
  own_path_ = directory_.authority().path_of(directory_.chapter());
  ended_.clear();
  for (const FeedRow row : directory_.own_feeds()) {
    const KnownFeed& feed = directory_.feed(row);
    // One with this path may have ended too, when the chapter went away and came back.
    if (feed.intro.incarnation != directory_.incarnation()) continue;
    for (const StoredPiece& stored : store_.pieces_of(row, feed.head.seq, 1)) {
      const auto piece = undamaged(stored);
      // The first entry of a feed that closes forked ones is of this kind too, and ends nothing. A
      // damaged piece is told by 'verify', which must be able to open this database.
      if (feed.head.seq > Sequence(1) && piece &&
          piece->entries.back().kind == EntryKind::end_of_feed)
        ended_.insert(row);
    }
  }
}

}  // namespace chapterd
