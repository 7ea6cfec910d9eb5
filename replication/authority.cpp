// Taking statements: shape, signature and scope, each judged once. What they are worth together:
// authority_standing.cpp.
#include "replication/authority.h"

#include "base/contract.h"

#include <algorithm>
#include <utility>

namespace chapterd {
namespace {

tl::unexpected<Error> beyond_scope(const char* what) {
  return fail(Errc::not_allowed, "authority.scope", what, "Nothing was taken from it.");
}

// A move that is still to come may make it right.
tl::unexpected<Error> out_of_place(const char* what) {
  return fail(Errc::not_found, "authority.scope", what, "Nothing was taken from it.");
}

tl::unexpected<Error> unsigned_by_issuer() {
  return fail(Errc::not_found, "authority.signature", "The signature of a statement is wrong.",
              "Nothing was taken from it.");
}

template <class Key>
void add_once(std::vector<Key>& keys, const Key& key) {
  if (std::ranges::find(keys, key) == keys.end()) keys.push_back(key);
}

}  // namespace

Result<Authority> Authority::found(ByteView genesis) {
  auto decoded = decode_genesis(genesis);
  if (!decoded) return forward(decoded);
  Authority authority;
  authority.federation_ = federation_id(genesis);
  authority.genesis_.assign(genesis.begin(), genesis.end());
  authority.root_ = decoded->chapter;
  authority.founding_ = std::move(*decoded);
  authority.keys_ever_[authority.root_] = {authority.founding_.authority};
  authority.work_out();
  return authority;
}

Result<Applied> Authority::apply(ByteView bytes) {
  auto applied = take_in(bytes);
  if (applied) try_waiting();
  return applied;
}

Result<Applied> Authority::take_in(ByteView bytes) {
  if (ids_.contains(statement_id(bytes))) return Applied::known;
  auto statement = verified(bytes);
  if (!statement) return forward(statement);
  // A later kind of statement is kept in its feed, passed on, and has no effect here.
  if (std::holds_alternative<UnknownStatement>(statement->statement.body)) return Applied::known;
  const bool others = changes_others(*statement);
  note_ever(*statement);
  ids_.insert(statement->id);
  signed_.push_back(std::move(*statement));
  if (others) {
    work_out();
    return Applied::news;
  }
  const Signed& kept = signed_.back();
  return stands(kept, standing_) && take(kept) ? Applied::news : Applied::known;
}

// Adds what a statement that stands says. Returns whether it changed anything.
bool Authority::take(const Signed& statement) {
  const auto& body = statement.statement.body;
  if (std::holds_alternative<ChapterCertificate>(body)) return take_chapter(statement);
  if (std::holds_alternative<NodeCertificate>(body)) return take_node(statement);
  if (const auto* revoke = std::get_if<Revoke>(&body)) {
    revocations_.emplace(revoke->node,
                         Revocation{statement.statement.issuer, *revoke, statement.bytes});
  } else if (const auto* admit = std::get_if<Admit>(&body)) {
    admissions_.emplace(statement.id, Admission{statement.statement.issuer, *admit});
  } else if (const auto* close = std::get_if<Close>(&body)) {
    closings_.emplace(statement.id, Closing{statement.statement.issuer, *close});
  } else if (const auto* handover = std::get_if<Handover>(&body)) {
    handovers_.emplace(handover->node, KnownHandover{statement.statement.issuer, *handover});
    ++version_;
    return true;  // no cut moves
  } else {
    return false;
  }
  ++version_;
  ++cut_version_;
  return true;
}

bool Authority::apply_or_keep(ByteView bytes) {
  const std::uint64_t before = version_;
  const auto applied = apply(bytes);
  if (!applied && applied.error().kind == Errc::not_found) {
    Waiting waiting{Bytes(bytes.begin(), bytes.end()), {}, {}};
    const std::string& code = applied.error().code;
    if (code == "authority.signature" || code == "authority.issuer") {
      waiting.issuer = decode_statement(bytes)->issuer;
      waiting.keys = count_keys(waiting.issuer);
    }
    waiting_.push_back(std::move(waiting));
  }
  return version_ != before;
}

// What waited for a statement may be next, whichever way that one came; what still waits goes back
// into the list.
void Authority::try_waiting() {
  if (waiting_.empty() || std::exchange(tried_with_, signed_.size()) == signed_.size()) return;
  for (Waiting& kept : std::exchange(waiting_, {})) {
    // No key of its issuer has come since: the signature need not be tried again.
    const bool is_in_vain = kept.keys && *kept.keys == count_keys(kept.issuer);
    if (is_in_vain) {
      waiting_.push_back(std::move(kept));
    } else {
      apply_or_keep(kept.statement);
    }
  }
}

const std::vector<PublicKey>& Authority::keys_ever(const ChapterId& chapter) const {
  static const std::vector<PublicKey> none;
  const auto keys = keys_ever_.find(chapter);
  return keys == keys_ever_.end() ? none : keys->second;
}

std::size_t Authority::count_keys(const ChapterId& issuer) const {
  return keys_ever(issuer).size();
}

Result<Authority::Signed> Authority::verified(ByteView bytes) const {
  auto statement = decode_statement(bytes);
  if (!statement) return forward(statement);
  const auto* successor = std::get_if<Successor>(&statement->body);
  std::optional<PublicKey> key;
  if (!keys_ever_.contains(statement->issuer)) {
    return fail(Errc::not_found, "authority.issuer",
                "A statement is signed by a chapter that is not known here yet.");
  }
  if (successor != nullptr && successor->by == SuccessorBy::recovery) {
    if (recovery_hash(successor->recovery) == founding_.recovery &&
        verify_statement(federation_, bytes, successor->recovery))
      key = successor->recovery;
  } else {
    key = signer_of(statement->issuer, bytes);
  }
  if (!key) return unsigned_by_issuer();
  Signed checked;
  checked.statement = std::move(*statement);
  checked.bytes.assign(bytes.begin(), bytes.end());
  checked.id = statement_id(bytes);
  checked.key = *key;
  if (auto passed = check(checked); !passed) return forward(passed);
  return checked;
}

// The key of the issuer, in use or an earlier one, that made this signature.
std::optional<PublicKey> Authority::signer_of(const ChapterId& issuer, ByteView bytes) const {
  const std::vector<PublicKey>& known = keys_ever(issuer);
  const auto key = std::ranges::find_if(
      known, [&](const PublicKey& each) { return verify_statement(federation_, bytes, each); });
  return key == known.end() ? std::nullopt : std::optional(*key);
}

Result<void> Authority::check(Signed& signed_one) const {
  const Statement& statement = signed_one.statement;
  if (const auto* certificate = std::get_if<ChapterCertificate>(&statement.body)) {
    if (certificate->chapter != chapter_id_below(statement.issuer, certificate->code))
      return beyond_scope("A chapter certificate claims a chapter that is not its issuer's.");
    return check_chapter(statement.issuer, *certificate);
  }
  if (std::holds_alternative<NodeCertificate>(statement.body)) return check_node(statement);
  if (std::holds_alternative<Successor>(statement.body)) return check_successor(statement);
  if (std::holds_alternative<Move>(statement.body)) return check_move(signed_one);
  return {};
}

Result<void> Authority::check_chapter(const ChapterId& issuer,
                                      const ChapterCertificate& certificate) const {
  ChapterPath above{issuer, certificate.above};
  above.above.pop_back();  // the decoder saw that there is one
  if (certificate.above.back() != issuer || !was_path(above))
    return out_of_place("A chapter certificate names another path than its issuer's.");
  const auto level = least_level_.find(issuer);
  if (certificate.level <= (level == least_level_.end() ? 0 : level->second))
    return out_of_place("A chapter certificate claims the level of its issuer or a higher one.");
  return {};
}

Result<void> Authority::check_node(const Statement& statement) const {
  const auto& certificate = std::get<NodeCertificate>(statement.body);
  if (!keys_ever_.contains(certificate.chapter)) {
    return fail(Errc::not_found, "authority.chapter",
                "A node certificate names a chapter that is not known here yet.");
  }
  const auto parents = parents_ever_.find(certificate.chapter);
  const bool by_own = statement.issuer == certificate.chapter;
  const bool by_parent =
      parents != parents_ever_.end() && parents->second.contains(statement.issuer);
  if (!by_own && !by_parent)
    return out_of_place("A node certificate comes from neither its chapter nor the one above.");
  if (!verify_node_proof(federation_, certificate))
    return beyond_scope("A node certificate claims a key that did not agree to it.");
  return {};
}

Result<void> Authority::check_successor(const Statement& statement) const {
  const auto& successor = std::get<Successor>(statement.body);
  if (!keys_ever_.contains(successor.chapter)) {
    return fail(Errc::not_found, "authority.chapter",
                "A successor is named for a chapter that is not known here yet.");
  }
  const bool by_own = statement.issuer == successor.chapter;
  if (by_own != (successor.by != SuccessorBy::above))
    return beyond_scope("A successor is named by another authority than it says.");
  if (successor.by == SuccessorBy::recovery && statement.issuer != root_)
    return beyond_scope("The recovery key speaks for the global chapter alone.");
  if (successor.by == SuccessorBy::above && !was_above(statement.issuer, successor.chapter))
    return out_of_place("A successor is named by a chapter that does not stand above.");
  if (!verify_acceptance(federation_, successor))
    return beyond_scope("A successor names a key that did not agree to it.");
  return {};
}

Result<void> Authority::check_move(Signed& signed_one) const {
  const ChapterId& issuer = signed_one.statement.issuer;
  const auto& move = std::get<Move>(signed_one.statement.body);
  auto inner = decode_statement(move.certificate);
  if (!inner) return forward(inner);
  auto* certificate = std::get_if<ChapterCertificate>(&inner->body);
  if (certificate == nullptr || certificate->chapter == root_)
    return beyond_scope("A move does not say what becomes of which chapter.");
  if (!keys_ever_.contains(inner->issuer) || !keys_ever_.contains(certificate->chapter)) {
    return fail(Errc::not_found, "authority.chapter",
                "A move names a chapter that is not known here yet.");
  }
  const auto key = signer_of(inner->issuer, move.certificate);
  if (!key) return out_of_place("The new parent did not sign the certificate inside a move.");
  if (auto placed = check_chapter(inner->issuer, *certificate); !placed) return placed;
  const bool is_above_both = was_above(issuer, certificate->chapter) &&
                             (issuer == inner->issuer || was_above(issuer, inner->issuer));
  if (!is_above_both)
    return out_of_place("A move is signed by a chapter that does not stand above both parents.");
  if (std::ranges::find(certificate->above, certificate->chapter) != certificate->above.end())
    return beyond_scope("A move puts a chapter below itself.");
  signed_one.agreed_by = inner->issuer;
  signed_one.agreed_number = inner->number;
  signed_one.agreed_id = statement_id(move.certificate);
  signed_one.agreed_key = *key;
  signed_one.agreed = std::move(*certificate);
  return {};
}

// What was once certified can be checked for ever, whether it still stands or not.
void Authority::note_ever(const Signed& statement) {
  const auto place = [&](const ChapterId& parent, const ChapterCertificate& certificate) {
    add_once(keys_ever_[certificate.chapter], certificate.authority);
    parents_ever_[certificate.chapter].insert(parent);
    const auto [level, is_new] = least_level_.try_emplace(certificate.chapter, certificate.level);
    level->second = std::min(level->second, certificate.level);
  };
  const auto& body = statement.statement.body;
  if (const auto* certificate = std::get_if<ChapterCertificate>(&body))
    place(statement.statement.issuer, *certificate);
  if (const auto* successor = std::get_if<Successor>(&body))
    add_once(keys_ever_[successor->chapter], successor->authority);
  if (const auto* move = std::get_if<Move>(&body)) {
    place(statement.agreed_by, *statement.agreed);
    for (const PublicKey& key : move->keys) add_once(keys_ever_[statement.agreed->chapter], key);
  }
}

bool Authority::changes_others(const Signed& statement) const {
  const auto& body = statement.statement.body;
  if (const auto* certificate = std::get_if<ChapterCertificate>(&body))
    return keys_ever_.contains(certificate->chapter);
  return std::holds_alternative<Successor>(body) || std::holds_alternative<Move>(body);
}

bool Authority::was_path(const ChapterPath& path) const {
  if (path.above.empty()) return path.chapter == root_;
  const auto parents = parents_ever_.find(path.chapter);
  if (parents == parents_ever_.end() || !parents->second.contains(path.above.back())) return false;
  return was_path({path.above.back(), {path.above.begin(), path.above.end() - 1}});
}

std::set<ChapterId> Authority::ever_above(const ChapterId& id) const {
  std::set<ChapterId> above;
  std::vector<ChapterId> left{id};
  while (!left.empty()) {
    const auto parents = parents_ever_.find(left.back());
    left.pop_back();
    if (parents == parents_ever_.end()) continue;
    for (const ChapterId& parent : parents->second) {
      if (above.insert(parent).second) left.push_back(parent);
    }
  }
  return above;
}

bool Authority::was_above(const ChapterId& ancestor, const ChapterId& id) const {
  return ever_above(id).contains(ancestor);
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

}  // namespace chapterd
