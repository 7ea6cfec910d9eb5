// A copied database goes on as a node of its own: what the old node wrote stays its history, signed
// once and for all with its key; from here on the new one writes feeds of its own. These name no
// predecessors: the old node may be alive, and goes on writing its feeds.
#include "base/byte_stream.h"
#include "base/contract.h"
#include "replication/entitlement.h"
#include "replication/replica.h"
#include "replication/stored_piece.h"

#include <algorithm>

namespace chapterd {
namespace {

constexpr std::size_t rows_a_time = 4096;

Arrival last_arrival(const StoredPiece& piece) {
  return Arrival(piece.arrival.value + piece.count - 1);
}

}  // namespace

// Whether some other node has said that it holds all of this piece.
bool Replica::has_left(const StoredPiece& piece) {
  const KnownFeed& feed = directory_.feed(piece.feed);
  const Sequence last(piece.seq.value + piece.count - 1);
  // Whoever brought another branch holds all before the place where it leaves.
  const auto leaves_it = [&](FeedRow row) {
    const KnownFeed& branch = directory_.feed(row);
    return branch.trunk == piece.feed && branch.fork.seq >= piece.seq;
  };
  if (piece.via != 0 || std::ranges::any_of(directory_.branches(feed.head.feed), leaves_it))
    return true;
  for (const StoredReceipt& receipt : store_.receipts_of(piece.feed)) {
    if (receipt.node != directory_.self() && receipt.seq >= last) return true;
  }
  return std::ranges::any_of(peers_, [&](const StoredPeer& known) {
    return known.acknowledged[static_cast<std::size_t>(piece.lane)] >= last_arrival(piece) &&
           may_hold(directory_.authority(), known.node, feed.intro);
  });
}

std::vector<Arrival> Replica::hand_over(const PublicKey& heir,
                                        const ExportMark& mark,
                                        Unsent unsent) {
  CHECK(!staged_);
  std::vector<Arrival> taken;
  for (Arrival after;;) {
    const auto heads = store_.heads_after(after, rows_a_time);
    if (heads.empty()) break;
    for (const StoredPiece& head : heads) {
      after = last_arrival(head);
      if (directory_.feed(head.feed).intro.node != directory_.self()) continue;
      StoredPiece stored = piece_with(head.arrival);
      if (unsent == Unsent::take && stored.lane == Lane::live && !has_left(stored)) {
        taken.push_back(stored.arrival);
      } else {
        sign_for_good(std::move(stored));
      }
    }
  }
  ByteWriter epoch;
  epoch.u64(epoch_after(Epoch(), random_).value);
  const auto bytes_of = [](ByteView view) { return Bytes(view.begin(), view.end()); };
  leave_keys_to(heir);
  set_value(stored_name::node, bytes_of(heir.view()));
  set_value(stored_name::epoch, epoch.take());
  set_value(stored_name::incarnation, bytes_of(random_.fixed<Incarnation>().view()));
  set_value(stored_name::instance, encode(mark));
  for (const char* name : {stored_name::restored, stored_name::reasserted, stored_name::waits,
                           stored_name::lives, stored_name::elsewhere, stored_name::untold})
    set_value(name, {});
  commit();
  return taken;
}

// Its author's key will not be here when it is to be sent.
void Replica::sign_for_good(StoredPiece stored) {
  Piece piece = decoded(stored);
  if (piece.checkpoint) return;
  const Head end{directory_.feed(stored.feed).head.feed, piece.last(), stored.last};
  piece.checkpoint = sign_checkpoint(key_, directory_.authority().federation(), end);
  Bytes body = encode(piece);
  stored.body = std::move(body);
  batch_.moved.push_back(std::move(stored));
  staged_ = true;
}

void Replica::take_over(const std::vector<Arrival>& taken) {
  NewNames names;
  std::set<std::pair<SpaceRow, RecordId>> touched;
  // From the newest feed position on, what is left of a feed must stay without a gap: pieces that
  // follow each other to the feed's end move together.
  for (const Arrival arrival : taken) move_piece(piece_with(arrival), names, touched);
  for (const auto& [space, record] : touched) merge_anew(space, record);
  say_orders_again(names);
  follow_orders();
}

}  // namespace chapterd
