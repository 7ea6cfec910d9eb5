// Who is revoked, and what stands of a feed then.
#include "replication/authority.h"

#include <algorithm>
#include <set>
#include <tuple>

namespace chapterd {
namespace {

constexpr unsigned no_rank = 256;  // below every chapter

// Whether nodes of a chapter at or above the author's may hold such a feed: only who may look at a
// feed can say what of it stands.
bool may_judge(const ChapterId& chapter, const FeedIntro& intro) {
  switch (intro.audience) {
    case Audience::auth:
      return false;
    case Audience::all:
      return true;
    case Audience::up:
      return chapter == intro.home.chapter || is_above(chapter, intro.home);
    case Audience::chapter:
    case Audience::down:
      return chapter == intro.home.chapter;
    case Audience::to:
      return intro.target && is_between(chapter, intro.home, *intro.target);
  }
  return false;
}

}  // namespace

// Also of those that stood above before a move: a revocation is never un-seen.
bool Authority::is_at_or_above(const ChapterId& ancestor, const ChapterId& id) const {
  return ancestor == id || was_above(ancestor, id);
}

// The smallest is the highest.
unsigned Authority::rank_of(const ChapterId& id) const {
  const KnownChapter* known = chapter(id);
  return known == nullptr ? no_rank - 1 : static_cast<unsigned>(known->certificate.above.size());
}

std::vector<const Revocation*> Authority::effective(const PublicKey& key) const {
  std::vector<const Revocation*> standing;
  const KnownNode* known = node(key);
  if (known == nullptr) return standing;
  const auto [from, to] = revocations_.equal_range(key);
  for (auto at = from; at != to; ++at) {
    if (is_at_or_above(at->second.issuer, known->certificate.chapter))
      standing.push_back(&at->second);
  }
  return standing;
}

bool Authority::is_revoked(const PublicKey& key) const {
  return !effective(key).empty();
}

std::vector<Bytes> Authority::revocations() const {
  std::vector<std::tuple<bool, unsigned, const Bytes*>> all;
  for (const auto& [key, revocation] : revocations_) {
    const KnownNode* known = node(key);
    const bool counts =
        known != nullptr && is_at_or_above(revocation.issuer, known->certificate.chapter);
    all.emplace_back(!counts, rank_of(revocation.issuer), &revocation.statement);
  }
  std::ranges::sort(all, [](const auto& a, const auto& b) {
    return std::tie(std::get<0>(a), std::get<1>(a), *std::get<2>(a)) <
           std::tie(std::get<0>(b), std::get<1>(b), *std::get<2>(b));
  });
  std::vector<Bytes> statements = changes_above_revoked();
  for (const auto& each : all) statements.push_back(*std::get<2>(each));
  return statements;
}

// Successors and moves of the chapters that revoked somebody, of those of whom they did, and of all
// that ever stood above, in the order in which they can be verified.
std::vector<Bytes> Authority::changes_above_revoked() const {
  std::set<ChapterId> line;
  const auto add_line = [&](const ChapterId& chapter) {
    if (line.insert(chapter).second) line.merge(ever_above(chapter));
  };
  for (const auto& [key, revocation] : revocations_) {
    add_line(revocation.issuer);
    if (const KnownNode* known = node(key)) add_line(known->certificate.chapter);
  }
  std::vector<Bytes> statements;
  for (const Signed& each : signed_) {
    const bool is_change = each.agreed || std::holds_alternative<Successor>(each.statement.body);
    if (is_change && line.contains(*subject_of(each))) statements.push_back(each.bytes);
  }
  return statements;
}

std::string Authority::revoked_because(const PublicKey& key) const {
  const Revocation* highest = nullptr;
  for (const Revocation* revocation : effective(key)) {
    if (highest == nullptr || rank_of(revocation->issuer) < rank_of(highest->issuer))
      highest = revocation;
  }
  return highest == nullptr ? std::string() : highest->body.reason;
}

// Who stands at or above the author's chapter and may hold the feed.
bool Authority::judges(const ChapterId& issuer, const FeedIntro& intro) const {
  return is_at_or_above(issuer, intro.home.chapter) && may_judge(issuer, intro);
}

Limits Authority::cuts(const FeedIntro& intro, const FeedId& feed) const {
  // Statements are signed by authorities: they count whoever carries them.
  if (intro.audience == Audience::auth) return {};
  if (voids_) {
    const KnownNode* author = node(intro.node);
    if (author == nullptr || author->certificate.chapter != intro.home.chapter) return Limits(1);
  }
  if (revocations_.empty()) return {};
  const auto revocations = effective(intro.node);
  if (revocations.empty()) return {};
  unsigned rank = no_rank;
  for (const Revocation* revocation : revocations) {
    if (may_judge(revocation->issuer, intro)) rank = std::min(rank, rank_of(revocation->issuer));
  }
  Limits limits;
  for (const Revocation* revocation : revocations) {
    if (rank_of(revocation->issuer) != rank || !may_judge(revocation->issuer, intro)) continue;
    std::vector<Head>& heads = limits.emplace_back();
    for (const Head& listed : revocation->body.cuts) {
      if (listed.feed == feed && listed.seq != Sequence(0)) heads.push_back(listed);
    }
  }
  // Nobody who revoked the node may look at this feed. A chapter's own papers stay untouched; of
  // the others nothing stands until one who may look at them admits what was there before:
  // otherwise a thief could open one that nobody above ever sees, and go on.
  if (limits.empty() && intro.audience != Audience::chapter) limits.emplace_back();
  for (std::vector<Head>& heads : limits) add_admitted(intro, feed, rank, heads);
  return limits;
}

// What somebody who stands at least as high as the one that cut took back in.
void Authority::add_admitted(const FeedIntro& intro,
                             const FeedId& feed,
                             unsigned rank,
                             std::vector<Head>& heads) const {
  for (const auto& [statement, admission] : admissions_) {
    if (admission.body.node != intro.node || rank_of(admission.issuer) > rank ||
        !judges(admission.issuer, intro))
      continue;
    for (const Head& head : admission.body.heads) {
      if (head.feed == feed && head.seq != Sequence(0)) heads.push_back(head);
    }
  }
}

std::vector<Head> Authority::closing(const FeedIntro& intro, const FeedId& feed) const {
  std::vector<Head> tips;
  if (closings_.empty() || intro.audience == Audience::auth) return tips;
  for (const auto& [statement, closing] : closings_) {
    if (closing.body.node != intro.node || !judges(closing.issuer, intro)) continue;
    for (const Head& tip : closing.body.tips) {
      if (tip.feed == feed && tip.seq != Sequence(0)) tips.push_back(tip);
    }
  }
  return tips;
}

}  // namespace chapterd
