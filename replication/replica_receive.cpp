// Receiving what peers sent: entitlement, order, cuts, merging, receipts.
#include "base/byte_stream.h"
#include "replication/entitlement.h"
#include "replication/format/limits.h"
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

bool may_acknowledge(const Authority& authority, const Receipt& receipt, const FeedIntro& intro) {
  const KnownNode* node = authority.node(receipt.node);
  return node != nullptr && !authority.is_revoked(receipt.node) &&
         acknowledges(node->certificate.chapter, intro);
}

// Whether pieces came of a feed that one of the kept receipts is about.
bool is_about(ByteView kept, const std::vector<VerifiedPiece>& pieces) {
  return std::ranges::any_of(receipts_in(kept), [&](const Bytes& each) {
    const auto receipt = decode_receipt(each);
    return receipt && std::ranges::any_of(pieces, [&](const VerifiedPiece& piece) {
             return piece.feed().id == receipt->head.feed;
           });
  });
}

}  // namespace

std::vector<Bytes> receipts_in(ByteView stored) {
  std::vector<Bytes> receipts;
  for (ByteReader in(stored); in.good() && !in.finished();) {
    const ByteView receipt = in.sized_bytes(stored.size());
    receipts.emplace_back(receipt.begin(), receipt.end());
  }
  return receipts;
}

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
  const bool is_recovered = window.meeting && window.meeting->recovered;
  const bool has_pieces = !window.pieces.empty();
  if (is_recovered || (has_pieces && is_about(value(stored_name::early), window.pieces)))
    take_early();
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
  if (is_own_current(piece.feed().intro)) {
    // What nobody was sent is chained anew first, and that needs it committed.
    due_return_ = unmet_;
    if (due_return_)
      return fail(Errc::failed, "piece.rolled-back",
                  "A peer brought entries that this node had signed and does not hold.",
                  "They come again once what was written since is out of their way.");
    come_back();
  }
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
  if (!content.seed || has_spent_seeds(piece.feed().id))
    due_seeds_.push_back({feed, content.first});
  batch_.pieces.push_back(std::move(stored));
  touched_feeds_.insert(feed.value);
  received_feeds_.insert(feed.value);
  if (!directory_.limits(directory_.feed(feed)).empty()) unsettled_.insert(piece.feed().id);
  staged_ = true;
}

// Something of this feed was erased, by an order that is here or one that is still to come.
bool Replica::has_spent_seeds(const FeedId& feed) const {
  return erasures_.touches(feed) ||
         std::ranges::any_of(directory_.branches(feed),
                             [&](FeedRow row) { return erasures_.first_hole(row) != Sequence(0); });
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
      directory_.authority().note_carried(intro.node, entry.payload);
      directory_.authority().apply_or_keep(entry.payload);
    } else if (entry.kind == EntryKind::life && is_auth) {
      take_life(intro.node, entry.payload);
    } else if (entry.kind == EntryKind::key) {
      take_key_entry(intro, entry);
    } else {
      keep_pending(verdict, written.arrival);
    }
    links.varint(previous.value);
  }
  stored.links = links.take();
}

// Whether it says more than what is known. What is said of a life that is over may come later than
// what its node says of the same entries in the next one.
bool Replica::is_news(const Receipt& receipt, const KnownFeed& feed) {
  const auto says_as_much = [&](const StoredReceipt& known) {
    if (known.feed != feed.row || known.node != receipt.node) return false;
    const auto decoded = decode_receipt(known.bytes);
    return decoded && !directory_.lives_of(known.node).is_over(decoded->epoch) &&
           std::pair(known.seq, decoded->epoch) >= std::pair(receipt.head.seq, receipt.epoch);
  };
  // What is staged replaces what is stored.
  return std::ranges::none_of(batch_.receipts, says_as_much) &&
         std::ranges::none_of(store_.receipts_of(feed.row), says_as_much);
}

void Replica::keep_pending(ChangeVerdict verdict, Arrival arrival) {
  if (const char* code = waits_for(verdict)) batch_.pending.push_back({arrival, code});
}

