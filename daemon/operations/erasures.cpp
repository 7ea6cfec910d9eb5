// Orders in force, and where they were obeyed.
#include "daemon/operations/erasures.h"

#include "replication/entitlement.h"
#include "replication/erasure.h"
#include "replication/stored_piece.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

namespace chapterd {
namespace {

using Json = nlohmann::json;

constexpr std::array<std::pair<EraseReason, std::string_view>, 5> reasons{{
    {EraseReason::unsaid, "unsaid"},
    {EraseReason::request, "request"},
    {EraseReason::withdrawn, "withdrawn"},
    {EraseReason::mistake, "mistake"},
    {EraseReason::duty, "duty"},
}};

std::optional<HeldOrder> held_order(Reader& reader, const OrderedErasure& named) {
  const auto stored = reader.piece_at(named.arrival);
  if (!stored || named.arrival < stored->arrival) throw Damaged("an erase order is missing");
  const Piece piece = decoded(*stored);
  const PieceEntry& entry = piece.entries.at(named.arrival.value - stored->arrival.value);
  auto order = decode_erase_order(entry.payload);
  if (!order) return std::nullopt;
  return HeldOrder{std::move(*order), named.feed, named.seq, named.arrival, entry.time};
}

// By whose word it is known that a node has obeyed; empty when it is not.
class Proofs {
 public:
  Proofs(Reader& reader, const Directory& directory, const HeldOrder& held)
      : directory_(directory), held_(held) {
    for (const StoredReceipt& receipt : reader.receipts_of(held.feed))
      if (receipt.seq >= held.seq) receipts_.insert(receipt.node);
    for (StoredPeer& peer : reader.peers()) peers_.emplace(peer.node, peer);
  }

  std::string of(const PublicKey& node) {
    constexpr auto live = static_cast<std::size_t>(Lane::live);
    if (node == directory_.self()) return "here";
    if (receipts_.contains(node)) return "receipt";
    const auto peer = peers_.find(node);
    const bool said = peer != peers_.end() && peer->second.acknowledged[live] >= held_.arrival;
    return said ? "acknowledged" : "";
  }

  // Whether its word can come here at all: it signs receipts for the feed, or is a neighbour that
  // exchanges with this node itself.
  bool can_come_from(const KnownNode& node) const {
    const Authority& authority = directory_.authority();
    const ChapterId& chapter = node.certificate.chapter;
    const auto is_right_above = [&](const ChapterId& one, const ChapterId& other) {
      const ChapterPath path = authority.path_of(other);
      return !path.above.empty() && path.above.back() == one;
    };
    const ChapterId own = directory_.chapter();
    return acknowledges(chapter, directory_.feed(held_.feed).intro) || chapter == own ||
           is_right_above(chapter, own) || is_right_above(own, chapter);
  }

  // When it was last heard by this node itself.
  Json heard_ms(const PublicKey& node) {
    const auto peer = peers_.find(node);
    return peer == peers_.end() || peer->second.heard_ms == 0 ? Json()
                                                              : Json(peer->second.heard_ms);
  }

