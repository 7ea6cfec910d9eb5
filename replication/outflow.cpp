// Reading the log for one peer.
#include "replication/outflow.h"

#include "base/contract.h"
#include "replication/entitlement.h"
#include "replication/format/limits.h"
#include "replication/format/receipt.h"
#include "replication/stored_piece.h"

#include <algorithm>

namespace chapterd {
namespace {

// Content that a SEG frame aims at, so that it fits a frame also when it does not pack at all.
constexpr std::size_t segment_bytes = 48 * 1024;
// Below this a fresh stream saves less than it costs.
constexpr std::size_t least_packed = 512;
constexpr std::size_t receipts_a_frame = 200;

constexpr std::size_t index_of(Lane lane) {
  return static_cast<std::size_t>(lane);
}

Arrival last_arrival(const StoredPiece& piece) {
  return Arrival(piece.arrival.value + piece.count - 1);
}

// Only what follows the peer's head may go out; a part of a piece is a piece with the same
// checkpoint. Returns the hash before the first entry that is left.
EntryHash drop_before(Piece& piece, const FeedId& feed, EntryHash prev, Sequence from) {
  if (piece.first >= from) return prev;
  const auto dropped = static_cast<std::size_t>(from.value - piece.first.value);
  prev = chain(piece, feed, prev)[dropped - 1];
  piece.entries.erase(piece.entries.begin(),
                      piece.entries.begin() + static_cast<std::ptrdiff_t>(dropped));
  piece.first = from;
  return prev;
}

}  // namespace

Outflow::Outflow(const Directory& directory,
                 Reader& reader,
                 const SigningKey& key,
                 const PublicKey& peer)
    : directory_(directory),
      reader_(reader),
      key_(key),
      peer_(peer),
      grant_(grant_name(directory.authority(), peer, directory.self())),
      authority_version_(directory.authority().version()) {}

Outflow::Outflow(const Directory& directory,
                 Reader& reader,
                 const SigningKey& key,
                 std::vector<PublicKey> recipients)
    : directory_(directory),
      reader_(reader),
      key_(key),
      peer_(recipients.at(0)),
      recipients_(std::move(recipients)),
      grant_(grant_name(directory.authority(), peer_, directory.self())),
      authority_version_(directory.authority().version()) {}

void Outflow::start(const std::array<Arrival, cursor_lanes>& from) {
  sent_ = from;
  acknowledged_ = from;
  started_ = true;
}

void Outflow::keep_to(Lanes wanted) {
  lanes_ = wanted;
  std::erase_if(backfill_, [&](const auto& each) { return !is_in_lanes(each.first); });
}

void Outflow::backfill(FeedRow feed, Sequence from) {
  if (is_in_lanes(feed)) backfill_[feed] = from;
}

bool Outflow::is_in_lanes(FeedRow feed) const {
  return lanes_ == Lanes::all || directory_.feed(feed).intro.audience == Audience::auth;
}

bool Outflow::is_known(FeedRow feed) const {
  return feed.value <= directory_.feeds().size();
}

bool Outflow::granted(FeedRow feed) {
  CHECK(is_known(feed));
  if (feed.value >= granted_.size()) granted_.resize(directory_.feeds().size() + 1, 0);
  std::uint8_t& known = granted_[feed.value];
  if (known == 0) known = all_may_hold(directory_.feed(feed).intro) ? 1 : 2;
  return known == 1;
}

bool Outflow::all_may_hold(const FeedIntro& intro) const {
  if (recipients_.empty()) return may_hold(directory_.authority(), peer_, intro);
  return intro.audience != Audience::chapter &&
         std::ranges::all_of(recipients_, [&](const PublicKey& node) {
           return may_hold(directory_.authority(), node, intro);
         });
}

// Whether receipts for this feed go this way.
bool Outflow::leads_home(const FeedIntro& intro) const {
  const Authority& authority = directory_.authority();
  const auto leads = [&](const PublicKey& key) {
    const KnownNode* node = authority.node(key);
    return node != nullptr &&
           leads_to_author(authority, directory_.chapter(), node->certificate.chapter, intro);
  };
  return recipients_.empty() ? leads(peer_) : std::ranges::any_of(recipients_, leads);
}

// A piece that straddles a cut goes out whole: its checkpoint is at its end, and every receiver
// sets aside what lies beyond the cut.
bool Outflow::stands(const StoredPiece& piece) const {
  return piece.seq <= Directory::standing_head(directory_.feed(piece.feed)).seq;
}

bool Outflow::goes_out(const StoredPiece& piece) {
  if (peer_row_ != 0 && piece.via == peer_row_) return false;
  if (!granted(piece.feed) || !is_in_lanes(piece.feed)) return false;
  if (backfill_.contains(piece.feed) || !stands(piece)) return false;
  const auto sent = sent_seq_.find(piece.feed.value);
  return sent == sent_seq_.end() || piece.seq.value + piece.count - 1 > sent->second.value;
}

bool Outflow::drained() const {
  if (!started_ || !backfill_.empty() || !asked_receipts_.empty()) return false;
  return std::all_of(sent_.begin(), sent_.end(),
                     [&](Arrival at) { return at >= directory_.arrival(); });
}

void Outflow::fill(Bytes& out) {
  if (!started_) return;
  if (lanes_ != Lanes::all) sent_[index_of(Lane::live)] = directory_.arrival();
  if (lanes_ == Lanes::statements) sent_[index_of(Lane::receipts)] = directory_.arrival();
  while (out.size() < limits::output_bytes &&
         content_sent_ - content_acknowledged_ < limits::credit_bytes) {
    if (!send_lane(Lane::auth, out) && !send_receipts(out) && !send_lane(Lane::live, out) &&
        !send_backfill(out) && !send_asked_receipts(out)) {
      packers_.clear();  // an idle connection keeps no streams
      return;
    }
  }
}

bool Outflow::send_lane(Lane lane, Bytes& out) {
  Arrival& sent = sent_[index_of(lane)];
  if (sent >= directory_.arrival()) return false;
  std::vector<StoredPiece> window;
  Arrival reached = directory_.arrival();
  for (StoredPiece& piece : reader_.pieces_after(lane, sent, limits::window_bytes)) {
    // The reader may be ahead of the directory; what is not in the directory yet waits for the next
    // turn. What was chained anew keeps its arrival, and lies in a feed that is new.
    if (piece.arrival > directory_.arrival()) break;
    if (!is_known(piece.feed)) {
      if (window.empty()) return false;
      break;
    }
    reached = last_arrival(piece);
    window.push_back(std::move(piece));
  }
  const bool has_read = !window.empty();
  sent = has_read ? reached : directory_.arrival();
  std::erase_if(window, [&](const StoredPiece& piece) { return !goes_out(piece); });
  if (!window.empty()) {
    std::stable_sort(window.begin(), window.end(), [&](const StoredPiece& a, const StoredPiece& b) {
      const auto key = [&](const StoredPiece& p) {
        return std::pair(directory_.feed(p.feed).intro.audience, p.feed);
      };
      return key(a) < key(b);
    });
    send_pieces(prepare(window, Sequence(0)), out);
    send_mark(lane, out);
  }
  return has_read;
}

bool Outflow::send_receipts(Bytes& out) {
  Arrival& sent = sent_[index_of(Lane::receipts)];
  if (sent >= directory_.arrival()) return false;
  const auto stored = reader_.receipts_after(sent, receipts_a_frame);
  ReceiptsFrame frame;
  Arrival reached = directory_.arrival();
  for (const StoredReceipt& receipt : stored) {
    if (receipt.arrival > directory_.arrival()) break;
    reached = receipt.arrival;
    const bool came_from_there = peer_row_ != 0 && receipt.via == peer_row_;
    if (!came_from_there && granted(receipt.feed) &&
        leads_home(directory_.feed(receipt.feed).intro)) {
      frame.receipts.push_back(receipt.bytes);
    }
  }
  if (stored.size() < receipts_a_frame) reached = directory_.arrival();
  sent = reached;
  if (frame.receipts.empty()) return !stored.empty();
  send_frame(std::move(frame), out);
  send_mark(Lane::receipts, out);
  return true;
}

// Whoever has all entries asks for what is said of them, wherever that came from.
bool Outflow::send_asked_receipts(Bytes& out) {
  if (asked_receipts_.empty()) return false;
  const FeedRow row = asked_receipts_.extract(asked_receipts_.begin()).value();
  if (!granted(row) || !leads_home(directory_.feed(row).intro)) return true;
  ReceiptsFrame frame;
  for (const StoredReceipt& receipt : reader_.receipts_of(row)) {
    frame.receipts.push_back(receipt.bytes);
    if (frame.receipts.size() == receipts_a_frame) send_frame(std::exchange(frame, {}), out);
  }
  if (!frame.receipts.empty()) send_frame(std::move(frame), out);
  return true;
}

void Outflow::send_frame(ReceiptsFrame frame, Bytes& out) {
  for (const Bytes& receipt : frame.receipts) content_sent_ += receipt.size();
  receipts_sent_ += frame.receipts.size();
  append(out, encode(Frame(std::move(frame))));
}

bool Outflow::send_backfill(Bytes& out) {
  if (backfill_.empty()) return false;
  const auto [row, from] = *backfill_.begin();
  const KnownFeed& feed = directory_.feed(row);
  auto stored = from > feed.head.seq ? std::vector<StoredPiece>()
                                     : reader_.pieces_of(row, from, limits::window_bytes);
  std::erase_if(stored, [&](const StoredPiece& piece) {
    return piece.arrival > directory_.arrival() || !stands(piece);
  });
  if (stored.empty() || !granted(row)) {
    backfill_.erase(row);
    return true;
  }
  const Sequence reached(stored.back().seq.value + stored.back().count - 1);
  send_pieces(prepare(stored, from), out);
  sent_seq_[row.value] = reached;
  if (reached >= Directory::standing_head(feed).seq) {
    backfill_.erase(row);  // from here on it is live
  } else {
    backfill_[row] = reached.next();
  }
  return true;
}

// What does not follow the piece of its feed that was sent before says what it follows: the peer
// may hold another branch, and need not hold this one.
Outflow::OutPiece Outflow::signed_piece(const StoredPiece& stored,
                                        Piece piece,
                                        const EntryHash& before) {
  const KnownFeed& feed = directory_.feed(stored.feed);
  const Head end{feed.head.feed, piece.last(), stored.last};
  if (!piece.checkpoint)
    piece.checkpoint = sign_checkpoint(key_, directory_.authority().federation(), end);
  const Position follows{Sequence(piece.first.value - 1), before};
  Position& last = last_sent_[directory_.feed(feed.head.feed)->row.value];
  if (follows.seq != Sequence(0) && last != follows) piece.prev = before;
  last = {end.seq, end.hash};
  OutPiece out;
  out.feed = stored.feed;
  out.audience = feed.intro.audience;
  out.bytes = encode(piece);
  out.last = end.seq;
  out.hash = end.hash;
  out.before = follows.seq;
  out.before_hash = before;
  return out;
}

// Joins pieces that follow each other in one run, so that what was written or came in small steps
// travels with one signature a run.
std::vector<Outflow::OutPiece> Outflow::prepare(const std::vector<StoredPiece>& stored,
                                                Sequence from) {
  std::vector<OutPiece> pieces;
  for (std::size_t i = 0; i < stored.size();) {
    Piece piece = decoded(stored[i]);
    const FeedId& feed = directory_.feed(stored[i].feed).head.feed;
    const EntryHash before = drop_before(piece, feed, stored[i].prev, from);
    std::size_t last = i;
    while (last + 1 < stored.size() && stored[last + 1].feed == stored[i].feed) {
      const Piece next = decoded(stored[last + 1]);
      if (!can_join(piece, next)) break;
      join(piece, next);
      ++last;
    }
    entries_sent_ += piece.entries.size();
    pieces.push_back(signed_piece(stored[last], std::move(piece), before));
    i = last + 1;
  }
  return pieces;
}

std::uint32_t Outflow::number_of(FeedRow feed, SegmentPiece& piece) {
  // All branches of a feed have one number.
  const FeedRow first = directory_.feed(directory_.feed(feed).head.feed)->row;
  const auto [at, is_new] =
      numbers_.try_emplace(first.value, static_cast<std::uint32_t>(numbers_.size()));
  if (refused_.erase(first.value) > 0 || is_new) piece.intro = directory_.feed(feed).intro_bytes;
  return at->second;
}

void Outflow::introduce_again(const FeedId& feed) {
  if (const KnownFeed* known = directory_.feed(feed)) refused_.insert(known->row.value);
}

void Outflow::send_pieces(std::vector<OutPiece> pieces, Bytes& out) {
  Segment segment;
  std::size_t size = 0;
  for (OutPiece& piece : pieces) {
    if (!segment.pieces.empty() &&
        (segment.audience != piece.audience || size + piece.bytes.size() > segment_bytes)) {
      send_segment(segment, out);
      size = 0;
    }
    segment.audience = piece.audience;
    size += piece.bytes.size();
    SegmentPiece part;
    part.feed = number_of(piece.feed, part);
    size += part.intro.size() + 16;
    part.piece = std::move(piece.bytes);
    segment.pieces.push_back(std::move(part));
    in_flight_.push_back({UINT64_MAX, piece.feed, piece.before, piece.before_hash});
  }
  if (!segment.pieces.empty()) send_segment(segment, out);
}

void Outflow::send_segment(Segment& segment, Bytes& out) {
  Bytes content = encode(segment);
  SegmentFrame frame;
  frame.audience = segment.audience;
  frame.size = content.size();
  content_sent_ += content.size();
  auto packer = packers_.find(segment.audience);
  if (packer != packers_.end() || content.size() >= least_packed) {
    frame.new_stream = packer == packers_.end();
    if (frame.new_stream) packer = packers_.try_emplace(segment.audience).first;
    frame.packed = true;
    frame.content = packer->second.pack(content);
    // What packs too well looks like a bomb to the peer: it goes plain, and the stream begins anew.
    if (frame.content.size() * limits::frame_ratio < content.size()) packers_.erase(packer);
  }
  if (!packers_.contains(segment.audience)) {
    frame.packed = false;
    frame.new_stream = false;
    frame.content = std::move(content);
  }
  for (auto piece = in_flight_.rbegin();
       piece != in_flight_.rend() && piece->content_end == UINT64_MAX; ++piece) {
    piece->content_end = content_sent_;
  }
  append(out, encode(Frame(std::move(frame))));
  segment = Segment{};
}

void Outflow::send_mark(Lane lane, Bytes& out) {
  append(out, encode(Frame(MarkFrame{static_cast<std::uint8_t>(lane), sent_[index_of(lane)]})));
}

Result<void> Outflow::acknowledged(const AckFrame& ack) {
  if (ack.bytes > content_sent_ - content_acknowledged_) {
    return fail(Errc::malformed, "session.ack", "A peer acknowledged more than it was sent.");
  }
  content_acknowledged_ += ack.bytes;
  while (!in_flight_.empty() && in_flight_.front().content_end <= content_acknowledged_)
    in_flight_.pop_front();
  for (std::size_t lane = 0; lane < cursor_lanes; ++lane) {
    acknowledged_[lane] = std::min(std::max(acknowledged_[lane], ack.arrivals[lane]), sent_[lane]);
  }
  return {};
}

}  // namespace chapterd
