// The walk over all feeds.
#include "daemon/operations/verification.h"

#include "replication/forks.h"
#include "replication/format/entry.h"
#include "replication/format/receipt.h"
#include "replication/merge.h"
#include "replication/stored_piece.h"

#include <algorithm>
#include <utility>

namespace chapterd {
namespace {

using Json = nlohmann::json;

constexpr std::size_t most_faults = 100;
constexpr std::size_t bytes_a_time = 4 * 1024 * 1024;
constexpr std::size_t layers_a_time = 1000;

}  // namespace

void Verification::run() {
  for (const KnownFeed& feed : directory_.feeds()) {
    Head at{feed.head.feed, feed.fork.seq, feed.fork.hash};
    try {
      check_feed(feed, at);
      check_receipts(feed);
    } catch (const Broken&) {
      unread_ += feed.head.seq.value - std::min(at.seq, feed.head.seq).value;
      find(feed, at.seq.next(), "The database cannot be read from here on.");
    }
  }
  check_records();
}

Json Verification::json() const {
  return {{"ok", faults_.empty()},
          {"feeds", directory_.feeds().size()},
          {"forked", forked_feeds(directory_).size()},
          {"entries", entries_},
          {"unread", unread_},
          {"erased", erased_},
          {"found", found_},
          {"faults", faults_}};
}

void Verification::find(const KnownFeed& feed, Sequence seq, const std::string& what) {
  put(to_hex(feed.head.feed.view()), seq.value, what);
}

void Verification::put(Json feed, std::uint64_t seq, const std::string& what) {
  ++found_;
  if (faults_.size() >= most_faults) return;
  faults_.push_back({{"feed", std::move(feed)}, {"seq", seq}, {"what", what}});
}

// Leaves `at` behind what was checked.
void Verification::check_feed(const KnownFeed& feed, Head& at) {
  if (feed_id(directory_.authority().federation(), feed.intro_bytes) != feed.head.feed)
    find(feed, Sequence(0), "The intro does not belong to this feed.");
  if (feed.trunk.value != 0 &&
      hash_in(reader_, directory_.feed(feed.trunk), feed.fork.seq) != feed.fork.hash)
    find(feed, feed.fork.seq, "A second history does not begin where it was noted.");
  while (at.seq < feed.head.seq) {
    const auto pieces = reader_.pieces_of(feed.row, at.seq.next(), bytes_a_time);
    if (pieces.empty()) return find(feed, at.seq.next(), "Entries are missing.");
    for (const StoredPiece& piece : pieces) {
      if (piece.seq > feed.head.seq) return;  // written since
      if (!check_piece(feed, piece, at)) return;
    }
  }
  if (at.seq == feed.head.seq && at.hash != feed.head.hash)
    find(feed, at.seq, "The newest entry is another one than noted.");
}

// Moves `at` behind the piece. False when the chain cannot be followed any further.
bool Verification::check_piece(const KnownFeed& feed, const StoredPiece& stored, Head& at) {
  const auto piece = undamaged(stored);
  if (!piece) {
    find(feed, stored.seq, "The stored bytes are damaged.");
    return false;
  }
  if (stored.seq != at.seq.next() || stored.prev != at.hash) {
    find(feed, stored.seq, "An entry does not follow the one before it.");
    return false;
  }
  const std::vector<EntryHash> hashes = chain(*piece, feed.head.feed, stored.prev);
  check_payloads(feed, *piece, hashes);
  at.hash = hashes.back();
  at.seq = piece->last();
  entries_ += stored.count;
  if (at.hash != stored.last) {
    find(feed, at.seq, "The content does not have the hash that was noted for it.");
    return false;
  }
  check_checkpoint(feed, *piece, at);
  return true;
}

// A payload may be missing only by an order that counts.
void Verification::check_payloads(const KnownFeed& feed,
                                  const Piece& piece,
                                  const std::vector<EntryHash>& hashes) {
  for (std::size_t i = 0; i < hashes.size(); ++i) {
    const PieceEntry& entry = piece.entries[i];
    if (!entry.erased) continue;
    ++erased_;
    const bool ordered =
        can_be_erased(entry) && erasures_.in_force({feed.head.feed, piece.first.plus(i), hashes[i]},
                                                   feed.intro, directory_);
    if (!ordered) {
      find(feed, piece.first.plus(i),
           "The content of this entry is missing, and no order to erase it is here.");
    }
  }
}

void Verification::check_checkpoint(const KnownFeed& feed, const Piece& piece, const Head& at) {
  if (!piece.checkpoint) {
    if (feed.intro.node != directory_.self()) find(feed, at.seq, "A signature is missing.");
  } else if (!verify_checkpoint(feed.intro.node, directory_.authority().federation(), at,
                                *piece.checkpoint)) {
    find(feed, at.seq, "The signature of the author is wrong.");
  }
}

void Verification::check_receipts(const KnownFeed& feed) {
  for (const StoredReceipt& stored : reader_.receipts_of(feed.row)) {
    const auto receipt = decode_receipt(stored.bytes);
    const bool good =
        receipt && receipt->node == stored.node && receipt->head.feed == feed.head.feed &&
        receipt->head.seq == stored.seq &&
        verify_receipt(directory_.authority().federation(), stored.bytes, stored.node);
    if (!good) find(feed, stored.seq, "A receipt is damaged.");
  }
}

// What is shown is merged from the entries: damaged, it can be made anew.
void Verification::check_records() {
  std::uint64_t damaged = 0;
  try {
    for (LayerRow after(0);;) {
      const auto layers = reader_.layers_after(after, layers_a_time);
      for (const StoredLayer& layer : layers) {
        after = layer.row;
        // What is sealed is checked when it is opened.
        if (!is_sealed(layer.state) && !decode_layer(layer.state)) ++damaged;
      }
      if (layers.size() < layers_a_time) break;
    }
  } catch (const Broken&) {
    return put(Json(), 0, "Records cannot be read from some place on. Mend it: chapterd rebuild");
  }
  if (damaged > 0)
    put(Json(), 0, std::to_string(damaged) + " records are damaged. Mend it: chapterd rebuild");
}

Json faults_of_file(Store& store) {
  try {
    return store.check();
  } catch (const Broken&) {
    return {"It is damaged so much that its pages cannot be checked one by one."};
  }
}

}  // namespace chapterd
