// Feeds with more than one branch: where a piece goes, and what a node does that finds a second
// history of its own.
#include "base/contract.h"
#include "replication/forks.h"
#include "replication/format/limits.h"
#include "replication/replica.h"

#include <algorithm>

namespace chapterd {

// The branch that itself holds this very entry.
std::optional<FeedRow> Replica::holder_of(const FeedId& feed, const Position& entry) {
  for (const FeedRow row : directory_.branches(feed)) {
    if (hash_at(directory_.feed(row), entry.seq) == entry.hash) return row;
  }
  return std::nullopt;
}

// Whether the history that this branch ends goes through an entry.
bool Replica::leads_through(FeedRow branch, const Head& entry) {
  const KnownFeed* at = &directory_.feed(branch);
  if (at->head.feed != entry.feed) return false;
  while (entry.seq <= at->fork.seq) at = &directory_.feed(at->trunk);
  return hash_at(*at, entry.seq) == entry.hash;
}

// An entry that is held has all its ancestors here, so what is new of a piece is its end. nullopt:
// what comes before it is not held.
std::optional<Replica::Landing> Replica::find_landing(const VerifiedPiece& piece) {
  const FeedId& id = piece.feed().id;
  const Sequence before(piece.piece().first.value - 1);
  const KnownFeed* known = directory_.feed(id);
  Landing landing{0, FeedRow(0), {before, piece.prev()}};
  if (known != nullptr && known->head.seq == before && known->head.hash == piece.prev() &&
      directory_.branches(id).size() == 1) {
    landing.row = known->row;  // nearly always
    return landing;
  }
  close_piece();
  std::size_t end = piece.hashes().size();
  while (landing.held < end) {
    const std::size_t middle = landing.held + (end - landing.held) / 2;
    const Position entry{piece.piece().first.plus(middle), piece.hashes()[middle]};
    if (holder_of(id, entry)) {
      landing.held = middle + 1;
      landing.at = entry;
    } else {
      end = middle;
    }
  }
  if (landing.at.seq == Sequence(0)) return landing;
  const auto holder = holder_of(id, landing.at);
  if (!holder) return std::nullopt;
  landing.row = *holder;
  return landing;
}

// Why a piece cannot be taken yet. With another entry in the place of the one that it follows, its
// branch must be asked for from where it leaves ours.
Error Replica::lacks_before(const VerifiedPiece& piece) const {
  const Sequence before(piece.piece().first.value - 1);
  for (const FeedRow row : directory_.branches(piece.feed().id)) {
    if (directory_.feed(row).head.seq >= before)
      return Error(Errc::not_found, "piece.branch", "A piece follows another branch of a feed.",
                   "What is held here is kept.", "The rest of that branch is asked for.");
  }
  return Error(Errc::not_found, "piece.gap", "A piece does not follow what is held.");
}

// The branch that the rest of a piece is appended to; a new one when it leaves the others.
Result<FeedRow> Replica::branch_for(const VerifiedPiece& piece, const Landing& landing) {
  const KnownFeed* known = directory_.feed(piece.feed().id);
  if (known == nullptr) return feed_for(piece);
  const std::vector<FeedRow> rows = directory_.branches(known->head.feed);
  for (const FeedRow row : rows) {
    const Head& head = directory_.feed(row).head;
    if (head.seq == landing.at.seq && head.hash == landing.at.hash) return row;
  }
  if (rows.size() >= limits::feed_tips) {
    return fail(Errc::needs_person, "feed.too-many-branches",
                "A feed has more than eight histories, all signed with one key.",
                "Eight of them are kept here; this one was not stored.",
                "Find out who has that key; its chapter can revoke it.");
  }
  KnownFeed branch;
  branch.intro = known->intro;
  branch.intro_bytes = known->intro_bytes;
  branch.head = {known->head.feed, landing.at.seq, landing.at.hash};
  branch.trunk = landing.row;
  branch.fork = landing.at;
  return stage_feed(std::move(branch));
}

// A feed that this node would go on writing.
bool Replica::is_own_current(const FeedIntro& intro) const {
  return intro.node == directory_.self() && intro.incarnation == directory_.incarnation();
}

// Whether the newest entry of a branch was written on this machine, not brought back to it.
bool Replica::wrote_tip(const KnownFeed& branch) {
  const auto piece = piece_holding(branch.row, branch.head.seq);
  return piece && piece->via == 0;
}

// Once all that the world holds of this node is back: each of its forked feeds is ended by the next
// one, which lists the tips and begins at once, with an entry that says nothing else.
void Replica::close_own_forks() {
  close_piece();
  const auto is_own_tip = [this](const KnownFeed& branch) { return wrote_tip(branch); };
  for (const FeedId& id : left_open(directory_, is_own_tip)) {
    const FeedRow row = directory_.feed(id)->row;
    const FeedIntro ended = directory_.feed(row).intro;
    const Address address{ended.audience, ended.target ? ended.target->chapter : ChapterId{}};
    if (known_own_feed(own_intro(address))) next_incarnation();  // one feed ends one
    const FeedRow next = open_own_feed(own_intro(address), row);
    append(next, EntryKind::end_of_feed, {});
    open_->links.push_back(0);
    close_piece();
  }
  follow_cuts();
  staged_ = true;  // also when nothing was left to do: who commits now tells others what changed
}

// What the feed that ends this one lists: all tips, or those that this machine wrote and nobody
// listed.
std::vector<Predecessor> Replica::ends_of(FeedRow row) {
  const FeedId id = directory_.feed(row).head.feed;
  const std::vector<Head> listed = directory_.closing(directory_.feed(row));
  std::vector<Predecessor> ends;
  for (const FeedRow branch : directory_.branches(id)) {
    const KnownFeed& known = directory_.feed(branch);
    const Head& tip = known.head;
    const bool is_listed = std::ranges::find(listed, tip) != listed.end();
    if (listed.empty() || (!is_listed && wrote_tip(known))) ends.push_back({tip, Continues::fork});
  }
  return ends;
}

}  // namespace chapterd
