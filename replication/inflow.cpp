// What a session does with the frames that come in.
#include "replication/erasure.h"
#include "replication/format/limits.h"
#include "replication/session.h"

#include <algorithm>
#include <utility>

namespace chapterd {
namespace {

// Exchanges of buckets in one session before it is left to a person.
constexpr int most_rounds = 3;

tl::unexpected<Error> broken(const char* code, const char* what) {
  return fail(Errc::malformed, code, what, "What was stored before is safe.");
}

}  // namespace

VerifiedWindow verify(InboundWindow&& window, const PublicKey& peer, PieceVerifier& verifier) {
  VerifiedWindow verified;
  verified.received.peer = peer;
  for (InboundPiece& piece : window.pieces) {
    const FeedId feed = piece.feed->id;
    auto checked = verifier.verify(std::move(piece));
    if (checked) {
      verified.received.pieces.push_back(std::move(*checked));
    } else if (checked.error().code != "piece.known") {
      verified.refused.push_back({feed, checked.error()});
    }
  }
  verified.received.receipts = std::move(window.receipts);
  verified.received.held = window.held;
  verified.received.acknowledged = window.acknowledged;
  verified.received.meeting = window.meeting;
  verified.account = window.account;
  return verified;
}

Result<void> Session::receive(ByteView bytes, Instant now) {
  now_ = now;
  heard_ = now;
  if (state_ == SessionState::closed) return {};
  received_bytes_ += bytes.size();
  parser_.append(bytes);
  if (auto resumed = resume(); !resumed) return resumed;
  if (options_.budget_bytes != 0 && received_bytes_ > options_.budget_bytes)
    close("budget.session");
  return {};
}

// Ends when the session does, when there is no room, or when no whole frame is left.
Result<void> Session::resume() {
  while (state_ != SessionState::closed && wants_input()) {
    auto frame = parser_.next();
    if (!frame) {
      close("stream.malformed");
      return forward(frame);
    }
    if (!*frame) break;
    if (auto handled = handle(**frame); !handled) {
      close(handled.error().code);
      return handled;
    }
  }
  answer_wants();
  return {};
}

Result<void> Session::handle(Frame& frame) {
  const bool opens =
      std::holds_alternative<HelloFrame>(frame) || std::holds_alternative<WelcomeFrame>(frame) ||
      std::holds_alternative<ByeFrame>(frame) || std::holds_alternative<UnknownFrame>(frame);
  if (state_ == SessionState::opening && !opens) {
    return broken("stream.order", "A peer sent something else before saying who it is.");
  }
  return std::visit([this](auto& each) { return on(each); }, frame);
}

Result<void> Session::on(SegmentFrame& frame) {
  Bytes content;
  if (frame.packed) {
    if (frame.new_stream) unpackers_.erase(frame.audience);
    auto unpacked = unpackers_[frame.audience].unpack(frame.content, frame.size);
    if (!unpacked) return forward(unpacked);
    content = std::move(*unpacked);
  } else {
    content = std::move(frame.content);
  }
  const auto segment = decode_segment(frame.audience, content);
  if (!segment) return forward(segment);
  inbound_.account.content_bytes += content.size();
  take_scratch(content.size() + segment->pieces.size() * limits::piece_scratch_bytes);
  return take_segment(*segment);
}

Result<void> Session::take_segment(const Segment& segment) {
  if (farewell_ || (lanes_ != Lanes::all && segment.audience != Audience::auth)) return {};
  for (const SegmentPiece& piece : segment.pieces) {
    if (!piece.intro.empty() && !take_offer(piece))
      return broken("stream.feed", "A peer introduced a feed in a way that nobody knows.");
    const auto named = numbers_.find(piece.feed);
    if (named == numbers_.end())
      return broken("stream.feed", "A peer used a feed that it did not introduce.");
    Offered* offer = named->second;
    if (offer == nullptr) continue;
    if (offer->feed->intro.audience != segment.audience) {
      return broken("stream.audience", "A peer sent a feed among those of another audience.");
    }
    inbound_.pieces.push_back({offer->feed, verified_from(offer->feed->id), piece.piece,
                               std::exchange(offer->restarts, false)});
  }
  return {};
}

void Session::take_scratch(std::uint64_t bytes) {
  inbound_.account.scratch_bytes += bytes;
  scratch_bytes_ += bytes;
}

// Of what is refused nothing is kept but that it is. False when the intro is malformed.
bool Session::take_offer(const SegmentPiece& piece) {
  auto judged = judge_offer(directory_.authority(), directory_.self(), peer_, piece.intro);
  if (!judged) return false;
  const FeedId id = judged->feed->id;
  const auto refuse = [&](const char* code, const char* what) {
    numbers_[piece.feed] = nullptr;
    send(Frame(FaultFrame{id, code}));
    note_fault({id, Error(Errc::not_allowed, code, what, "Nothing of it was stored.")});
    return true;
  };
  if (judged->refused)
    return refuse("feed.not-ours", "A peer sent a feed that this node may not hold.");
  const bool is_full = offers_.size() >= directory_.feeds().size() + limits::session_new_feeds;
  if (is_full && !offers_.contains(id))
    return refuse("feed.too-many", "A peer introduces feeds faster than they can be stored.");
  Offered& offer = offers_[id];
  if (offer.feed == nullptr) offer.feed = std::move(judged->feed);
  numbers_[piece.feed] = &offer;
  return true;
}

Result<void> Session::on(MarkFrame& mark) {
  if (resync_ || lanes_ != Lanes::all) return {};  // the cursor counts again once the digests agree
  held_.arrivals[mark.lane] = std::max(held_.arrivals[mark.lane], mark.arrival);
  inbound_.held = held_;
  return {};
}

Result<void> Session::on(AckFrame& ack) {
  if (auto taken = outflow_.acknowledged(ack); !taken) return taken;
  fill_output();  // so that what follows judges by what is really left to send
  note_acknowledged();
  if (!compare_later_ || !outflow_.drained() || !outflow_.all_acknowledged()) return {};
  compare_later_ = false;
  const bool agrees = digest_of(outflow_.heads()) == last_end_received_.digest;
  if (agrees) {
    compare_digest(last_end_received_);
  } else {
    end_due_ = true;
  }
  return {};
}

// Once the stream is quiet and it is worth a transaction: a lost note costs a few entries that are
// sent twice. Before that, only when nothing of the log was left out: a peer that was restored has
// said nothing yet of what lies before the place where its stream began.
void Session::note_acknowledged() {
  if (!is_followed_ || lanes_ != Lanes::all) return;
  if (!outflow_.drained() || !outflow_.all_acknowledged() || !wanted_.empty()) return;
  constexpr auto live = static_cast<std::size_t>(Lane::live);
  const Cursor acknowledged{directory_.epoch(), 0, outflow_.acknowledged_arrivals()};
  const Arrival noted = stored_peer_.acknowledged[live];
  const Arrival now = acknowledged.arrivals[live];
  const bool is_worth_it = noted.value == 0 || now >= noted.plus(limits::noted_entries) ||
                           is_newest_order_between(reader_, noted, now);
  if (is_worth_it) inbound_.acknowledged = acknowledged;
}

Result<void> Session::on(ReceiptsFrame& frame) {
  for (Bytes& receipt : frame.receipts) {
    inbound_.account.content_bytes += receipt.size();
    take_scratch(receipt.size() + limits::piece_scratch_bytes);
    if (lanes_ != Lanes::statements) inbound_.receipts.push_back(std::move(receipt));
  }
  return {};
}

Result<void> Session::on(EndFrame& end) {
  refilling_.clear();  // what was asked for has come
  inbound_.account.end = end;
  for (auto& [feed, asked] : asked_back_) asked.is_waiting = false;
  if (!resync_) move_cursor(end);
  return {};
}

void Session::move_cursor(const EndFrame& end) {
  if (lanes_ != Lanes::all) return;
  held_.arrivals = end.arrivals;
  inbound_.held = held_;
}

bool Session::has_inbound() const {
  return !inbound_.pieces.empty() || !inbound_.receipts.empty() || inbound_.held ||
         inbound_.acknowledged || inbound_.meeting || inbound_.account.end ||
         inbound_.account.content_bytes > 0;
}

InboundWindow Session::take_inbound() {
  // A position that is known already is not worth a transaction.
  const bool only_position = inbound_.pieces.empty() && inbound_.receipts.empty();
  const bool is_known =
      inbound_.held && inbound_.held->epoch == stored_peer_.epoch &&
      inbound_.held->grant == stored_peer_.grant &&
      std::equal(inbound_.held->arrivals.begin(), inbound_.held->arrivals.end(), stored_peer_.held);
  if (only_position && is_known) inbound_.held.reset();
  if (inbound_.acknowledged) {
    const auto arrivals = inbound_.acknowledged->arrivals;
    const bool is_noted = std::equal(arrivals.begin(), arrivals.end(), stored_peer_.acknowledged);
    if (is_noted) inbound_.acknowledged.reset();
    std::copy(arrivals.begin(), arrivals.end(), stored_peer_.acknowledged);
  }
  return std::exchange(inbound_, {});
}

void Session::note_fault(RefusedPiece fault) {
  if (faults_.size() == limits::session_faults) faults_.erase(faults_.begin());
  faults_.push_back(std::move(fault));
}

// Verification runs ahead of the writer: after a refusal it must begin again at what is held, and
// the digests find what is missing.
void Session::take_refused(const RefusedPiece& refused) {
  note_fault(refused);
  send(Frame(FaultFrame{refused.feed, refused.error.code}));
  if (const auto at = offers_.find(refused.feed); at != offers_.end()) at->second.restarts = true;
  if (refused.error.code == "piece.branch") ask_from_further_back(refused.feed);
  // What was asked for may have come damaged: it may be asked for again.
  const auto asked = asked_back_.find(refused.feed);
  if (asked != asked_back_.end() && refused.error.kind == Errc::check_failed)
    asked->second.times = 0;
}

// Before its first END the dialler waits: much is still to come.
void Session::compare_again() {
  if (options_.side == Side::listener) {
    end_due_ = true;
  } else if (!has_end_) {
    return;
  } else if (!outflow_.drained()) {
    compare_later_ = true;
  } else if (rounds_++ < most_rounds) {
    start_buckets(outflow_.acknowledged_heads());
  }
}

void Session::stored(const StoredWindow& window) {
  scratch_bytes_ -= std::min(scratch_bytes_, window.account.scratch_bytes);
  if (window.account.met) directory_.note_met();
  if (window.account.handed) is_held_back_ = false;
  if (state_ == SessionState::open) {
    for (const RefusedPiece& refused : window.refused) take_refused(refused);
    const auto is_asked_for = [](const RefusedPiece& refused) {
      return refused.error.code == "piece.branch";
    };
    if (!std::ranges::all_of(window.refused, is_asked_for)) compare_again();
  }
  if (window.held) {
    stored_peer_.epoch = window.held->epoch;
    stored_peer_.grant = window.held->grant;
    std::copy(window.held->arrivals.begin(), window.held->arrivals.end(), stored_peer_.held);
  }
  if (state_ != SessionState::open) return;
  if (window.account.content_bytes > 0 || window.held) {
    send(Frame(AckFrame{window.held ? window.held->arrivals : std::array<Arrival, cursor_lanes>{},
                        window.account.content_bytes}));
  }
  if (window.account.end) compare_digest(*window.account.end);
}

// The cursor is a hint, the digest is the truth. The dialler asks, so that not both do; once it
// agrees it says END once more, so that the listener knows too.
void Session::compare_digest(const EndFrame& end) {
  const bool asks = options_.side == Side::dialler;
  fill_output();  // so that what the peer cannot have yet counts as under way
  last_end_received_ = end;
  has_end_ = true;
  const std::vector<SharedHead> heads = asks ? outflow_.acknowledged_heads() : outflow_.heads();
  if (digest_of(heads) == end.digest) {
    agree(end);
    end_due_ = last_end_sent_ != end.digest;
    return;
  }
  caught_up_ = false;
  if (!asks) {
    end_due_ = true;
    return;
  }
  // Rounds count only while our log stands still: what is written meanwhile makes digests differ.
  if (std::exchange(compared_at_, directory_.arrival()) != directory_.arrival()) rounds_ = 0;
  if (!outflow_.drained()) {
    compare_later_ = true;
  } else if (rounds_++ < most_rounds) {
    start_buckets(heads);
  } else {
    stays_different_ = true;
  }
}

void Session::agree(const EndFrame& end) {
  caught_up_ = true;
  agreed_ = true;
  stays_different_ = false;
  is_followed_ = true;
  note_acknowledged();
  note_recovered();
  resynced(end);
  ask_for_holes();
  ask_for_receipts();
}

// The whole of what both may hold is the same: from here on the peer's log can be followed again.
void Session::resynced(const EndFrame& end) {
  if (!resync_) return;
  resync_ = false;
  move_cursor(end);
}

Result<void> Session::on(ScopeFrame& /*scope*/) {
  // What we may hold is computed here from the same certificates; the frame explains, it does not
  // decide.
  return {};
}

Result<void> Session::on(PingFrame& /*ping*/) {
  send(Frame(PongFrame{}));
  return {};
}

Result<void> Session::on(PongFrame& /*pong*/) {
  return {};
}

Result<void> Session::on(FaultFrame& fault) {
  is_followed_ = false;  // until the digests agree
  outflow_.introduce_again(fault.feed);
  note_fault({fault.feed, Error(Errc::failed, "peer." + fault.code,
                                "The peer did not take a feed from us.", "It is safe here.")});
  return {};
}

Result<void> Session::on(ByeFrame& bye) {
  state_ = SessionState::closed;
  end_code_ = "peer." + bye.code;
  retry_after_ms_ = bye.retry_after_ms;
  return {};
}

Result<void> Session::on(JoinFrame& /*join*/) {
  return broken("stream.order", "A certified node asked to join again.");
}

Result<void> Session::on(JoinedFrame& /*joined*/) {
  return broken("stream.order", "A peer answered a question that was not asked.");
}

Result<void> Session::on(UnknownFrame& /*unknown*/) {
  return {};
}

}  // namespace chapterd
