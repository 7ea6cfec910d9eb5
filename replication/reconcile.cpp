// Digests, buckets and heads.
#include "replication/reconcile.h"

#include "base/byte_stream.h"
#include "replication/entitlement.h"
#include "replication/forks.h"
#include "replication/format/limits.h"

#include <algorithm>
#include <optional>
#include <tuple>
#include <unordered_map>

namespace chapterd {
namespace {

// Heads and wants in one frame: 22 and 18 bytes each at most, so that they fit it.
constexpr std::size_t most_heads = 2500;

void add_head(Hasher& hasher, const Head& head) {
  hasher.add(head.feed).u64(head.seq.value).add(head.hash);
}

// Another branch leaves this one at its head, so that it is no tip.
bool goes_on(const Directory& directory,
             const KnownFeed& feed,
             Sequence head,
             const HeadOf& head_of) {
  if (!directory.is_forked(feed.head.feed)) return false;
  return std::ranges::any_of(directory.branches(feed.head.feed), [&](FeedRow row) {
    const KnownFeed& other = directory.feed(row);
    return other.trunk == feed.row && other.fork.seq == head && head_of(other).seq > other.fork.seq;
  });
}

// The branch that itself holds this entry.
std::optional<FeedRow> holder_of(const Directory& directory,
                                 const FeedId& feed,
                                 const ShortHead& entry,
                                 const HoldsEntry& holds) {
  for (const FeedRow row : directory.branches(feed)) {
    if (holds(directory.feed(row), entry.seq, entry.hash)) return row;
  }
  return std::nullopt;
}

// Of one feed that both hold something of.
struct FeedTips {
  const Directory& directory;
  const HeadOf& head_of;
  FeedId id;
  std::vector<Head> ours;
  std::vector<ShortHead> theirs;

