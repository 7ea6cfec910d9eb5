// What is missing though the entries are here: payloads, without an order to erase them, and
// receipts. Asking a peer for them, and taking them.
#include "base/byte_stream.h"
#include "base/contract.h"
#include "replication/entitlement.h"
#include "replication/offered.h"
#include "replication/reconcile.h"
#include "replication/replica.h"
#include "replication/session.h"
#include "replication/stored_piece.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace chapterd {
namespace {

// Feeds that one session asks for again.
constexpr std::size_t most_asked = 100;

}  // namespace

// Once a session, when the digests agree: heads say nothing about payloads.
void Session::ask_for_holes() {
  if (std::exchange(asked_for_holes_, true)) return;
  WantFrame want;
  for (const auto& [row, seq] : holes_in(reader_)) {
    if (row.value > directory_.feeds().size() || refilling_.size() == most_asked) continue;
    const KnownFeed& feed = directory_.feed(row);
    const auto stored = reader_.pieces_of(row, seq, 1);
    if (stored.empty() || !may_hold(directory_.authority(), peer_, feed.intro)) continue;
    const Head before{feed.head.feed, Sequence(stored.front().seq.value - 1), stored.front().prev};
    const auto known = refilling_.find(before.feed);
    if (known == refilling_.end() || before.seq < known->second.seq)
      refilling_.insert_or_assign(before.feed, before);  // one question for all branches
  }
  for (const auto& [feed, before] : refilling_)
    want.feeds.push_back({short_name(feed), before.seq.next()});
  if (want.feeds.empty()) return;
  for (auto& [feed, offer] : offers_) {
    if (refilling_.contains(feed)) offer.restarts = true;
  }
  send(Frame(std::move(want)));
}

// Once a session, when the digests agree: what was acknowledged and did not come. When that was
// lost, its author would be told for ever that its work waits. Asked for from behind the last entry
// on; of very many feeds the newest.
void Session::ask_for_receipts() {
  if (lanes_ != Lanes::all || std::exchange(asked_for_receipts_, true)) return;
  const Signers signers = signers_elsewhere();
  const std::vector<KnownFeed>& feeds = directory_.feeds();
  std::map<FeedId, Sequence> lacking;
  for (auto feed = feeds.rbegin(); feed != feeds.rend() && lacking.size() < most_asked; ++feed) {
    if (!lacks_receipt(*feed, signers)) continue;
    for (const FeedRow row : directory_.branches(feed->head.feed))
      lacking[feed->head.feed] = std::max(lacking[feed->head.feed], directory_.feed(row).head.seq);
  }
  WantFrame want;
  for (const auto& [feed, last] : lacking) want.feeds.push_back({short_name(feed), last.next()});
  if (!want.feeds.empty()) send(Frame(std::move(want)));
}

Session::Signers Session::signers_elsewhere() const {
  const Authority& authority = directory_.authority();
  Signers signers;
  for (const KnownNode* node : authority.nodes()) {
    const NodeCertificate& certificate = node->certificate;
    if (certificate.chapter != directory_.chapter() && !authority.is_revoked(certificate.node))
      signers.emplace(certificate.chapter, certificate.node);
  }
  return signers;
}

// Whether this peer is on the way from those that sign.
bool Session::comes_from_there(const ChapterId& signer, const ChapterId& peer) const {
  const Authority& authority = directory_.authority();
  const ChapterPath path = authority.path_of(signer);
  const ChapterId& ours = directory_.chapter();
  if (is_above(ours, authority.path_of(peer))) return signer == peer || is_above(peer, path);
  return peer == ours || !is_above(ours, path);
}

