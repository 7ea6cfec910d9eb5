// Applying statements: scope, signature, then number.
#include "replication/authority.h"

#include "base/contract.h"

#include <algorithm>
#include <utility>

namespace chapterd {
namespace {

constexpr unsigned no_rank = 256;  // below every level

tl::unexpected<Error> beyond_scope(const char* what) {
  return fail(Errc::not_allowed, "authority.scope", what, "Nothing was taken from it.");
}

// Whether a statement about a subject already known says something newer. At one number the smaller
// bytes win, so that every node chooses alike.
bool is_newer(std::uint64_t number,
              ByteView bytes,
              std::uint64_t known_number,
              const Bytes& known) {
  if (number != known_number) return number > known_number;
  return std::lexicographical_compare(bytes.begin(), bytes.end(), known.begin(), known.end());
}

// Whether nodes of a chapter at or above the author's may hold such a feed: only who may look at a
// feed can say what of it stands.
bool may_judge(const ChapterId& chapter, const FeedIntro& intro) {
  switch (intro.audience) {
    case Audience::auth:
      return false;
    case Audience::up:
    case Audience::all:
      return true;
    case Audience::chapter:
    case Audience::down:
      return chapter == intro.home.chapter;
    case Audience::to:
      return intro.target && is_between(chapter, intro.home, *intro.target);
  }
  return false;
}

}  // namespace

Result<Authority> Authority::found(ByteView genesis) {
  auto decoded = decode_genesis(genesis);
  if (!decoded) return forward(decoded);
  Authority authority;
  authority.federation_ = federation_id(genesis);
  authority.genesis_.assign(genesis.begin(), genesis.end());
  KnownChapter global;
  global.certificate.chapter = decoded->chapter;
  global.certificate.authority = decoded->authority;
  global.certificate.code = decoded->code;
  global.certificate.name = decoded->name;
  global.number = UINT64_MAX;  // genesis is immutable
  authority.chapters_.emplace(decoded->chapter, std::move(global));
  return authority;
}

Result<Applied> Authority::apply(ByteView bytes) {
  const auto statement = decode_statement(bytes);
  if (!statement) return forward(statement);
  const KnownChapter* issuer = chapter(statement->issuer);
  if (issuer == nullptr) {
    return fail(Errc::not_found, "authority.issuer",
                "A statement is signed by a chapter that is not known here yet.");
  }
  if (!verify_statement(federation_, bytes, issuer->certificate.authority)) {
    return fail(Errc::not_allowed, "authority.signature", "The signature of a statement is wrong.",
                "Nothing was taken from it.");
  }
  if (std::holds_alternative<ChapterCertificate>(statement->body))
    return apply_chapter(*statement, bytes);
  if (std::holds_alternative<NodeCertificate>(statement->body))
    return apply_node(*statement, bytes);
  if (std::holds_alternative<Revoke>(statement->body)) return apply_revoke(*statement, bytes);
  if (std::holds_alternative<Admit>(statement->body)) return apply_admit(*statement, bytes);
  return Applied::known;  // a later kind of statement: kept in its feed, passed on, no effect here
}

bool Authority::apply_or_keep(ByteView statement) {
  const auto applied = apply(statement);
  if (!applied) {
    if (applied.error().kind == Errc::not_found)
      waiting_.emplace_back(statement.begin(), statement.end());
    return false;
  }
  if (*applied == Applied::known || waiting_.empty()) return *applied == Applied::news;
  // What waited for this one may be next; what still waits goes back into the list.
  for (const Bytes& kept : std::exchange(waiting_, {})) apply_or_keep(kept);
  return true;
}

Result<Applied> Authority::apply_chapter(const Statement& statement, ByteView bytes) {
  const auto& certificate = std::get<ChapterCertificate>(statement.body);
  const KnownChapter* issuer = chapter(statement.issuer);
  std::vector<ChapterId> above = issuer->certificate.above;
  above.push_back(statement.issuer);
  if (certificate.above != above)
    return beyond_scope("A chapter certificate names another path than its issuer's.");
  if (certificate.level <= issuer->certificate.level) {
    return beyond_scope("A chapter certificate claims the level of its issuer or a higher one.");
  }
  if (certificate.chapter != chapter_id_below(statement.issuer, certificate.code))
    return beyond_scope("A chapter certificate claims a chapter that is not its issuer's.");
  const auto known = chapters_.find(certificate.chapter);
  if (known != chapters_.end() &&
      !is_newer(statement.number, bytes, known->second.number, known->second.statement)) {
    return Applied::known;
  }
  chapters_[certificate.chapter] =
      KnownChapter{certificate, statement.number, Bytes(bytes.begin(), bytes.end())};
  ++version_;
  if (!revocations_.empty()) ++cut_version_;  // one that waited for this may count now
  return Applied::news;
}

Result<Applied> Authority::apply_node(const Statement& statement, ByteView bytes) {
  const auto& certificate = std::get<NodeCertificate>(statement.body);
  const KnownChapter* home = chapter(certificate.chapter);
  if (home == nullptr) {
    return fail(Errc::not_found, "authority.chapter",
                "A node certificate names a chapter that is not known here yet.");
  }
  const bool by_own = statement.issuer == certificate.chapter;
  const bool by_parent =
      !home->certificate.above.empty() && statement.issuer == home->certificate.above.back();
  if (!by_own && !by_parent)
    return beyond_scope("A node certificate comes from neither its chapter nor the one above.");
  if (!verify_node_proof(federation_, certificate))
    return beyond_scope("A node certificate claims a key that did not agree to it.");
  if (const KnownNode* known = node(certificate.node)) {
    // What its own chapter says of a node stands before what the one above says.
    const bool known_by_own = known->issuer == known->certificate.chapter;
    const bool is_news = by_own != known_by_own
                             ? by_own
                             : is_newer(statement.number, bytes, known->number, known->statement);
    if (!is_news) return Applied::known;
  }
  nodes_[certificate.node] =
      KnownNode{certificate, statement.issuer, statement.number, Bytes(bytes.begin(), bytes.end())};
  ++version_;
  if (!revocations_.empty()) ++cut_version_;
  return Applied::news;
}

Result<Applied> Authority::apply_revoke(const Statement& statement, ByteView bytes) {
  const auto& body = std::get<Revoke>(statement.body);
  const auto [from, to] = revocations_.equal_range(body.node);
  // Whole statements are compared: of two with one number both count, whichever came first.
  if (std::any_of(from, to, [&](const auto& known) {
        return std::ranges::equal(known.second.statement, bytes);
      })) {
    return Applied::known;
  }
  Revocation revocation{statement.issuer, chapter(statement.issuer)->certificate.level, body,
                        Bytes(bytes.begin(), bytes.end())};
  revocations_.emplace(body.node, std::move(revocation));
  ++version_;
  ++cut_version_;
  return Applied::news;
}

Result<Applied> Authority::apply_admit(const Statement& statement, ByteView bytes) {
  Admission admission{statement.issuer, chapter(statement.issuer)->certificate.level,
                      std::get<Admit>(statement.body)};
  const auto [at, is_new] =
      admissions_.try_emplace(Bytes(bytes.begin(), bytes.end()), std::move(admission));
  if (!is_new) return Applied::known;
  ++version_;
  ++cut_version_;
  return Applied::news;
}

const KnownChapter* Authority::chapter(const ChapterId& id) const {
  const auto at = chapters_.find(id);
  return at == chapters_.end() ? nullptr : &at->second;
}

const KnownChapter* Authority::chapter_with_code(std::string_view code) const {
  for (const auto& [id, known] : chapters_) {
    if (known.certificate.code == code) return &known;
  }
  return nullptr;
}

const KnownNode* Authority::node(const PublicKey& key) const {
  const auto at = nodes_.find(key);
  return at == nodes_.end() ? nullptr : &at->second;
}

std::vector<const KnownChapter*> Authority::chapters() const {
  std::vector<const KnownChapter*> all;
  for (const auto& [id, known] : chapters_) all.push_back(&known);
  std::sort(all.begin(), all.end(), [](const auto* a, const auto* b) {
    return std::tie(a->certificate.level, a->certificate.code) <
           std::tie(b->certificate.level, b->certificate.code);
  });
  return all;
}

std::vector<const KnownNode*> Authority::nodes() const {
  std::vector<const KnownNode*> all;
  for (const auto& [key, known] : nodes_) all.push_back(&known);
  std::sort(all.begin(), all.end(),
            [](const auto* a, const auto* b) { return a->certificate.node < b->certificate.node; });
  return all;
}

ChapterPath Authority::path_of(const ChapterId& id) const {
  const KnownChapter* known = chapter(id);
  return known == nullptr ? ChapterPath{id, {}} : ChapterPath{id, known->certificate.above};
}

std::vector<Bytes> Authority::chain(const PublicKey& key) const {
  std::vector<Bytes> statements;
  const KnownNode* known = node(key);
  if (known == nullptr) return statements;
  const ChapterPath path = path_of(known->certificate.chapter);
  for (const ChapterId& above : path.above) {
    const KnownChapter* link = chapter(above);
    if (link != nullptr && !link->statement.empty()) statements.push_back(link->statement);
  }
  const KnownChapter* home = chapter(path.chapter);
  if (home != nullptr && !home->statement.empty()) statements.push_back(home->statement);
  statements.push_back(known->statement);
  return statements;
}

bool Authority::is_at_or_above(const ChapterId& ancestor, const ChapterId& id) const {
  return ancestor == id || is_above(ancestor, path_of(id));
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
    all.emplace_back(!counts, revocation.rank, &revocation.statement);
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
    if (highest == nullptr || revocation->rank < highest->rank) highest = revocation;
  }
  return highest == nullptr ? std::string() : highest->body.reason;
}

std::optional<Head> Authority::cut(const FeedIntro& intro, const FeedId& feed) const {
  // Statements are signed by authorities: they count whoever carries them.
  if (revocations_.empty() || intro.audience == Audience::auth) return std::nullopt;
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
    const bool is_higher = revocation->rank < rank;
    if (is_higher || (revocation->rank == rank && stands.seq < cut->seq)) cut = stands;
    rank = std::min<unsigned>(rank, revocation->rank);
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
    const bool counts = admission.body.node == intro.node && admission.rank <= rank &&
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
