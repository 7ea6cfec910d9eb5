// What statements are worth together: which keys count, where chapters stand, who is their node.
//
// Worked out in rounds, each from what the one before found of distrusted keys and of places, until
// a round finds what it began with; the first begins with neither. Every round is a function of the
// set of statements, so the result is too.
#include "replication/authority.h"
#include "replication/format/limits.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace chapterd {
namespace {

// Each round settles at least one more level of the tree, for keys and for places. Statements that
// contradict each other in a circle end here, everywhere alike.
constexpr std::size_t most_rounds = 2 * limits::path_chapters;

// Whether a statement about a subject already known says something newer. At one number the smaller
// bytes win, so that every node chooses alike.
bool is_newer(std::uint64_t number,
              const Bytes& bytes,
              std::uint64_t known_number,
              const Bytes& known) {
  return number != known_number ? number > known_number : bytes < known;
}

}  // namespace

void Authority::work_out() {
  Standing before;
  for (std::size_t round = 0; round < most_rounds; ++round) {
    build(before);
    Standing found = settle(before);
    const bool is_settled = found == before;
    before = std::move(found);
    if (is_settled) break;
  }
  standing_ = std::move(before);
  voids_ = !standing_.trusts.empty() || !standing_.moves.empty();
  nodes_.clear();
  agreed_.clear();
  revocations_.clear();
  admissions_.clear();
  closings_.clear();
  handovers_.clear();
  for (const Signed& statement : signed_) {
    if (!std::holds_alternative<ChapterCertificate>(statement.statement.body) &&
        stands(statement, standing_)) {
      static_cast<void>(take(statement));
    }
  }
  ++version_;
  ++cut_version_;
}

// The keys of every chapter, found from the global one down.
void Authority::build(const Standing& before) {
  keys_.clear();
  keys_[root_] = {founding_.authority};
  std::vector<const Signed*> left;
  for (const Signed& statement : signed_) {
    if (subject_of(statement)) left.push_back(&statement);
  }
  for (bool has_grown = true; has_grown;) {
    has_grown = false;
    std::vector<const Signed*> again;
    for (const Signed* statement : left) {
      if (stands(*statement, before)) {
        add_keys(*statement, before);
        has_grown = true;
      } else {
        again.push_back(statement);
      }
    }
    left = std::move(again);
  }
}

void Authority::add_keys(const Signed& statement, const Standing& before) {
  const ChapterId subject = *subject_of(statement);
  const auto moved = before.moves.find(subject);
  const auto& body = statement.statement.body;
  if (const auto* successor = std::get_if<Successor>(&body)) {
    keys_[subject].insert(successor->authority);
  } else if (const auto* certificate = std::get_if<ChapterCertificate>(&body)) {
    // The parent that was left says nothing more of it.
    if (moved == before.moves.end()) keys_[subject].insert(certificate->authority);
  } else if (moved != before.moves.end() && moved->second == statement.id) {
    const auto& move = std::get<Move>(body);
    keys_[subject].insert(statement.agreed->authority);
    keys_[subject].insert(move.keys.begin(), move.keys.end());
  }
}

// The chapter that a statement of these kinds is about: certificate, successor, move.
std::optional<ChapterId> Authority::subject_of(const Signed& statement) {
  const auto& body = statement.statement.body;
  if (const auto* certificate = std::get_if<ChapterCertificate>(&body)) return certificate->chapter;
  if (const auto* successor = std::get_if<Successor>(&body)) return successor->chapter;
  if (statement.agreed) return statement.agreed->chapter;
  return std::nullopt;
}

bool Authority::counts(const ChapterId& issuer,
                       const PublicKey& key,
                       const StatementId& id,
                       const Standing& in) const {
  const auto keys = keys_.find(issuer);
  if (keys == keys_.end() || !keys->second.contains(key)) return false;
  const auto trust = in.trusts.find(issuer);
  return trust == in.trusts.end() || trust->second.keys.contains(key) ||
         trust->second.listed.contains(id);
}