// A receipt counts when a node that acknowledges this feed signed it and it says more than the last
// one. What it names must be the very entry that is held here: a node that was rolled back and went
// on holds another.
void Replica::receive_receipt(const Bytes& bytes, std::uint64_t via) {
  const auto receipt = decode_receipt(bytes);
  if (!receipt) return;
  // A copy that spoke for this node says nothing of what is here.
  if (receipt->node == directory_.self()) return;
  if (directory_.lives_of(receipt->node).is_over(receipt->epoch)) return;
  const Authority& authority = directory_.authority();
  const FeedId& id = receipt->head.feed;
  const KnownFeed* feed = directory_.feed(id);
  if (feed != nullptr && directory_.branches(id).size() > 1) {
    const auto holder = holder_of(id, {receipt->head.seq, receipt->head.hash});
    feed = holder ? &directory_.feed(*holder) : nullptr;
  }
  if (feed == nullptr || receipt->head.seq > feed->head.seq) return keep_early(*receipt, bytes);
  // Of a second history that is not here yet; what is known of the first says nothing of it.
  if (hash_at(*feed, receipt->head.seq) != receipt->head.hash) return keep_early(*receipt, bytes);
  if (!may_acknowledge(authority, *receipt, feed->intro) || !is_news(*receipt, *feed)) return;
  if (!verify_receipt(authority.federation(), bytes, receipt->node)) return;
  close_piece();  // its arrivals must stay without a gap
  std::erase_if(batch_.receipts, [&](const StoredReceipt& staged) {
    return staged.feed == feed->row && staged.node == receipt->node;
  });
  batch_.receipts.push_back(
      {next_arrival(), feed->row, receipt->node, receipt->head.seq, via, bytes});
  staged_ = true;
}

// Receipts come before entries: to a node that was rolled back, before its own; elsewhere before
// those of a second history. Of each feed and node as many are kept as a feed has histories; of too
// many, those that came last.
void Replica::keep_early(const Receipt& receipt, const Bytes& bytes) {
  constexpr std::size_t most_bytes = 64 * 1024;
  // Of a node that was rolled back the feed, or who signed, may be to come as well.
  if (value(stored_name::restored).empty()) {
    const KnownFeed* feed = directory_.feed(receipt.head.feed);
    if (feed == nullptr || !may_acknowledge(directory_.authority(), receipt, feed->intro) ||
        !verify_receipt(directory_.authority().federation(), bytes, receipt.node))
      return;
  }
  std::vector<Bytes> kept = receipts_in(value(stored_name::early));
  const auto is_beside = [&](const Bytes& each) {
    const auto other = decode_receipt(each);
    return other && other->node == receipt.node && other->head.feed == receipt.head.feed;
  };
  std::erase(kept, bytes);
  if (std::cmp_greater_equal(std::ranges::count_if(kept, is_beside), limits::feed_tips))
    kept.erase(std::ranges::find_if(kept, is_beside));
  kept.push_back(bytes);
  ByteWriter all;
  const std::size_t most = most_bytes / bytes.size();
  for (std::size_t at = kept.size() - std::min(kept.size(), most); at < kept.size(); ++at)
    all.sized_bytes(kept[at]);
  set_value(stored_name::early, all.take());
}

// They go on to whoever they are for, wherever the entries came from.
void Replica::take_early() {
  const std::vector<Bytes> kept = receipts_in(value(stored_name::early));
  unset(stored_name::early);
  for (const Bytes& bytes : kept) receive_receipt(bytes, 0);
}

// What counts of a branch, up to where a payload is missing without an order or an order was not
// obeyed, here or before it leaves the others.
Head Replica::whole_head(const KnownFeed& feed) {
  const Head fork{feed.head.feed, feed.fork.seq, feed.fork.hash};
  Sequence shared = feed.fork.seq;
  for (FeedRow row = feed.trunk; row.value != 0; row = directory_.feed(row).trunk) {
    const Sequence open = erasures_.first_unproved(row);
    if (open != Sequence(0) && open <= shared) return fork;
    shared = directory_.feed(row).fork.seq;
  }
  Head head = Directory::standing_head(feed);
  const Sequence open = erasures_.first_unproved(feed.row);
  if (open == Sequence(0) || open > head.seq) return head;
  head.seq = Sequence(open.value - 1);
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
