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
#include <unordered_map>
#include <utility>
#include <vector>

namespace chapterd::sim {

struct TrueEntry {
  EntryHash hash;
  EntryHash prev;
};

// A feed as its author wrote it: nearly always one history.
struct FeedTruth {
  FeedIntro intro;
  int author = -1;                             // machine; -1: a stranger's or a rogue's
  std::vector<std::vector<TrueEntry>> places;  // places[seq - 1]: whatever was signed there

  [[nodiscard]] bool wrote(Sequence seq, const EntryHash& hash) const;
  // Whether the history that ends with `tip` goes through this entry.
  [[nodiscard]] bool leads_to(const Head& tip, Sequence seq, const EntryHash& hash) const;
};

// A change that somebody was told is saved; or an order to erase.
struct Saved {
  int machine = 0;
  int life = 0;  // of its database; -1: only others have it
  FeedId feed;
  Sequence seq;
  EntryHash hash;
  Arrival arrival;          // in the log of that life
  std::string erased = {};  // the mark in the words that this orders to erase
};

// What a machine's disk holds: heads of every branch of a feed.
using Promised = std::map<std::pair<FeedId, FeedRow>, Head>;

// What a key promised by a disk that was put back or lost since.
struct PastLife {
  PublicKey key;
  std::set<Epoch> epochs;
  Promised promised;
};

// An invite that was handed out, and who asked with it: authority keys.
struct HandedInvite {
  int door = 0;  // machine
  ChapterId chapter;
  std::set<PublicKey> asked;
  std::set<PublicKey> admitted;  // as the door answered
};

// A disk that was put back, and what others held then of the feeds that its key writes.
struct PutBack {
  bool is_noticed = false;                                     // the file beside the database tells
  std::map<int, std::pair<int, std::vector<Head>>> witnesses;  // machine: its life, what it held
};

// A piece as it stands in a node's log.
struct LogPiece {
  Arrival last;
  Lane lane = Lane::live;
  FeedId feed;
  Sequence seq;
};

[[nodiscard]] bool holds(const Promised& promised,
                         const FeedTruth& truth,
                         Sequence seq,
                         const EntryHash& hash,
                         const FeedId& feed);

struct Ledger {
  std::map<FeedId, FeedTruth> feeds;
  std::unordered_map<std::uint64_t, Head>
      by_name;  // every entry, by what names of values begin with
  std::vector<Saved> saved;
  // For each machine: heads of every branch of a feed after the last transaction that returned.
  std::vector<Promised> promised;
  std::vector<PastLife> past;
  // Own feeds of these lives may have two histories: a copy of the disk went on from there.
  std::set<std::pair<PublicKey, Incarnation>> may_fork;
  // Numbers in these logs mean one thing on one disk and another on its copy.
  std::set<Epoch> doubtful;
  // For each machine: how much of its log is in `logs`, and the log of each database ever.
  std::vector<Arrival> read;
  std::map<Epoch, std::vector<LogPiece>> logs;
  // Entries that their author chained anew: what they were called, and are called now.
  std::vector<std::pair<Head, Head>> renamed;
  // (machine, feed): a piece of it was refused there, or changed on its way there.
  std::set<std::pair<int, FeedId>> refused;
  // Of revoked machines' feeds: the last entry that stands, by the one revocation there is.
  std::map<FeedId, Sequence> cuts;
  std::set<int> cut_by_own_chapter;
  // (machine, revoked machine): the first knows of it.
  std::set<std::pair<int, int>> knows_revoked;
  std::vector<HandedInvite> invites;
  std::map<int, PutBack> put_back;  // by machine, the last time
  // Writes that people asked for, and what they were told.
  std::uint64_t asked = 0;
  std::uint64_t answered_saved = 0;
  std::uint64_t answered_refused = 0;
  std::uint64_t unanswered = 0;  // the process died before it answered
};

}  // namespace chapterd::sim