bool Authority::stands(const Signed& statement, const Standing& in) const {
  const ChapterId& issuer = statement.statement.issuer;
  if (const auto* successor = std::get_if<Successor>(&statement.statement.body)) {
    if (successor->by == SuccessorBy::recovery) return true;
    if (successor->by == SuccessorBy::above && !is_below(in.parents, successor->chapter, issuer))
      return false;
  }
  if (!counts(issuer, statement.key, statement.id, in)) return false;
  return !statement.agreed ||
         counts(statement.agreed_by, statement.agreed_key, statement.agreed_id, in);
}

bool Authority::is_below(const std::map<ChapterId, ChapterId>& parents,
                         ChapterId chapter,
                         const ChapterId& ancestor) {
  for (std::size_t depth = 0; depth <= limits::path_chapters; ++depth) {
    const auto parent = parents.find(chapter);
    if (parent == parents.end()) return false;
    if (parent->second == ancestor) return true;
    chapter = parent->second;
  }
  return false;
}

Authority::Standing Authority::settle(const Standing& before) {
  chapters_.clear();
  moves_.clear();
  Standing found;
  std::vector<const Signed*> moves;
  std::map<ChapterId, std::vector<const Signed*>> successors;
  for (const Signed& statement : signed_) {
    const auto subject = subject_of(statement);
    if (!subject || !stands(statement, before)) continue;
    if (statement.agreed) moves.push_back(&statement);
    if (std::holds_alternative<Successor>(statement.statement.body))
      successors[*subject].push_back(&statement);
    if (const auto* certificate = std::get_if<ChapterCertificate>(&statement.statement.body)) {
      KnownChapter& known = chapters_[certificate->chapter];
      if (known.statement.empty() ||
          is_newer(statement.statement.number, statement.bytes, known.number, known.statement))
        known = KnownChapter{*certificate, statement.statement.number, statement.bytes};
      found.parents[certificate->chapter] = statement.statement.issuer;
    }
  }
  settle_moves(std::move(moves), found);
  settle_paths(found.parents);
  for (const auto& [id, its] : successors) {
    const auto known = chapters_.find(id);
    if (known == chapters_.end()) continue;
    auto [key, trust] = key_of(known->second, its);
    known->second.certificate.authority = key;
    if (trust) found.trusts.emplace(id, std::move(*trust));
  }
  return found;
}

// In the order of their numbers, each from where those before it left the chapters: its issuer
// stands above the chapter and at or above the new parent, which does not stand below the chapter.
// At one number the smaller id comes last and holds.
void Authority::settle_moves(std::vector<const Signed*> moves, Standing& found) {
  std::ranges::sort(moves, [](const Signed* a, const Signed* b) {
    return std::tie(a->statement.number, b->id) < std::tie(b->statement.number, a->id);
  });
  for (const Signed* move : moves) {
    const ChapterId& issuer = move->statement.issuer;
    const ChapterId& chapter = move->agreed->chapter;
    const ChapterId& parent = move->agreed_by;
    const bool is_placed = found.parents.contains(chapter);
    if (is_placed && !is_below(found.parents, chapter, issuer)) continue;
    if (parent != issuer && !is_below(found.parents, parent, issuer)) continue;
    if (parent == chapter || is_below(found.parents, parent, chapter)) continue;
    found.parents[chapter] = parent;
    found.moves[chapter] = move->id;
    chapters_[chapter] = KnownChapter{*move->agreed, move->agreed_number, move->bytes};
    moves_[chapter] =
        KnownMove{chapter, parent, std::get<Move>(move->statement.body), move->statement.number};
  }
}

