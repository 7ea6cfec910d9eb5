// Digests, buckets and heads.
#include "replication/reconcile.h"

#include "base/byte_stream.h"
#include "replication/entitlement.h"
#include "replication/format/limits.h"

#include <algorithm>
#include <unordered_map>

namespace chapterd {
namespace {

// Heads and wants in one frame: 22 and 18 bytes each at most, so that they fit it.
constexpr std::size_t most_heads = 2500;

void add_head(Hasher& hasher, const Head& head) {
  hasher.add(head.feed).u64(head.seq.value).add(head.hash);
}

}  // namespace

std::vector<SharedHead> shared_heads(const Directory& directory, const PublicKey& peer) {
  const Authority& authority = directory.authority();
  std::vector<SharedHead> heads;
  for (const KnownFeed& feed : directory.feeds()) {
    if (may_hold(authority, peer, feed.intro) &&
        may_hold(authority, directory.self(), feed.intro)) {
      const Head head = directory.standing_head(feed);
      if (head.seq != Sequence(0)) heads.push_back({feed.row, head});
    }
  }
  std::sort(heads.begin(), heads.end(),
            [](const SharedHead& a, const SharedHead& b) { return a.head.feed < b.head.feed; });
  return heads;
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

Differences compare(const std::vector<SharedHead>& ours, const HeadsFrame& theirs) {
  Differences differences;
  std::unordered_map<std::uint64_t, ShortHead> heads;
  for (const ShortHead& head : theirs.heads) heads.emplace(head.feed, head);
  for (const SharedHead& shared : ours) {
    if (!std::binary_search(theirs.buckets.begin(), theirs.buckets.end(),
                            bucket_of(shared.head.feed, theirs.bits))) {
      continue;
    }
    const auto other = heads.find(short_name(shared.head.feed));
    if (other == heads.end()) {
      differences.send.push_back({shared.row, Sequence(1)});
      continue;
    }
    const ShortHead head = other->second;
    heads.erase(other);
    if (head.seq < shared.head.seq) {
      differences.send.push_back({shared.row, head.seq.next()});
    } else if (head.seq > shared.head.seq) {
      differences.want.push_back({head.feed, shared.head.seq.next()});
    } else if (head.hash != short_name(shared.head.hash)) {
      differences.forked.push_back(shared.row);
    }
  }
  for (const auto& [feed, head] : heads) differences.want.push_back({feed, Sequence(1)});
  std::sort(differences.want.begin(), differences.want.end(),
            [](const auto& a, const auto& b) { return a.feed < b.feed; });
  differences.want.resize(std::min(differences.want.size(), most_heads));
  return differences;
}

}  // namespace chapterd
