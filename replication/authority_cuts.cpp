// Who is revoked, and what stands of a feed then.
#include "replication/authority.h"

#include <algorithm>
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
  std::vector<Bytes> statements;
  for (const auto& each : all) statements.push_back(*std::get<2>(each));
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

std::optional<Head> Authority::cut(const FeedIntro& intro, const FeedId& feed) const {
  // Statements are signed by authorities: they count whoever carries them.
  if (intro.audience == Audience::auth) return std::nullopt;
  if (voids_) {
    const KnownNode* author = node(intro.node);
    if (author == nullptr || author->certificate.chapter != intro.home.chapter)
      return Head{feed, Sequence(0), EntryHash{}};
  }
  if (revocations_.empty()) return std::nullopt;
  const auto revocations = effective(intro.node);
  if (revocations.empty()) return std::nullopt;
  std::optional<Head> cut;
  unsigned rank = no_rank;
  for (const Revocation* revocation : revocations) {
    if (!may_judge(revocation->issuer, intro)) continue;
    Head stands{feed, Sequence(0), EntryHash{}};
    for (const Head& listed : revocation->body.cuts) {
      if (listed.feed == feed) stands = listed;
    }
    const unsigned its = rank_of(revocation->issuer);
    if (its < rank || (its == rank && stands.seq < cut->seq)) cut = stands;
    rank = std::min(rank, its);
  }
  if (!cut) {
    // Nobody who revoked the node may look at this feed. A chapter's own papers stay untouched; of
    // the others nothing stands until one who may look at them admits what was there before:
    // otherwise a thief could open one that nobody above ever sees, and go on.
    if (intro.audience == Audience::chapter) return std::nullopt;
    cut = Head{feed, Sequence(0), EntryHash{}};
  }
  return admitted(intro, *cut, rank);
}

// The cut, or where somebody who stands at least as high as the one that cut moved it.
Head Authority::admitted(const FeedIntro& intro, Head cut, unsigned rank) const {
  for (const auto& [statement, admission] : admissions_) {
    const bool counts = admission.body.node == intro.node && rank_of(admission.issuer) <= rank &&
                        is_at_or_above(admission.issuer, intro.home.chapter) &&
                        may_judge(admission.issuer, intro);
    if (!counts) continue;
    for (const Head& head : admission.body.heads) {
      if (head.feed == cut.feed && head.seq > cut.seq) cut = head;
    }
  }
  return cut;
}

}  // namespace chapterd
