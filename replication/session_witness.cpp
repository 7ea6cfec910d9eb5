// What the two ends of a session know of each other's own feeds: by it a node learns that it was
// rolled back before anything of it goes out, and a node that was waits for those above it.
#include "base/byte_stream.h"
#include "replication/entitlement.h"
#include "replication/forks.h"
#include "replication/format/limits.h"
#include "replication/lives.h"
#include "replication/session.h"
#include "replication/stored_piece.h"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

namespace chapterd {
namespace {

// Heads in a HELLO: enough for a witness against a roll-back, few enough for one frame.
constexpr std::size_t most_heads = 200;
// Of witnesses in one frame, which has to hold a chain of certificates as well.
constexpr std::size_t witness_bytes = 24 * 1024;
// Head and checkpoint.
constexpr std::size_t bare_witness_bytes = 140;

void add(std::vector<Witness>& witnesses, Witness witness, std::size_t& room) {
  const std::size_t size = bare_witness_bytes + witness.intro.size();
  if (size > room) return;
  room -= size;
  witnesses.push_back(std::move(witness));
}

}  // namespace

// --- what is said ---

std::vector<Head> Session::own_heads() const {
  std::vector<Head> heads;
  for (const FeedRow row : directory_.own_feeds()) {
    const KnownFeed& feed = directory_.feed(row);
    if (heads.size() < most_heads && may_hold(directory_.authority(), peer_, feed.intro))
      heads.push_back(feed.head);
  }
  return heads;
}

std::vector<ShortHead> Session::heads_of_peer() const {
  std::vector<ShortHead> heads;
  const auto& feeds = directory_.feeds();
  for (auto feed = feeds.rbegin(); feed != feeds.rend() && heads.size() < most_heads; ++feed) {
    if (feed->intro.node != peer_ || feed->head.seq == feed->fork.seq) continue;
    heads.push_back({short_name(feed->head.feed), feed->head.seq, short_name(feed->head.hash)});
  }
  return heads;
}

// Its newest head as we hold it, with its author's signature; nothing while there is none.
std::optional<Witness> Session::witness_of(const KnownFeed& feed) {
  if (feed.intro.node != peer_ || feed.head.seq == feed.fork.seq) return std::nullopt;
  const auto pieces = reader_.pieces_of(feed.row, feed.head.seq, 1);
  if (pieces.empty()) return std::nullopt;
  const auto piece = undamaged(pieces.front());
  if (!piece || !piece->checkpoint) return std::nullopt;
  return Witness{feed.head, *piece->checkpoint, feed.intro_bytes};
}

// Feeds of the caller that are held here up to another entry than it says, or that it does not
// name: it may have been rolled back. Less than the caller has may be another branch.
std::vector<Witness> Session::witness_for(const HelloFrame& hello) {
  std::vector<Witness> witnesses;
  std::size_t room = witness_bytes;
  const auto name = [](const Head& head) { return std::tuple(head.feed, head.seq, head.hash); };
  std::set<std::tuple<FeedId, Sequence, EntryHash>> said;
  std::set<FeedId> named;
  for (const Head& own : hello.own) {
    said.insert(name(own));
    named.insert(own.feed);
  }
  for (const KnownFeed& feed : directory_.feeds()) {
    if (said.contains(name(feed.head))) continue;
    auto witness = witness_of(feed);
    if (!witness) continue;
    if (named.contains(feed.head.feed)) witness->intro.clear();
    add(witnesses, std::move(*witness), room);
  }
  return witnesses;
}

std::vector<Witness> Session::witness_of(const std::vector<std::uint64_t>& feeds) {
  std::vector<Witness> witnesses;
  std::size_t room = witness_bytes;
  for (const KnownFeed& feed : directory_.feeds()) {
    if (std::ranges::find(feeds, short_name(feed.head.feed)) == feeds.end()) continue;
    if (auto witness = witness_of(feed)) add(witnesses, std::move(*witness), room);
  }
  return witnesses;
}

// --- what follows from it ---

std::vector<std::uint64_t> Session::doubts_of(const std::vector<ShortHead>& said) {
  std::vector<std::uint64_t> doubts;
  for (const ShortHead& head : said) {
    if (doubts.size() < most_heads && is_doubtful(head)) doubts.push_back(head.feed);
  }
  return doubts;
}

bool Session::is_doubtful(const ShortHead& said) {
  for (const FeedRow row : directory_.own_feeds()) {
    const KnownFeed& feed = directory_.feed(row);
    if (short_name(feed.head.feed) != said.feed) continue;
    if (feed.intro.incarnation != directory_.incarnation()) return false;
    const auto hash = hash_in(reader_, feed, said.seq);
    if (hash && short_name(*hash) == said.hash) return false;
  }
  return true;
}

// The dialler shows what it said.
Result<void> Session::on(WitnessFrame& frame) {
  if (!std::exchange(doubts_, false)) return {};
  if (shows_rollback(frame.witness)) return {};
  note_meeting(doubtful_.lanes);
  start_outflow(doubtful_.cursor, doubtful_.holds);
  return {};
}

// Closes the session when it is so: nothing of ours may go out before the writer has begun a new
// incarnation.
bool Session::shows_rollback(const std::vector<Witness>& witnesses) {
  for (const Witness& witness : witnesses) {
    // Believed only with our own signature under it.
    if (verify_checkpoint(directory_.self(), directory_.authority().federation(), witness.head,
                          witness.checkpoint)) {
      witnesses_.push_back(witness);
    }
  }
  bool rolled_back = false;
  for (const Witness& witness : witnesses_) rolled_back = shows_rollback(witness) || rolled_back;
  if (!rolled_back) return false;
  meeting().rolled_back = true;
  close("node.rolled-back");
  return true;
}

// Entries that we signed and do not hold, in a feed that we would go on writing: we were rolled
// back, or there is a second history.
bool Session::shows_rollback(const Witness& witness) {
  const std::vector<FeedRow> rows = directory_.branches(witness.head.feed);
  if (rows.empty()) return shows_unknown_life(witness);
  if (directory_.feed(rows.front()).intro.incarnation != directory_.incarnation()) return false;
  return std::ranges::none_of(rows, [&](FeedRow row) {
    return hash_in(reader_, directory_.feed(row), witness.head.seq) == witness.head.hash;
  });
}

// A feed of ours that we do not know. Of an earlier life that is known it is only still to come
// back; a life that we never heard of is a later one than this database. Feeds of statements show
// nothing: whoever comes back says so in one, and of two copies each would come back whenever the
// other did.
bool Session::shows_unknown_life(const Witness& witness) {
  const auto intro = decode_feed_intro(witness.intro);
  if (!intro || intro->node != directory_.self() ||
      feed_id(directory_.authority().federation(), witness.intro) != witness.head.feed) {
    return false;
  }
  const Incarnation& life = intro->incarnation;
  if (life == directory_.incarnation()) return true;
  if (intro->audience == Audience::auth) return false;
  for (const FeedRow row : directory_.own_feeds()) {
    const KnownFeed& feed = directory_.feed(row);
    if (feed.lane() != Lane::auth && feed.intro.incarnation == life) return false;
  }
  const std::vector<Incarnation> known = lives_told(reader_);
  if (std::ranges::find(known, life) != known.end()) return false;
  auto& told = meeting().lives;
  if (std::ranges::find(told, life) == told.end()) told.push_back(life);
  // After a restore the life that is going on is one that nobody else can have continued.
  return !restored_;
}

// --- waiting, and coming back ---

bool Session::is_top() const {
  return directory_.authority().path_of(directory_.chapter()).above.empty();
}

// Between nodes of one chapter the one that calls plays the child: a second computer may reach
// nobody else.
bool Session::is_above_us() const {
  const Authority& authority = directory_.authority();
  const KnownNode* peer = authority.node(peer_);
  // A parent that was never met is not certified here yet.
  if (peer == nullptr || peer->certificate.chapter == directory_.chapter())
    return options_.side == Side::dialler;
  return is_above(peer->certificate.chapter, authority.path_of(directory_.chapter()));
}

// Rolled back, and this peer is not the one to be met first.
bool Session::waits_for_others() {
  return !reader_.values(stored_name::waits).empty() && !is_above_us();
}

Lanes Session::wanted_lanes() const {
  return waits_ ? Lanes::statements : options_.lanes;
}

Meeting& Session::meeting() {
  if (!inbound_.meeting) inbound_.meeting.emplace();
  return *inbound_.meeting;
}

// The peer knows no more of us than we do. Of the global node anybody may say that, for there is
// nobody above it. To others nothing of ours goes out before it is durable that they may hold it:
// what has left the node is never chained anew.
void Session::note_meeting(Lanes theirs) {
  const bool from_above = is_above_us();
  if (!directory_.has_met()) {
    if (from_above || is_top()) {
      meeting().met = inbound_.account.met = true;
    } else {
      meeting().handed = inbound_.account.handed = is_held_back_ = true;
    }
  }
  const bool is_waiting = !reader_.values(stored_name::waits).empty();
  if (from_above && is_waiting && theirs != Lanes::statements) meeting().ends_wait = true;
}

void Session::note_epoch(Epoch epoch) {
  if (stored_peer_.epoch == Epoch() || stored_peer_.epoch == epoch) return;
  meeting().new_epoch = epoch;
  std::ranges::fill(stored_peer_.acknowledged, Arrival());  // as the writer will
}

// A second history of a feed that we write no more came back late, from a node that may hold what
// the one above may not: nobody has ended it, or a copy of us did that knew no better.
bool Session::has_open_fork() {
  const auto wrote_tip = [this](const KnownFeed& branch) { return wrote_tip_in(reader_, branch); };
  return !left_open(directory_, wrote_tip).empty();
}

// What we lost is back once we agree with the node above; a node with none above asks those below.
void Session::note_recovered() {
  if (lanes_ != Lanes::all) return;
  if (!restored_ && has_open_fork()) meeting().may_end_forks = true;
  if (!restored_) return;
  if (!is_above_us() && !is_top()) return;
  restored_ = false;
  meeting().recovered = true;
}

}  // namespace chapterd