  [[nodiscard]] bool is_theirs(const Head& tip) const {
    return std::ranges::any_of(theirs, [&](const ShortHead& each) {
      return each.seq == tip.seq && each.hash == short_name(tip.hash);
    });
  }
};

Sequence a_little_before(Sequence seq) {
  return Sequence(seq.value > limits::run_entries ? seq.value - limits::run_entries : 1);
}

// From where on a tip of theirs is needed that is not held here: after the tip of ours that it may
// follow, else from a little before the place where the two must have parted.
Sequence wanted_from(const FeedTips& feed, const ShortHead& missing) {
  std::optional<Sequence> from;
  Sequence newest(1);
  for (const Head& tip : feed.ours) {
    newest = std::max(newest, tip.seq);
    if (tip.seq < missing.seq && !feed.is_theirs(tip))
      from = std::min(from.value_or(tip.seq.next()), tip.seq.next());
  }
  return from.value_or(a_little_before(std::min(newest, missing.seq)));
}

// Nothing of theirs is held here: a branch that is shorter is likely what theirs goes on from.
void send_what_parts(const FeedTips& feed, Differences& differences) {
  const auto by_seq = [](const ShortHead& head) { return head.seq; };
  const Sequence longest = std::ranges::max(feed.theirs, {}, by_seq).seq;
  const Sequence shortest = std::ranges::min(feed.theirs, {}, by_seq).seq;
  for (const FeedRow row : feed.directory.branches(feed.id)) {
    const KnownFeed& branch = feed.directory.feed(row);
    const Sequence head = feed.head_of(branch).seq;
    if (head == branch.fork.seq || head < longest) continue;
    const Sequence from = a_little_before(std::min(shortest, head));
    differences.send.push_back({row, std::max(from, branch.fork.seq.next())});
  }
}

void compare_feed(const FeedTips& feed, const HoldsEntry& holds, Differences& differences) {
  const bool is_same =
      feed.ours.size() == feed.theirs.size() &&
      std::ranges::all_of(feed.ours, [&](const Head& tip) { return feed.is_theirs(tip); });
  if (is_same) return;
  std::optional<Sequence> from;
  std::size_t missing = 0;
  for (const ShortHead& tip : feed.theirs) {
    if (holder_of(feed.directory, feed.id, tip, holds)) continue;
    ++missing;
    from = std::min(from.value_or(tip.seq), wanted_from(feed, tip));
  }
  if (from) differences.want.push_back({short_name(feed.id), *from});
  if (missing > 0 && missing == feed.theirs.size()) return send_what_parts(feed, differences);
  for (const auto& [row, held] : held_there(feed.directory, feed.id, feed.theirs, holds)) {
    if (feed.head_of(feed.directory.feed(row)).seq > held)
      differences.send.push_back({row, held.next()});
  }
}

}  // namespace

std::vector<SharedHead> shared_heads(const Directory& directory,
                                     const PublicKey& peer,
                                     const HeadOf& head_of) {
  const Authority& authority = directory.authority();
  std::vector<SharedHead> heads;
  for (const KnownFeed& feed : directory.feeds()) {
    if (!may_hold(authority, peer, feed.intro) ||
        !may_hold(authority, directory.self(), feed.intro))
      continue;
    const Head head = head_of(feed);
    if (head.seq > feed.fork.seq && !goes_on(directory, feed, head.seq, head_of))
      heads.push_back({feed.row, head});
  }
  std::ranges::sort(heads, {}, [](const SharedHead& shared) {
    return std::tie(shared.head.feed, shared.head.seq, shared.head.hash);
  });
  return heads;
}

std::vector<SharedHead> shared_heads(const Directory& directory, const PublicKey& peer) {
  return shared_heads(directory, peer, Directory::standing_head);
}

Digest digest_of(const std::vector<SharedHead>& heads) {
  Hasher hasher("chapterd/digest/1");
  for (const SharedHead& shared : heads) add_head(hasher, shared.head);
  return hasher.finish();
}

// Four bytes a bucket against some fifteen bytes a head in each bucket that differs: with twenty
// changes the sum is smallest near twenty feeds a bucket.
std::uint8_t bucket_bits(std::size_t feeds) {
  std::uint8_t bits = 2;
  while (bits < 12 && (std::size_t{20} << bits) < feeds) ++bits;
  return bits;
}

std::uint32_t bucket_of(const FeedId& feed, std::uint8_t bits) {
  return bits == 0 ? 0 : ByteReader(feed.view()).u32() >> (32U - bits);
}

std::uint64_t short_name(const FeedId& feed) {
  return ByteReader(feed.view()).u64();
}

std::uint32_t short_name(const EntryHash& hash) {
  return ByteReader(hash.view()).u32();
}

std::vector<std::uint32_t> bucket_hashes(const std::vector<SharedHead>& heads,
                                         std::uint64_t salt,
                                         std::uint8_t bits) {
  std::vector<std::uint32_t> hashes;
  std::size_t at = 0;
  for (std::uint32_t bucket = 0; bucket < 1U << bits; ++bucket) {
    Hasher hasher("chapterd/bucket/1");
    hasher.u64(salt);
    for (; at < heads.size() && bucket_of(heads[at].head.feed, bits) == bucket; ++at) {
      add_head(hasher, heads[at].head);
    }
    hashes.push_back(ByteReader(hasher.finish().view()).u32());
  }
  return hashes;
}

HeadsFrame differing_heads(const std::vector<SharedHead>& heads, const BucketsFrame& theirs) {
  const auto ours = bucket_hashes(heads, theirs.salt, theirs.bits);
  HeadsFrame frame;
  frame.bits = theirs.bits;
  std::size_t at = 0;
  for (std::uint32_t bucket = 0; bucket < ours.size(); ++bucket) {
    const std::size_t begin = at;
    while (at < heads.size() && bucket_of(heads[at].head.feed, theirs.bits) == bucket) ++at;
    if (ours[bucket] == theirs.hashes[bucket]) continue;
    // Whole buckets only, or the peer would take a head that is left out for one that we lack.
    if (frame.heads.size() + (at - begin) > most_heads) break;
    frame.buckets.push_back(bucket);
    for (std::size_t i = begin; i < at; ++i) {
      const Head& head = heads[i].head;
      frame.heads.push_back({short_name(head.feed), head.seq, short_name(head.hash)});
    }
  }
  return frame;
}

HoldsEntry entries_in(Reader& reader) {
  return [&reader](const KnownFeed& branch, Sequence seq, std::uint32_t hash) {
    const auto held = hash_in(reader, branch, seq);
    return held && short_name(*held) == hash;
  };
}

std::map<FeedRow, Sequence> held_there(const Directory& directory,
                                       const FeedId& feed,
                                       const std::vector<ShortHead>& tips,
                                       const HoldsEntry& holds) {
  std::map<FeedRow, Sequence> held;
  for (const FeedRow row : directory.branches(feed)) held[row] = directory.feed(row).fork.seq;
  for (const ShortHead& tip : tips) {
    const auto holder = holder_of(directory, feed, tip, holds);
    // With an entry everything before it is held, on whichever branch it lies.
    Sequence seq = tip.seq;
    for (FeedRow row = holder.value_or(FeedRow(0)); row.value != 0;) {
      held[row] = std::max(held[row], seq);
      seq = directory.feed(row).fork.seq;
      row = directory.feed(row).trunk;
    }
  }
  return held;
}

Differences compare(const Directory& directory,
                    const std::vector<SharedHead>& ours,
                    const HeadsFrame& theirs,
                    const HeadOf& head_of,
                    const HoldsEntry& holds) {
  Differences differences;
  std::unordered_map<std::uint64_t, std::vector<ShortHead>> heads;
  for (const ShortHead& head : theirs.heads) heads[head.feed].push_back(head);
  for (std::size_t at = 0; at < ours.size();) {
    FeedTips feed{directory, head_of, ours[at].head.feed, {}, {}};
    for (; at < ours.size() && ours[at].head.feed == feed.id; ++at)
      feed.ours.push_back(ours[at].head);
    if (!std::ranges::binary_search(theirs.buckets, bucket_of(feed.id, theirs.bits))) continue;
    if (auto named = heads.extract(short_name(feed.id))) feed.theirs = std::move(named.mapped());
    compare_feed(feed, holds, differences);
  }
  for (const auto& [feed, head] : heads) differences.want.push_back({feed, Sequence(1)});
  std::sort(differences.want.begin(), differences.want.end(),
            [](const auto& a, const auto& b) { return a.feed < b.feed; });
  differences.want.resize(std::min(differences.want.size(), most_heads));
  return differences;
}

}  // namespace chapterd