 private:
  const Directory& directory_;
  const HeldOrder& held_;
  std::set<PublicKey> receipts_;
  std::map<PublicKey, StoredPeer> peers_;
};

// How links lie in a value (domain/record.h).
bool points_at(ByteView value, const RecordKey& key) {
  Bytes name(key.home.view().begin(), key.home.view().end());
  append(name, key.id.view());
  return std::ranges::search(value, name).begin() != value.end();
}

}  // namespace

std::optional<EraseReason> erase_reason_from(std::string_view word) {
  for (const auto& [reason, name] : reasons) {
    if (name == word) return reason;
  }
  return std::nullopt;
}

std::string name_of(EraseReason reason) {
  for (const auto& [known, name] : reasons) {
    if (known == reason) return std::string(name);
  }
  return "other";
}

std::vector<HeldOrder> held_orders(Reader& reader, const Directory& directory) {
  const Erasures erasures = Erasures::load(reader);
  std::map<Arrival, OrderedErasure> by_arrival;
  for (const auto& [hash, orders] : erasures.orders()) {
    for (const OrderedErasure& order : orders) by_arrival.emplace(order.arrival, order);
  }
  std::vector<HeldOrder> held;
  for (const auto& [arrival, named] : by_arrival) {
    if (named.feed.value > directory.feeds().size()) continue;
    if (named.seq > Directory::standing_head(directory.feed(named.feed)).seq) continue;
    if (auto order = held_order(reader, named)) held.push_back(std::move(*order));
  }
  return held;
}

Json order_json(const Directory& directory, const HeldOrder& held) {
  const FeedIntro& intro = directory.feed(held.feed).intro;
  return {{"record", to_text(held.order.record)},
          {"kind", held.order.kind},
          {"audience", name_of(intro.audience)},
          {"reason", name_of(held.order.reason)},
          {"entries", held.order.entries.size()},
          {"chapter", code_of(directory.authority(), intro.home.chapter)},
          {"time_ms", held.time.instant().ms},
          {"arrival", held.arrival.value}};
}

FeedIntro intro_of(const Directory& directory, const Address& address) {
  const Authority& authority = directory.authority();
  FeedIntro intro;
  intro.node = directory.self();
  intro.home = authority.path_of(directory.chapter());
  intro.audience = address.audience;
  if (address.audience == Audience::to) intro.target = authority.path_of(address.target);
  return intro;
}

Json holders_json(const Directory& directory, const FeedIntro& intro) {
  const Authority& authority = directory.authority();
  std::set<std::string> chapters;
  std::size_t nodes = 0;
  for (const KnownNode* node : authority.nodes()) {
    const PublicKey& key = node->certificate.node;
    if (key == directory.self() || !may_hold(authority, key, intro)) continue;
    ++nodes;
    chapters.insert(name_of(authority, node->certificate.chapter));
  }
  return {{"nodes", nodes}, {"chapters", chapters}};
}

Json nodes_json(Reader& reader, const Directory& directory, const HeldOrder& held) {
  const Authority& authority = directory.authority();
  const FeedIntro& intro = directory.feed(held.feed).intro;
  Proofs proofs(reader, directory, held);
  std::vector<Json> nodes;
  for (const KnownNode* node : authority.nodes()) {
    const PublicKey& key = node->certificate.node;
    if (!may_hold(authority, key, intro)) continue;
    const std::string proof = proofs.of(key);
    nodes.push_back({{"chapter", code_of(authority, node->certificate.chapter)},
                     {"name", name_of(authority, node->certificate.chapter)},
                     {"fingerprint", fingerprint(key)},
                     {"state", proof.empty() ? "unknown" : "erased"},
                     {"proof", proof.empty() ? Json() : Json(proof)},
                     {"can_come", proofs.can_come_from(*node)},
                     {"heard_ms", proofs.heard_ms(key)}});
  }
  std::ranges::sort(nodes, {}, [](const Json& node) { return node["chapter"].get<std::string>(); });
  return nodes;
}

Json linking_records(Reader& reader,
                     const Directory& directory,
                     const Kinds& kinds,
                     const RecordKey& key) {
  Json records = Json::array();
  for (const Kind* kind : kinds.records()) {
    for_each_record(reader, directory, kinds, kind->name, [&](const RecordView& view) {
      if (view.key == key) return true;
      for (const ShownField& field : view.fields) {
        if (std::ranges::none_of(field.values,
                                 [&](const Bytes& value) { return points_at(value, key); }))
          continue;
        records.push_back({{"id", to_text(view.key.id)},
                           {"home", code_of(directory.authority(), view.key.home)},
                           {"kind", view.kind},
                           {"title", title_of(view, kinds)},
                           {"field", field.name},
                           {"ours", view.key.home == directory.chapter()}});
        break;
      }
      return true;
    });
  }
  return records;
}

}  // namespace chapterd
