// Receiving what peers sent: entitlement, order, cuts, merging, receipts.
#include "base/byte_stream.h"
#include "replication/entitlement.h"
#include "replication/format/receipt.h"
#include "replication/replica.h"

#include <algorithm>
#include <utility>

namespace chapterd {
namespace {

// What an entry waits for that is kept but not applied.
constexpr const char* waits_for_format = "format";  // a newer program
constexpr const char* waits_for_author =
    "malformed";  // a correction: signed, but against the format

const char* waits_for(ChangeVerdict verdict) {
  switch (verdict) {
    case ChangeVerdict::newer:
      return waits_for_format;
    case ChangeVerdict::malformed:
      return waits_for_author;
    case ChangeVerdict::sealed:
      return waits_for_key;
    case ChangeVerdict::none:
    case ChangeVerdict::good:
      break;
  }
  return nullptr;
}

}  // namespace

Received Replica::receive(ReceivedWindow&& window) {
  if (window.meeting) meet(*window.meeting, window.peer);
  StoredPeer& from = peer(window.peer);
  const std::uint64_t via = from.row;
  Received received;
  for (VerifiedPiece& piece : window.pieces) {
    if (auto taken = receive_piece(piece, via); !taken) {
      received.refused.push_back({piece.feed().id, taken.error()});
    }
  }
  follow_cuts();
  follow_orders();
  for (const Bytes& receipt : window.receipts) receive_receipt(receipt, via);
  if (window.meeting && window.meeting->recovered) take_early(via);
  note_cursors(window, from);
  return received;
}

void Replica::note_cursors(const ReceivedWindow& window, StoredPeer& from) {
  if (window.held) {
    from.epoch = window.held->epoch;
    from.grant = window.held->grant;
    std::copy(window.held->arrivals.begin(), window.held->arrivals.end(), from.held);
  }
  if (window.acknowledged) {
    std::copy(window.acknowledged->arrivals.begin(), window.acknowledged->arrivals.end(),
              from.acknowledged);
  }
  from.heard_ms = clock_.now().ms;
  batch_.peers.push_back(from);
  staged_ = true;
}

StoredPeer& Replica::peer(const PublicKey& node) {
  const auto known = std::find_if(peers_.begin(), peers_.end(),
                                  [&](const StoredPeer& each) { return each.node == node; });
  if (known != peers_.end()) return *known;
  StoredPeer added;
  added.row = peers_.size() + 1;
  added.node = node;
  return peers_.emplace_back(added);
}

// The feed that a piece belongs to; opened when this is its first piece and everything about it is
// right.
Result<FeedRow> Replica::feed_for(const VerifiedPiece& piece) {
  const FeedOffer& offer = piece.feed();
  if (const KnownFeed* known = directory_.feed(offer.id)) return known->row;
  Authority& authority = directory_.authority();
  if (offer.intro.audience == Audience::auth && authority.node(offer.intro.node) == nullptr) {
    // An auth feed brings the certificates of its own author first. Only what chains to genesis
    // stays.
    for (const PieceEntry& entry : piece.piece().entries) {
      if (entry.kind == EntryKind::authority) static_cast<void>(authority.apply(entry.payload));
    }
  }
  if (auto allowed = may_open(authority, offer.intro); !allowed) return forward(allowed);
  if (!may_hold(authority, directory_.self(), offer.intro)) {
    return fail(Errc::not_allowed, "feed.not-ours",
                "A peer sent a feed that this node may not hold.", "Nothing of it was stored.");
  }
  return add_feed(offer.intro, offer.intro_bytes, offer.id);
}

Result<void> Replica::receive_piece(VerifiedPiece& piece, std::uint64_t via) {
  const auto landing = find_landing(piece);
  if (landing && landing->held > 0) fill_holes(piece);
  const bool is_held = landing && landing->held == piece.hashes().size();
  if (is_held) return {};  // another peer brought it meanwhile
  // Of our own, in a feed that we would go on writing, and not held: we were rolled back, or there
  // is a second history.
  if (is_own_current(piece.feed().intro)) come_back();
  if (!landing) return fail(lacks_before(piece));
  piece.drop(landing->held);
  const auto feed = branch_for(piece, *landing);
  if (!feed) return forward(feed);
  store_piece(piece, *feed, via);
  return {};
}

void Replica::store_piece(VerifiedPiece& piece, FeedRow feed, std::uint64_t via) {
  close_piece();
  const Piece& content = piece.piece();
  StoredPiece stored;
  stored.arrival = directory_.arrival().next();
  stored.feed = feed;
  stored.seq = content.first;
  stored.count = static_cast<std::uint32_t>(content.entries.size());
  stored.lane = directory_.feed(feed).lane();
  stored.via = via;
  stored.prev = piece.prev();
  stored.last = piece.hashes().back();
  stored.body = piece.bytes();
  take_entries(piece, feed, stored);
  directory_.advance(feed, content.last(), stored.last);
  if (content.seed && erasures_.touches(piece.feed().id))
    due_seeds_.push_back({feed, content.first});
  batch_.pieces.push_back(std::move(stored));
  touched_feeds_.insert(feed.value);
  received_feeds_.insert(feed.value);
  if (!directory_.limits(directory_.feed(feed)).empty()) unsettled_.insert(piece.feed().id);
  staged_ = true;
}

void Replica::take_entries(const VerifiedPiece& piece, FeedRow feed, StoredPiece& stored) {
  const Piece& content = piece.piece();
  const FeedIntro& intro = piece.feed().intro;
  const bool is_auth = stored.lane == Lane::auth;
  const SpaceRow space = is_auth ? SpaceRow(0) : space_for(intro);
  const Sequence standing = stands(feed);
  ByteWriter links;
  Bytes opened;
  ChangeView read;
  for (std::size_t i = 0; i < content.entries.size(); ++i) {
    const PieceEntry& entry = content.entries[i];
    // The verifier has decoded all that needs no key.
    const bool is_open = intro.audience != Audience::chapter && (entry.flags & flag_sealed) == 0;
    const ChangeVerdict verdict =
        is_open ? piece.verdicts()[i] : read_change(intro, entry, opened, read);
    const ChangeView& change = is_open ? piece.changes()[i] : read;
    const Written written{next_arrival(), feed, content.first.plus(i), piece.hashes()[i]};
    Arrival previous;
    see_time(entry.time);
    if (is_without_payload(entry, written)) {
      links.varint(0);
      continue;
    }
    if (entry.kind == EntryKind::erase && !is_auth) {
      previous = take_order(space, entry, written);
    } else if (verdict == ChangeVerdict::good && !is_auth) {
      previous = written.seq <= standing ? merge_into(space, change, written, entry.time)
                                         : link_only(space, change, written);
    } else if (entry.kind == EntryKind::authority && is_auth) {
      directory_.authority().apply_or_keep(entry.payload);
    } else if (entry.kind == EntryKind::key) {
      take_key_entry(intro, entry);
    } else {
      keep_pending(verdict, written.arrival);
    }
    links.varint(previous.value);
  }
  stored.links = links.take();
}

// What it names must be the very entry that is held here: a node that was rolled back and went on
// holds another. A receipt of another life of the node's database replaces those before it.
bool Replica::is_news(const Receipt& receipt, const KnownFeed& feed) {
  const auto says_as_much = [&](const StoredReceipt& known) {
    if (known.feed != feed.row || known.node != receipt.node) return false;
    const auto decoded = decode_receipt(known.bytes);
    return decoded && decoded->epoch == receipt.epoch && known.seq >= receipt.head.seq;
  };
  // What is staged replaces what is stored.
  if (std::ranges::any_of(batch_.receipts, says_as_much)) return false;
  if (std::ranges::any_of(store_.receipts_of(feed.row), says_as_much)) return false;
  return hash_at(feed, receipt.head.seq) == receipt.head.hash;
}

void Replica::keep_pending(ChangeVerdict verdict, Arrival arrival) {
  if (const char* code = waits_for(verdict)) batch_.pending.push_back({arrival, code});
}

// A receipt counts when a node that acknowledges this feed signed it and it says more than the last
// one.
void Replica::receive_receipt(const Bytes& bytes, std::uint64_t via) {
  const auto receipt = decode_receipt(bytes);
  if (!receipt) return;
  const Authority& authority = directory_.authority();
  const FeedId& id = receipt->head.feed;
  const KnownFeed* feed = directory_.feed(id);
  if (feed != nullptr && directory_.branches(id).size() > 1) {
    const auto holder = holder_of(id, {receipt->head.seq, receipt->head.hash});
    feed = holder ? &directory_.feed(*holder) : nullptr;
  }
  const KnownNode* node = authority.node(receipt->node);
  if (feed == nullptr || receipt->head.seq > feed->head.seq) return keep_early(bytes);
  if (node == nullptr || authority.is_revoked(receipt->node)) return;
  if (!acknowledges(node->certificate.chapter, feed->intro) || !is_news(*receipt, *feed)) return;
  if (!verify_receipt(authority.federation(), bytes, receipt->node)) return;
  close_piece();  // its arrivals must stay without a gap
  std::erase_if(batch_.receipts, [&](const StoredReceipt& staged) {
    return staged.feed == feed->row && staged.node == receipt->node;
  });
  batch_.receipts.push_back(
      {next_arrival(), feed->row, receipt->node, receipt->head.seq, via, bytes});
  staged_ = true;
}

// Receipts come before entries; to a node that was rolled back, before its own. They would not be
// sent a second time.
void Replica::keep_early(const Bytes& receipt) {
  constexpr std::size_t most_bytes = 64 * 1024;
  Bytes kept = value(stored_name::early);
  if (value(stored_name::restored).empty() || kept.size() > most_bytes) return;
  ByteWriter one;
  chapterd::append(kept, one.sized_bytes(receipt).view());
  set_value(stored_name::early, std::move(kept));
}

void Replica::take_early(std::uint64_t via) {
  const Bytes kept = value(stored_name::early);
  unset(stored_name::early);
  ByteReader in(kept);
  while (in.good() && !in.finished()) {
    const ByteView receipt = in.sized_bytes(kept.size());
    receive_receipt(Bytes(receipt.begin(), receipt.end()), via);
  }
}

// What counts of a branch, up to where a payload is missing without an order, here or before it
// leaves the others.
Head Replica::whole_head(const KnownFeed& feed) {
  const Head fork{feed.head.feed, feed.fork.seq, feed.fork.hash};
  Sequence shared = feed.fork.seq;
  for (FeedRow row = feed.trunk; row.value != 0; row = directory_.feed(row).trunk) {
    const Sequence hole = erasures_.first_hole(row);
    if (hole != Sequence(0) && hole <= shared) return fork;
    shared = directory_.feed(row).fork.seq;
  }
  Head head = Directory::standing_head(feed);
  const Sequence hole = erasures_.first_hole(feed.row);
  if (hole == Sequence(0) || hole > head.seq) return head;
  head.seq = Sequence(hole.value - 1);
  const auto hash = hash_at(feed, head.seq);
  return hash ? Head{head.feed, head.seq, *hash} : fork;
}

// One signature a feed and group: said only once the entries are in the same transaction.
void Replica::sign_receipts() {
  for (const std::uint64_t row : received_feeds_) {
    const KnownFeed& feed = directory_.feed(FeedRow(row));
    if (!acknowledges(directory_.chapter(), feed.intro)) continue;
    const Receipt receipt{directory_.self(), directory_.epoch(), whole_head(feed)};
    if (receipt.head.seq == feed.fork.seq) continue;
    batch_.receipts.push_back({next_arrival(), feed.row, receipt.node, receipt.head.seq, 0,
                               sign_receipt(directory_.authority().federation(), receipt, key_)});
  }
}

}  // namespace chapterd
