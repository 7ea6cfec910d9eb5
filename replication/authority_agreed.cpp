// Which nodes of a chapter belong together: by what each of them agreed to, not by what is said of
// them. A chapter above may name another authority key for a chapter, and certify with it whom it
// likes; that makes nobody a reader of what the chapter keeps for itself.
#include "replication/authority.h"

#include <algorithm>

namespace chapterd {

void Authority::note_carried(const PublicKey& author, ByteView bytes) {
  const auto statement = decode_statement(bytes);
  if (!statement) return;
  const auto* certificate = std::get_if<NodeCertificate>(&statement->body);
  if (certificate == nullptr || certificate->node != author) return;
  const StatementId id = statement_id(bytes);
  if (!carried_.insert(id).second || !ids_.contains(id)) return;
  // It came by another way before; nearly always just before.
  const auto known = std::find_if(signed_.rbegin(), signed_.rend(),
                                  [&](const Signed& each) { return each.id == id; });
  if (known == signed_.rend() || !stands(*known, standing_)) return;
  if (note_agreed(*known)) ++version_;
}

// Of a node certificate that stands. Returns whether it is news; the caller counts it.
bool Authority::note_agreed(const Signed& statement) {
  const auto& certificate = std::get<NodeCertificate>(statement.statement.body);
  if (statement.statement.issuer != certificate.chapter || !carried_.contains(statement.id))
    return false;
  return agreed_[certificate.chapter][certificate.node].insert(statement.key).second;
}

std::set<PublicKey> Authority::agreed_keys(const PublicKey& key) const {
  const KnownNode* known = node(key);
  const auto house = known == nullptr ? agreed_.end() : agreed_.find(known->certificate.chapter);
  if (house == agreed_.end()) return {};
  const auto own = house->second.find(key);
  if (own == house->second.end()) return {};
  std::set<PublicKey> keys = own->second;
  for (std::size_t before = 0; before != keys.size();) {
    before = keys.size();
    for (const auto& [other, its] : house->second) {
      const auto is_among = [&](const PublicKey& each) { return keys.contains(each); };
      if (std::ranges::any_of(its, is_among) && !is_revoked(other))
        keys.insert(its.begin(), its.end());
    }
  }
  return keys;
}

bool Authority::are_of_one_house(const PublicKey& one, const PublicKey& other) const {
  const KnownNode* a = node(one);
  const KnownNode* b = node(other);
  if (a == nullptr || b == nullptr) return false;
  const ChapterId& chapter = a->certificate.chapter;
  if (b->certificate.chapter != chapter || a->issuer != chapter || b->issuer != chapter)
    return false;
  if (one == other) return true;
  const std::set<PublicKey> keys = agreed_keys(one);
  const std::set<PublicKey> others = agreed_keys(other);
  return std::ranges::any_of(others, [&](const PublicKey& each) { return keys.contains(each); });
}

bool Authority::is_handed_over(const PublicKey& key, const Incarnation& life) const {
  const KnownNode* known = node(key);
  const auto [from, to] = handovers_.equal_range(key);
  return known != nullptr && std::any_of(from, to, [&](const auto& each) {
           const auto& [issuer, body] = each.second;
           return issuer == known->certificate.chapter &&
                  std::ranges::find(body.lives, life) != body.lives.end();
         });
}

}  // namespace chapterd
