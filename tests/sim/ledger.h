// What really happened, kept outside of every node: who wrote what, and what each node promised.
#pragma once

#include "replication/format/audience.h"
#include "replication/format/feed.h"
#include "replication/format/ids.h"
#include "replication/store/store.h"

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace chapterd::sim {

// A feed as its author wrote it.
struct FeedTruth {
  FeedIntro intro;
  int author = -1;                // machine; -1: a stranger's or a rogue's
  std::vector<EntryHash> hashes;  // hashes[seq - 1]
};

// A change that somebody was told is saved.
struct Saved {
  int machine = 0;
  FeedId feed;
  Sequence seq;
  EntryHash hash;
};

// A piece as it stands in a node's log.
struct LogPiece {
  Arrival last;
  Lane lane = Lane::live;
  FeedId feed;
  Sequence seq;
};

struct Ledger {
  std::map<FeedId, FeedTruth> feeds;
  std::vector<Saved> saved;
  // For each machine: heads of every branch of a feed after the last transaction that returned.
  std::vector<std::map<std::pair<FeedId, FeedRow>, Head>> promised;
  // For each machine: how much of its log is in `logs`, and the log of each database ever.
  std::vector<Arrival> read;
  std::map<Epoch, std::vector<LogPiece>> logs;
  // (machine, feed): a piece of it was refused there, or changed on its way there.
  std::set<std::pair<int, FeedId>> refused;
  // Of revoked machines' feeds: the last entry that stands, by the one revocation there is.
  std::map<FeedId, Sequence> cuts;
  std::set<int> cut_by_own_chapter;
  // (machine, revoked machine): the first knows of it.
  std::set<std::pair<int, int>> knows_revoked;
  // Marks in words whose erasure was ordered, and saved.
  std::set<std::string> erased;
  // Writes that people asked for, and what they were told.
  std::uint64_t asked = 0;
  std::uint64_t answered_saved = 0;
  std::uint64_t answered_refused = 0;
  std::uint64_t unanswered = 0;  // the process died before it answered
};

}  // namespace chapterd::sim
