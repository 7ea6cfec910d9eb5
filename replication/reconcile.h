// Comparing what two nodes hold: one digest, then buckets, then heads. Pure functions over heads.
#pragma once

#include "replication/directory.h"
#include "replication/format/frame.h"

#include <functional>
#include <map>
#include <vector>

namespace chapterd {

struct SharedHead {
  FeedRow row;
  Head head;
};

// Up to where a branch counts for a comparison.
using HeadOf = std::function<Head(const KnownFeed&)>;

// Tips of the feeds that this node and `peer` both may hold, in ascending order of feed id,
// sequence and hash. A feed has several when it has several branches.
[[nodiscard]] std::vector<SharedHead> shared_heads(const Directory& directory,
                                                   const PublicKey& peer,
                                                   const HeadOf& head_of);
// The same at the heads that stand.
[[nodiscard]] std::vector<SharedHead> shared_heads(const Directory& directory,
                                                   const PublicKey& peer);

// BLAKE2b-256("chapterd/digest/1\0" | feed id | seq | hash | …).
[[nodiscard]] Digest digest_of(const std::vector<SharedHead>& heads);

// Number of bits of feed ids that makes buckets worth their bytes for this many feeds.
[[nodiscard]] std::uint8_t bucket_bits(std::size_t feeds);
[[nodiscard]] std::uint32_t bucket_of(const FeedId& feed, std::uint8_t bits);
[[nodiscard]] std::uint64_t short_name(const FeedId& feed);
[[nodiscard]] std::uint32_t short_name(const EntryHash& hash);

// One hash a bucket: the first four bytes of BLAKE2b-256("chapterd/bucket/1\0" | salt | heads). The
// salt keeps two contents that happen to collide from doing so again.
[[nodiscard]] std::vector<std::uint32_t> bucket_hashes(const std::vector<SharedHead>& heads,
                                                       std::uint64_t salt,
                                                       std::uint8_t bits);

// The answer to a peer's buckets: which differ from ours, and our heads in them. Whole buckets
// only, as many as fit a frame: the rest is found in the next round.
[[nodiscard]] HeadsFrame differing_heads(const std::vector<SharedHead>& heads,
                                         const BucketsFrame& theirs);

// What follows from a peer's heads in the buckets that differ.
struct Differences {
  struct Send {
    FeedRow row;
    Sequence from;
  };

  std::vector<Send> send;             // we hold more
  std::vector<WantFrame::Want> want;  // they hold more
};

// Whether a branch itself holds the entry of this sequence, by the short name of its hash.
using HoldsEntry = std::function<bool(const KnownFeed&, Sequence, std::uint32_t)>;
// As the log says; `reader` must outlive it.
[[nodiscard]] HoldsEntry entries_in(Reader& reader);

// How far a peer holds each branch of a feed, by those of its tips that are held here.
[[nodiscard]] std::map<FeedRow, Sequence> held_there(const Directory& directory,
                                                     const FeedId& feed,
                                                     const std::vector<ShortHead>& tips,
                                                     const HoldsEntry& holds);

// `ours` are the shared heads at `head_of`. Where nothing shows at which entry two histories part,
// both begin a little before it may be; whoever finds that it lacks what comes before asks for
// more.
[[nodiscard]] Differences compare(const Directory& directory,
                                  const std::vector<SharedHead>& ours,
                                  const HeadsFrame& theirs,
                                  const HeadOf& head_of,
                                  const HoldsEntry& holds);

}  // namespace chapterd
