// Second histories: feeds of which two entries follow one, both signed by the author. Nearly always
// a copied or restored machine. Kept, passed on, shown; never a reason to stop.
#pragma once

#include "replication/directory.h"

#include <functional>
#include <optional>
#include <vector>

namespace chapterd {

// Of an entry that a branch itself holds; nullopt for any other sequence. Throws Damaged when the
// stored bytes are damaged.
[[nodiscard]] std::optional<EntryHash> hash_in(Reader& reader,
                                               const KnownFeed& branch,
                                               Sequence seq);

// Whether this database itself wrote the newest entry of a branch.
[[nodiscard]] bool wrote_tip_in(Reader& reader, const KnownFeed& branch);

struct ForkedFeed {
  FeedId id;
  PublicKey node;  // the author
  ChapterId chapter;
  Audience audience = Audience::all;
  std::vector<FeedRow> branches;
  std::vector<Head> tips;   // newest entry of each branch, ascending
  Sequence shared;          // the last entry that all branches have in common
  bool closed = false;      // somebody who may said which tips count
  std::uint64_t aside = 0;  // entries that do not count
};

// Every feed with a second history that is held here, in order of id. `auth` feeds among them need
// no closing: their statements count by themselves.
[[nodiscard]] std::vector<ForkedFeed> forked_feeds(const Directory& directory);

// Own feeds of earlier lives that have several branches and that this node has not ended, though it
// can: nobody did, or a branch whose newest entry it wrote itself (`wrote_tip`) is on no list. None
// when this node is revoked; feeds from before a move cannot be ended.
[[nodiscard]] std::vector<FeedId> left_open(const Directory& directory,
                                            const std::function<bool(const KnownFeed&)>& wrote_tip);

// What convinces anybody: two pieces that follow one entry, each with the author's signature.
struct ForkProof {
  Position shared;  // the entry that both follow
  Bytes first;      // encoded pieces that name what they follow
  Bytes second;
};

// nullopt as long as one of the two is not signed, which happens only at the author itself.
[[nodiscard]] std::optional<ForkProof> fork_proof(Reader& reader,
                                                  const Directory& directory,
                                                  const KnownFeed& branch);

// Needs nothing but the federation and the intro of the feed.
[[nodiscard]] bool verify_fork(const FederationId& federation,
                               ByteView intro,
                               const ForkProof& proof);

}  // namespace chapterd
