// The one judgement about feeds that are offered.
#include "replication/offered.h"

#include "replication/entitlement.h"

#include <utility>

namespace chapterd {

Head held_of(const Directory& directory, const FeedId& feed) {
  const KnownFeed* known = directory.feed(feed);
  return known == nullptr ? Head{feed, Sequence(0), EntryHash{}} : known->head;
}

std::optional<OfferedFeed> judge_offer(const Authority& authority,
                                       const PublicKey& self,
                                       const PublicKey& peer,
                                       const Bytes& intro) {
  auto decoded = decode_feed_intro(intro);
  if (!decoded) return std::nullopt;
  FeedOffer offer{feed_id(authority.federation(), intro), std::move(*decoded), intro};
  OfferedFeed offered;
  offered.refused = !may_have_held(authority, peer, offer.intro) ||
                    !may_come_to_hold(authority, self, offer.intro);
  offered.feed = std::make_shared<const FeedOffer>(std::move(offer));
  return offered;
}

}  // namespace chapterd
