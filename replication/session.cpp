// Opening, liveness and output of a session. What comes in: inflow.cpp; roll-backs:
// session_witness.cpp.
#include "replication/session.h"

#include "base/contract.h"
#include "replication/entitlement.h"
#include "replication/format/limits.h"

#include <algorithm>
#include <utility>

namespace chapterd {
namespace {

tl::unexpected<Error> ends(Errc kind, const char* code, const char* what, const char* next = "") {
  return fail(kind, code, what, "Nothing that this node holds was changed.", next);
}

StoredPeer find_peer(Reader& reader, const PublicKey& node) {
  for (const StoredPeer& peer : reader.peers()) {
    if (peer.node == node) return peer;
  }
  StoredPeer unknown;
  unknown.node = node;
  return unknown;
}

std::array<Arrival, cursor_lanes> array_of(const Arrival (&arrivals)[lanes]) {
  std::array<Arrival, cursor_lanes> array;
  std::copy(std::begin(arrivals), std::end(arrivals), array.begin());
  return array;
}

// Whether a feed comes to a node of `ours` by way of a node of `peer`.
bool comes_by(const FeedIntro& intro, const ChapterPath& ours, const ChapterPath& peer) {
  const auto is_below = [&](const ChapterId& top) {
    return intro.home.chapter == top || is_above(top, intro.home);
  };
  if (is_above(ours.chapter, peer)) return is_below(peer.chapter);
  return !is_below(ours.chapter);
}

Lanes less_of(Lanes ours, Lanes theirs) {
  for (const Lanes least : {Lanes::statements, Lanes::without_bulk}) {
    if (ours == least || theirs == least) return least;
  }
  return Lanes::all;
}

// How a log is streamed to a reader with this cursor. Both sides compute it alike.
enum class Start { cursor, beginning, resync };

Start start_for(const Cursor& cursor, Epoch epoch, std::uint64_t grant, std::uint64_t holds) {
  if (cursor.epoch == epoch && cursor.grant == grant) return Start::cursor;
  return holds == 0 ? Start::beginning : Start::resync;
}

}  // namespace

Session::Session(const SessionContext& context,
                 const PublicKey& peer,
                 const SessionOptions& options,
                 Instant now)
    : directory_(context.directory),
      reader_(context.reader),
      key_(context.key),
      random_(context.random),
      peer_(peer),
      options_(options),
      epoch_(context.directory.epoch()),
      restored_(!context.reader.values(stored_name::restored).empty() ||
                !context.reader.values(stored_name::reasserted).empty()),
      outflow_(context.directory, context.reader, context.key, peer),
      stored_peer_(find_peer(context.reader, peer)),
      verifier_(std::make_shared<PieceVerifier>(context.directory.authority().federation())),
      ended_at_(now),
      now_(now),
      began_(now),
      heard_(now),
      pinged_(now) {
  held_.epoch = stored_peer_.epoch;
  held_.grant = stored_peer_.grant;
  held_.arrivals = array_of(stored_peer_.held);
  holds_ = count_holds();
  authority_version_ = directory_.authority().version();
  standing_version_ = directory_.standing_version();
  outflow_.set_peer_row(stored_peer_.row);
  if (options.side != Side::dialler) return;
  HelloFrame hello;
  hello.federation = directory_.authority().federation();
  hello.epoch = directory_.epoch();
  // Left out only for a peer that holds our auth feed and has met us since this program started:
  // one that lost its database must be able to know us again.
  const bool is_known =
      stored_peer_.acknowledged[static_cast<std::size_t>(Lane::auth)] != Arrival();
  if (!options.push_at_once || !is_known) hello.chain = own_chain();
  hello.cursor = held_;
  hello.holds = holds_;
  hello.budget_bytes = options.budget_bytes;
  waits_ = waits_for_others();
  hello.lanes = wanted_lanes();
  hello.own = own_heads();
  hello.yours = heads_of_peer();
  send(Frame(std::move(hello)));
  if (options.push_at_once && !waits_ && is_known && stored_peer_.epoch != Epoch())
    outflow_.start(array_of(stored_peer_.acknowledged));
}

std::vector<Bytes> Session::own_chain() const {
  return directory_.authority().chain(directory_.self());
}

// Feeds held that this peer's direction would bring: none means that its log is wanted from the
// start.
std::uint64_t Session::count_holds() const {
  const Authority& authority = directory_.authority();
  const KnownNode* peer = authority.node(peer_);
  if (peer == nullptr) return 0;
  const ChapterPath ours = authority.path_of(directory_.chapter());
  const ChapterPath theirs = authority.path_of(peer->certificate.chapter);
  return static_cast<std::uint64_t>(std::count_if(
      directory_.feeds().begin(), directory_.feeds().end(), [&](const KnownFeed& feed) {
        return feed.intro.node != directory_.self() && comes_by(feed.intro, ours, theirs);
      }));
}

// Whether the peer is who the federation says: certified by a chain to genesis. One that was
// revoked may call to be told so; nobody calls one.
Result<void> Session::accept_peer(const std::vector<Bytes>& chain) {
  Authority& authority = directory_.authority();
  for (const Bytes& statement : chain) {
    // What does not chain to genesis leaves no trace; what is missing shows below. Its key was
    // authenticated: what it says of itself it agrees to.
    authority.note_carried(peer_, statement);
    static_cast<void>(authority.apply(statement));
  }
  if (authority.node(peer_) == nullptr) {
    return ends(Errc::not_allowed, "node.unknown",
                "A node that is not certified in this federation called.",
                "Invite its chapter with 'chapterd invite create'.");
  }
  if (authority.is_revoked(peer_)) {
    if (options_.side == Side::dialler)
      return ends(Errc::not_allowed, "node.revoked", "The node that was called was revoked.");
    farewell_ = now_;
  }
  return {};
}

Result<void> Session::on(HelloFrame& hello) {
  if (options_.side != Side::listener || state_ != SessionState::opening) {
    return ends(Errc::malformed, "stream.order", "A peer said HELLO at the wrong time.");
  }
  if (hello.federation != directory_.authority().federation()) {
    return ends(Errc::not_allowed, "federation.other", "A node of another federation called.");
  }
  if (hello.version_least > protocol_version || hello.version_most < protocol_version) {
    return ends(Errc::not_compatible, "version.none-shared",
                "A peer speaks no version of the protocol that this node speaks.",
                "Update the older of the two nodes.");
  }
  if (auto accepted = accept_peer(hello.chain); !accepted) return accepted;
  holds_ = count_holds();  // its certificate may have come just now
  WelcomeFrame welcome;
  welcome.epoch = directory_.epoch();
  if (!hello.chain.empty() || hello.cursor.epoch != directory_.epoch()) welcome.chain = own_chain();
  welcome.cursor = held_;
  welcome.holds = holds_;
  welcome.time = now_;
  welcome.grant = grant_name(directory_.authority(), peer_, directory_.self());
  welcome.witness = witness_for(hello);
  waits_ = waits_for_others();
  welcome.lanes = wanted_lanes();
  welcome.doubts = doubts_of(hello.yours);
  doubts_ = !welcome.doubts.empty();
  if (!doubts_) note_meeting(hello.lanes);
  send(Frame(std::move(welcome)));
  open({hello.epoch, hello.cursor, hello.holds, hello.lanes, std::nullopt});
  return {};
}

Result<void> Session::on(WelcomeFrame& welcome) {
  if (options_.side != Side::dialler || state_ != SessionState::opening) {
    return ends(Errc::malformed, "stream.order", "A peer said WELCOME at the wrong time.");
  }
  if (auto accepted = accept_peer(welcome.chain); !accepted) return accepted;
  clock_ahead_ms_ = welcome.time.ms - now_.ms;
  if (shows_rollback(welcome.witness)) return {};
  // HELLO said otherwise, for whoever is called stands elsewhere than was known: it says so anew.
  if (waits_for_others() != waits_) {
    close("node.restored");
    return {};
  }
  note_meeting(welcome.lanes);
  open({welcome.epoch, welcome.cursor, welcome.holds, welcome.lanes, welcome.grant});
  if (!welcome.doubts.empty()) send(Frame(WitnessFrame{witness_of(welcome.doubts)}));
  return {};
}

// Both sides know each other now: where does each stream start?
void Session::open(const Opening& theirs) {
  state_ = SessionState::open;
  lanes_ = less_of(wanted_lanes(), theirs.lanes);
  outflow_.keep_to(lanes_);
  note_epoch(theirs.epoch);
  const std::uint64_t grant = grant_name(directory_.authority(), directory_.self(), peer_);
  Start to_us = start_for(held_, theirs.epoch, grant, holds_);
  // The peer has heard of a move, or we have: it does not stream from our cursor.
  if (to_us == Start::cursor && theirs.grant.value_or(grant) != grant)
    to_us = holds_ == 0 ? Start::beginning : Start::resync;
  resync_ = to_us == Start::resync;
  if (to_us != Start::cursor) held_.arrivals = {};
  held_.epoch = theirs.epoch;
  held_.grant = grant;
  end_due_ = options_.side == Side::listener;
  if (doubts_) {
    doubtful_ = theirs;
  } else {
    start_outflow(theirs.cursor, theirs.holds);
  }
}

void Session::start_outflow(const Cursor& theirs, std::uint64_t theirs_holds) {
  const std::uint64_t grant = grant_name(directory_.authority(), peer_, directory_.self());
  const Start to_them = start_for(theirs, directory_.epoch(), grant, theirs_holds);
  const Arrival newest = directory_.arrival();
  const bool is_ahead = std::any_of(theirs.arrivals.begin(), theirs.arrivals.end(),
                                    [&](Arrival arrival) { return arrival > newest; });
  is_followed_ = to_them != Start::resync && !(to_them == Start::cursor && is_ahead);
  if (!is_followed_) {
    // The digest finds entries that are missing, but not receipts: these few are said again. What
    // statements may be held does not change; whoever is told goodbye has no time for digests.
    const bool is_known = theirs.epoch == directory_.epoch() && !is_ahead;
    const Arrival elsewhere = farewell_ ? Arrival(0) : newest;
    outflow_.start({is_known ? theirs.arrivals[0] : elsewhere, Arrival(0), newest});
  } else if (to_them == Start::beginning) {
    outflow_.start({});
  } else if (!outflow_.started() || outflow_.acknowledged_arrivals() != theirs.arrivals) {
    outflow_.start(theirs.arrivals);
  }
}

void Session::committed() {
  // Another life of our database began: everything is said anew.
  if (directory_.epoch() != epoch_) close("node.restored");
  if (waits_ && !waits_for_others()) close("node.restored");
  if (state_ != SessionState::open) return;
  if (const auto scope = outflow_.rescope()) send(Frame(*scope));
  if (!farewell_ && directory_.authority().is_revoked(peer_)) farewell_ = now_;
  // What both may hold, or what counts of it, may be another now.
  const std::uint64_t version = directory_.authority().version();
  const std::uint64_t standing = directory_.standing_version();
  const bool stands_otherwise = std::exchange(standing_version_, standing) != standing;
  const bool has_changed = std::exchange(authority_version_, version) != version;
  if ((has_changed || stands_otherwise) && options_.side == Side::listener) end_due_ = true;
  if (outflow_.peer_row() == 0) outflow_.set_peer_row(find_peer(reader_, peer_).row);
}

Bytes Session::take_output() {
  if (state_ == SessionState::open && !is_held_back_) {
    fill_output();
    send_end_when_due();
    say_farewell();
  }
  return std::exchange(output_, {});
}

void Session::fill_output() {
  if (!is_held_back_) outflow_.fill(output_);
}

// A revoked node may hold nothing but statements: once it has them and with them the reason, the
// link goes down.
void Session::say_farewell() {
  if (!farewell_ || !outflow_.drained()) return;
  const bool has_waited = now_ >= farewell_->plus_ms(limits::farewell_ms);
  if (outflow_.all_acknowledged() || has_waited) close("node.revoked");
}

void Session::send_end_when_due() {
  if (!end_due_ || !outflow_.drained()) return;
  end_due_ = false;
  buckets_answered_ = 0;
  receipts_answered_ = 0;
  ended_at_ = now_;
  EndFrame end;
  end.arrivals = outflow_.sent();
  end.digest = digest_of(outflow_.heads());
  last_end_sent_ = end.digest;
  send(Frame(end));
  // The peer said the same before we had it: it will not say so again.
  if (has_end_ && last_end_received_.digest == end.digest) agree(last_end_received_);
}

void Session::send(const Frame& frame) {
  append(output_, encode(frame));
}

void Session::close(const std::string& code, std::uint64_t retry_after_ms) {
  if (state_ == SessionState::closed) return;
  send(Frame(ByeFrame{code, retry_after_ms}));
  state_ = SessionState::closed;
  end_code_ = code;
}

Instant Session::next_wake() const {
  if (state_ == SessionState::closed) return now_;
  if (state_ == SessionState::opening) return began_.plus_ms(limits::handshake_ms);
  if (farewell_) return farewell_->plus_ms(limits::farewell_ms);
  return std::min({heard_.plus_ms(options_.patience.dead_ms),
                   std::max(heard_, pinged_).plus_ms(options_.patience.ping_ms),
                   ended_at_.plus_ms(limits::end_every_ms)});
}

void Session::tick(Instant now) {
  now_ = now;
  if (state_ == SessionState::closed) return;
  if (state_ == SessionState::opening && now >= began_.plus_ms(limits::handshake_ms))
    return close("stream.slow-hello");
  say_farewell();
  // While we do not read, silence is our own.
  const Patience& patience = options_.patience;
  if (wants_input() && now >= heard_.plus_ms(patience.dead_ms)) return close("peer.silent");
  if (now >= std::max(heard_, pinged_).plus_ms(patience.ping_ms)) {
    pinged_ = now;
    send(Frame(PingFrame{}));
  }
  if (state_ == SessionState::open && now >= ended_at_.plus_ms(limits::end_every_ms)) {
    ended_at_ = now;
    end_due_ = true;
    rounds_ = 0;
  }
}

}  // namespace chapterd
