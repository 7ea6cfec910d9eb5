// Which feeds may a node hold: computed from the feed's signed intro and the node's certificate,
// never from what anybody asks for. All or nothing a feed.
#pragma once

#include "replication/authority.h"
#include "replication/format/feed.h"

namespace chapterd {

// False for unknown nodes. A revoked node may hold `auth` feeds only.
[[nodiscard]] bool may_hold(const Authority& authority,
                            const PublicKey& node,
                            const FeedIntro& intro);
// What can be said of an offered feed before what is under way is stored: its author's certificate,
// and with it whether the node shares the author's house, may be in the same window. The writer
// decides by may_hold().
[[nodiscard]] bool may_come_to_hold(const Authority& authority,
                                    const PublicKey& node,
                                    const FeedIntro& intro);
// Whether what a node offers of a feed may be taken from it: it may hold it, or might before its
// chapter moved. Others may have lost what it holds since then.
[[nodiscard]] bool may_have_held(const Authority& authority,
                                 const PublicKey& node,
                                 const FeedIntro& intro);

// Whether the author that an intro names may open such a feed: a certified node, of that chapter,
// whose path is the certified one, of now or of before a move. The target of a `to` feed must be a
// certified chapter with such a path.
[[nodiscard]] Result<void> may_open(const Authority& authority, const FeedIntro& intro);

// Whether a node of `chapter` signs receipts for this feed: it stands above its home, or is its
// target.
[[nodiscard]] bool acknowledges(const ChapterId& chapter, const FeedIntro& intro);

// Whether a node of chapter `peer` is the next step from a node of chapter `self` towards the
// author of this feed: the way that receipts take.
[[nodiscard]] bool leads_to_author(const Authority& authority,
                                   const ChapterId& self,
                                   const ChapterId& peer,
                                   const FeedIntro& intro);

// Names what a node may get from another one; two equal names mean the same scope for the same
// feeds.
[[nodiscard]] std::uint64_t grant_name(const Authority& authority,
                                       const PublicKey& node,
                                       const PublicKey& from);

}  // namespace chapterd
