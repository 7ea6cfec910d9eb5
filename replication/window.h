// What a session hands to the writer, and what the writer did not take of it.
#pragma once

#include "base/result.h"
#include "replication/format/frame.h"
#include "replication/verified.h"

#include <optional>
#include <vector>

namespace chapterd {

// What a node learned of itself from another one.
struct Meeting {
  bool rolled_back = false;        // it holds entries of ours that we do not
  bool met = false;                // it may judge that nothing of ours is missing here
  bool handed = false;             // nobody who may was met yet, and this one is handed our entries
  bool ends_wait = false;          // it stands above us, and knows no more of us than we do
  bool recovered = false;          // both hold the same again
  bool may_end_forks = false;      // both hold the same of second histories of our own feeds
  std::vector<Incarnation> lives;  // of our own feeds, that we had never heard of
  std::optional<Epoch> new_epoch;  // of its own database: it was restored
};

// What a session hands to the writer at once: whole windows or parts of them.
struct ReceivedWindow {
  PublicKey peer;
  std::vector<VerifiedPiece> pieces;
  std::vector<Bytes> receipts;
  std::optional<Cursor> held;          // new position in the peer's log, valid once this is stored
  std::optional<Cursor> acknowledged;  // how far the peer said it holds ours
  std::optional<Meeting> meeting;

  // It changes what is stored from there on: nothing else may be staged in its transaction.
  [[nodiscard]] bool must_be_alone() const { return meeting && meeting->rolled_back; }
};

struct RefusedPiece {
  FeedId feed;
  Error error;
};

// What was not taken of a window. The rest of it was.
struct Received {
  std::vector<RefusedPiece> refused;
};

}  // namespace chapterd