// Paths as they are now; whoever does not hang from the global chapter is none.
void Authority::settle_paths(std::map<ChapterId, ChapterId>& parents) {
  KnownChapter& global = chapters_[root_];
  global = KnownChapter{};
  global.certificate.chapter = root_;
  global.certificate.code = founding_.code;
  global.certificate.name = founding_.name;
  global.certificate.authority = founding_.authority;
  global.number = UINT64_MAX;  // genesis is immutable
  for (auto at = chapters_.begin(); at != chapters_.end();) {
    std::vector<ChapterId>& above = at->second.certificate.above;
    above.clear();
    for (auto up = parents.find(at->first);
         up != parents.end() && above.size() <= limits::path_chapters;
         up = parents.find(up->second)) {
      above.insert(above.begin(), up->second);
    }
    const bool hangs = at->first == root_ || (!above.empty() && above.front() == root_ &&
                                              above.size() <= limits::path_chapters);
    at = hangs ? std::next(at) : chapters_.erase(at);
  }
  std::erase_if(parents, [&](const auto& each) { return !chapters_.contains(each.first); });
}

// The key in use: the word of the highest authority about it, of one authority the newest; then on
// along the chapter's own rotations. And what is left of the keys before, when that word lists it.
std::pair<PublicKey, std::optional<Authority::Trust>> Authority::key_of(
    const KnownChapter& known, const std::vector<const Signed*>& successors) const {
  using Word = std::tuple<int, std::uint64_t, StatementId>;  // smaller is stronger
  const int depth = static_cast<int>(known.certificate.above.size());
  Word strongest{depth, UINT64_MAX - known.number, statement_id(known.statement)};
  PublicKey key = known.certificate.authority;
  const Signed* word = nullptr;
  for (const Signed* each : successors) {
    const auto& successor = std::get<Successor>(each->statement.body);
    const auto issuer = chapters_.find(each->statement.issuer);
    if (successor.by == SuccessorBy::rotation || issuer == chapters_.end()) continue;
    const int rank = successor.by == SuccessorBy::recovery
                         ? -1
                         : static_cast<int>(issuer->second.certificate.above.size()) + 1;
    const Word said{rank, UINT64_MAX - each->statement.number, each->id};
    if (said >= strongest) continue;
    strongest = said;
    key = successor.authority;
    word = each;
  }
  std::optional<Trust> trust;
  if (word != nullptr && std::get<Successor>(word->statement.body).stands)
    trust = trust_of(*word, successors);
  follow_rotations(successors, key, trust);
  return {key, std::move(trust)};
}

// Successors by one authority with one new key add up.
Authority::Trust Authority::trust_of(const Signed& word,
                                     const std::vector<const Signed*>& successors) {
  const auto& chosen = std::get<Successor>(word.statement.body);
  Trust trust{{chosen.authority}, {}};
  for (const Signed* each : successors) {
    const auto& successor = std::get<Successor>(each->statement.body);
    if (each->statement.issuer == word.statement.issuer && successor.by == chosen.by &&
        successor.authority == chosen.authority && successor.stands)
      trust.listed.insert(successor.stands->begin(), successor.stands->end());
  }
  return trust;
}

void Authority::follow_rotations(const std::vector<const Signed*>& successors,
                                 PublicKey& key,
                                 std::optional<Trust>& trust) {
  std::set<PublicKey> seen{key};
  for (bool goes_on = true; goes_on;) {
    const Signed* next = nullptr;
    for (const Signed* each : successors) {
      const auto& successor = std::get<Successor>(each->statement.body);
      if (successor.by != SuccessorBy::rotation || each->key != key) continue;
      if (trust) trust->keys.insert(successor.authority);
      if (next == nullptr ||
          is_newer(each->statement.number, each->bytes, next->statement.number, next->bytes))
        next = each;
    }
    if (next != nullptr) key = std::get<Successor>(next->statement.body).authority;
    goes_on = next != nullptr && seen.insert(key).second;
  }
}