// Of a branch that this peer hands receipts for to us: those of a chapter that may hold it.
bool Session::lacks_receipt(const KnownFeed& feed, const Signers& signers) const {
  const Authority& authority = directory_.authority();
  const KnownNode* peer = authority.node(peer_);
  const Sequence whole = Directory::standing_head(feed).seq;
  // Of what another branch goes on from, that one tells.
  const auto goes_on_from_here = [&](FeedRow row) {
    const KnownFeed& other = directory_.feed(row);
    return other.trunk == feed.row && other.fork.seq >= whole;
  };
  if (peer == nullptr || whole == feed.fork.seq || !may_hold(authority, peer_, feed.intro) ||
      !leads_to_author(authority, peer->certificate.chapter, directory_.chapter(), feed.intro) ||
      std::ranges::any_of(directory_.branches(feed.head.feed), goes_on_from_here))
    return false;
  std::vector<ChapterId> holders = feed.intro.home.above;
  if (feed.intro.target) holders.push_back(feed.intro.target->chapter);
  std::set<ChapterId> acknowledged;
  for (const StoredReceipt& receipt : reader_.receipts_of(feed.row)) {
    const KnownNode* node = authority.node(receipt.node);
    if (receipt.seq >= whole && node != nullptr && !authority.is_revoked(receipt.node))
      acknowledged.insert(node->certificate.chapter);
  }
  return std::ranges::any_of(holders, [&](const ChapterId& holder) {
    const auto signer = signers.find(holder);
    return signer != signers.end() && !acknowledged.contains(holder) &&
           may_hold(authority, signer->second, feed.intro) &&
           comes_from_there(holder, peer->certificate.chapter);
  });
}

// Where verification of a feed begins: behind what is held or, for what is asked for again, before.
Head Session::verified_from(const FeedId& feed) const {
  const auto again = refilling_.find(feed);
  return again == refilling_.end() ? held_of(directory_, feed) : again->second;
}

// Of a piece of which all or some entries are held: the payloads that are missing here.
void Replica::fill_holes(const VerifiedPiece& piece) {
  std::vector<FeedRow> rows = directory_.branches(piece.feed().id);
  std::erase_if(rows, [&](FeedRow row) { return erasures_.first_hole(row) == Sequence(0); });
  if (rows.empty()) return;
  const Piece& content = piece.piece();
  for (std::size_t i = 0; i < content.entries.size(); ++i) {
    const Sequence seq = content.first.plus(i);
    const PieceEntry& entry = content.entries[i];
    const auto row = std::ranges::find_if(rows, [&](FeedRow each) {
      return erasures_.is_hole(each, seq) &&
             hash_at(directory_.feed(each), seq) == piece.hashes()[i];
    });
    if (entry.erased || row == rows.end()) continue;
    const Salt salt = content.seed ? salt_for(*content.seed, seq.value) : *entry.salt;
    fill_hole(*row, seq, entry, salt);
  }
}

void Replica::fill_hole(FeedRow feed, Sequence seq, const PieceEntry& with, const Salt& salt) {
  close_piece();
  StoredPiece* stored = staged_piece(feed, seq);
  if (stored == nullptr) throw Damaged("an entry that was held is missing");
  Piece piece = decoded(*stored);
  const std::size_t index = seq.value - stored->seq.value;
  PieceEntry& hole = piece.entries[index];
  const Arrival arrival = stored->arrival.plus(index);
  hole.erased.reset();
  hole.payload = with.payload;
  hole.salt = salt;
  stored->body = encode(piece);
  batch_.values.push_back(erasures_.close_hole(feed, seq));
  note_whole(feed);
  staged_ = true;
  const FeedIntro intro = directory_.feed(feed).intro;
  if (with.kind == EntryKind::key) return take_key_entry(intro, with);
  Bytes opened;
  ChangeView change;
  const ChangeVerdict verdict = read_change(intro, with, opened, change);
  if (verdict != ChangeVerdict::good) return keep_pending(verdict, arrival);
  const SpaceRow space = space_for(intro);
  link_late(space, change, arrival);
  merge_anew(space, change.record);
}

// Puts an entry into the chain of its record, at the place that its arrival gives it. False when it
// is there already.
bool Replica::link_late(SpaceRow space, const ChangeView& change, Arrival arrival) {
  StoredLayer& layer = staged_layer(space, change);
  Arrival after;  // the entry whose link will point at it
  Arrival before = layer.newest;
  while (before > arrival) {
    after = before;
    const StoredPiece piece = piece_with(after);
    before = link_of(piece, after.value - piece.arrival.value);
  }
  if (before == arrival) return false;  // it was merged before it was lost
  const auto point = [&](Arrival from, Arrival to) {
    const StoredPiece piece = piece_with(from);
    const std::size_t index = from.value - piece.arrival.value;
    StoredPiece* staged = staged_piece(piece.feed, piece.seq.plus(index));
    if (staged == nullptr) throw Damaged("an entry that was held is missing");
    set_link(*staged, index, to);
  };
  point(arrival, before);
  if (after == Arrival(0)) {
    layer.newest = arrival;
  } else {
    point(after, arrival);
  }
  return true;
}

}  // namespace chapterd
