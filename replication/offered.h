// Feeds as peers introduce them, on a link or in a bundle: judged in one place.
#pragma once

#include "replication/directory.h"
#include "replication/verified.h"

#include <memory>
#include <optional>

namespace chapterd {

struct OfferedFeed {
  std::shared_ptr<const FeedOffer> feed;
  bool refused = false;  // one of the two may not hold it
};

// What is held of a feed; sequence 0 for nothing.
[[nodiscard]] Head held_of(const Directory& directory, const FeedId& feed);

// Both must be entitled: the peer to hold what it sends, this node to hold what comes. `authority`
// must know the peer. Nothing when the intro is malformed.
[[nodiscard]] std::optional<OfferedFeed> judge_offer(const Authority& authority,
                                                     const PublicKey& self,
                                                     const PublicKey& peer,
                                                     const Bytes& intro);

}  // namespace chapterd