// Of a chapter that was not known; all else is worked out anew.
bool Authority::take_chapter(const Signed& statement) {
  const auto& certificate = std::get<ChapterCertificate>(statement.statement.body);
  const KnownChapter* parent = chapter(statement.statement.issuer);
  if (parent == nullptr || parent->certificate.above.size() >= limits::path_chapters) return false;
  KnownChapter known{certificate, statement.statement.number, statement.bytes};
  known.certificate.above = parent->certificate.above;
  known.certificate.above.push_back(statement.statement.issuer);
  keys_[certificate.chapter] = {certificate.authority};
  standing_.parents[certificate.chapter] = statement.statement.issuer;
  chapters_[certificate.chapter] = std::move(known);
  ++version_;
  // One that waited for this may count now.
  if (!revocations_.empty() || !closings_.empty()) ++cut_version_;
  return true;
}

bool Authority::take_node(const Signed& statement) {
  const auto& certificate = std::get<NodeCertificate>(statement.statement.body);
  const KnownChapter* home = chapter(certificate.chapter);
  if (home == nullptr) return false;
  const bool has_agreed = note_agreed(statement);
  const ChapterId& issuer = statement.statement.issuer;
  const bool by_own = issuer == certificate.chapter;
  // Only the parent of today: the one that was left appoints nobody any more.
  if (!by_own && (home->certificate.above.empty() || home->certificate.above.back() != issuer))
    return false;
  if (const KnownNode* known = node(certificate.node)) {
    // What its own chapter says of a node stands before what the one above says.
    const bool known_by_own = known->issuer == known->certificate.chapter;
    const bool is_news = by_own != known_by_own
                             ? by_own
                             : is_newer(statement.statement.number, statement.bytes, known->number,
                                        known->statement);
    if (!is_news) return has_agreed;
  }
  nodes_[certificate.node] =
      KnownNode{certificate, issuer, statement.statement.number, statement.bytes};
  ++version_;
  if (!revocations_.empty() || voids_) ++cut_version_;
  return true;
}

const KnownMove* Authority::move_of(const ChapterId& id) const {
  const auto at = moves_.find(id);
  return at == moves_.end() ? nullptr : &at->second;
}

std::vector<Bytes> Authority::line(const ChapterId& id) const {
  // In the order in which they were verified here, they can be verified there.
  std::vector<Bytes> statements;
  std::set<ChapterId> line = ever_above(id);
  line.insert(id);
  for (const Signed& statement : signed_) {
    const auto subject = subject_of(statement);
    if (subject && line.contains(*subject) && stands(statement, standing_))
      statements.push_back(statement.bytes);
  }
  // Limit: of more changes than a HELLO has room for, the newest; a peer knows the others.
  constexpr std::size_t most = limits::chain_statements - 2;  // a node's, and a child's
  if (statements.size() > most)
    statements.erase(statements.begin(), statements.end() - static_cast<std::ptrdiff_t>(most));
  return statements;
}

std::vector<Bytes> Authority::chain(const PublicKey& key) const {
  const KnownNode* known = node(key);
  if (known == nullptr) return {};
  std::vector<Bytes> statements = line(known->certificate.chapter);
  statements.push_back(known->statement);
  return statements;
}

std::vector<StatementId> Authority::statements_of(const ChapterId& issuer) const {
  std::vector<StatementId> ids;
  for (const Signed& statement : signed_) {
    if (!stands(statement, standing_)) continue;
    if (statement.statement.issuer == issuer) ids.push_back(statement.id);
    if (statement.agreed && statement.agreed_by == issuer) ids.push_back(statement.agreed_id);
  }
  return ids;
}

std::vector<PublicKey> Authority::keys_of(const ChapterId& id) const {
  const auto keys = keys_.find(id);
  if (keys == keys_.end()) return {};
  return {keys->second.begin(), keys->second.end()};
}

std::uint64_t Authority::next_number(const ChapterId& id) const {
  std::uint64_t most = 0;
  for (const Signed& statement : signed_) {
    if (subject_of(statement) != id && !statement.agreed) continue;
    most = std::max({most, statement.statement.number, statement.agreed_number});
  }
  return most + 1;
}

}  // namespace chapterd
