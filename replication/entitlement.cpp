// The rules of the six audiences.
#include "replication/entitlement.h"

#include "base/byte_stream.h"
#include "crypto/hash.h"

namespace chapterd {
namespace {

tl::unexpected<Error> refused(const char* code, const char* what) {
  return fail(Errc::not_allowed, code, what, "Nothing was stored.");
}

}  // namespace

bool may_hold(const Authority& authority, const PublicKey& node, const FeedIntro& intro) {
  const KnownNode* holder = authority.node(node);
  if (holder == nullptr) return false;
  if (intro.audience == Audience::auth) return true;
  if (authority.is_revoked(node)) return false;
  const ChapterId& chapter = holder->certificate.chapter;
  const bool at_home = chapter == intro.home.chapter;
  switch (intro.audience) {
    case Audience::auth:
    case Audience::all:
      return true;
    case Audience::chapter:
      return at_home && authority.are_of_one_house(intro.node, node);
    case Audience::up:
      return at_home || is_above(chapter, intro.home);
    case Audience::down:
      return at_home || is_above(intro.home.chapter, authority.path_of(chapter));
    case Audience::to:
      return intro.target && is_between(chapter, intro.home, *intro.target);
  }
  return false;
}

bool may_come_to_hold(const Authority& authority, const PublicKey& node, const FeedIntro& intro) {
  if (intro.audience != Audience::chapter) return may_hold(authority, node, intro);
  const KnownNode* holder = authority.node(node);
  return holder != nullptr && !authority.is_revoked(node) &&
         holder->certificate.chapter == intro.home.chapter && holder->issuer == intro.home.chapter;
}

bool may_have_held(const Authority& authority, const PublicKey& node, const FeedIntro& intro) {
  if (may_come_to_hold(authority, node, intro)) return true;
  // The other audiences go by the places that the intro names.
  const KnownNode* holder = authority.node(node);
  return intro.audience == Audience::down && holder != nullptr && !authority.is_revoked(node) &&
         authority.was_above(intro.home.chapter, holder->certificate.chapter);
}

Result<void> may_open(const Authority& authority, const FeedIntro& intro) {
  const KnownNode* author = authority.node(intro.node);
  if (author == nullptr)
    return refused("authority.unknown-node", "The author of a feed is not certified.");
  if (author->certificate.chapter != intro.home.chapter) {
    return refused("authority.other-chapter",
                   "A feed names another chapter than its author's certificate.");
  }
  // Of before a move too: what was written then stays with those who stood above then.
  if (!authority.was_path(intro.home)) {
    return refused("authority.path", "A feed names another path than its chapter's certificate.");
  }
  if (intro.target &&
      (authority.chapter(intro.target->chapter) == nullptr || !authority.was_path(*intro.target))) {
    return refused("authority.target",
                   "A feed is addressed to a chapter or path that is not certified.");
  }
  return {};
}

bool acknowledges(const ChapterId& chapter, const FeedIntro& intro) {
  return is_above(chapter, intro.home) || (intro.target && intro.target->chapter == chapter);
}

bool leads_to_author(const Authority& authority,
                     const ChapterId& self,
                     const ChapterId& peer,
                     const FeedIntro& intro) {
  const auto is_at_or_above_home = [&](const ChapterId& chapter) {
    return chapter == intro.home.chapter || is_above(chapter, intro.home);
  };
  // Above the author it goes down, elsewhere up until it is above the author.
  if (!is_at_or_above_home(self)) return is_above(peer, authority.path_of(self));
  return is_at_or_above_home(peer) && (peer == self || is_above(self, authority.path_of(peer)));
}

std::uint64_t grant_name(const Authority& authority, const PublicKey& node, const PublicKey& from) {
  const KnownNode* holder = authority.node(node);
  if (holder == nullptr) return 0;
  Hasher hasher("chapterd/grant/1");
  const ChapterPath path = authority.path_of(holder->certificate.chapter);
  hasher.add(path.chapter).add(holder->issuer);
  for (const ChapterId& above : path.above) hasher.add(above);
  hasher.u8(authority.is_revoked(node) ? 1 : 0);
  // Only nodes of one chapter hand each other what is the chapter's own.
  const KnownNode* giver = authority.node(from);
  if (giver != nullptr && giver->certificate.chapter == holder->certificate.chapter) {
    for (const PublicKey& key : authority.agreed_keys(node)) hasher.add(key);
  }
  return ByteReader(hasher.finish().view()).u64();
}

}  // namespace chapterd
