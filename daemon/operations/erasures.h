// What a node can say about erasures, and about a person: orders, holders, what points where.
#pragma once

#include "base/result.h"
#include "daemon/operations/held.h"
#include "daemon/operations/node_access.h"
#include "replication/format/erase_order.h"

#include <nlohmann/json_fwd.hpp>

#include <optional>
#include <string_view>
#include <vector>

namespace chapterd {

// "request": how a reason is called on the line; empty optional for an unknown word.
[[nodiscard]] std::optional<EraseReason> erase_reason_from(std::string_view word);
[[nodiscard]] std::string name_of(EraseReason reason);

// An order that is in force here.
struct HeldOrder {
  EraseOrder order;
  FeedRow feed;  // it stands in
  Sequence seq;
  Arrival arrival;
  HybridTime time;
};

// In order of arrival. Throws Damaged when the store's bytes are.
[[nodiscard]] std::vector<HeldOrder> held_orders(Reader& reader, const Directory& directory);
// {record, kind, audience, reason, entries, chapter, time_ms, arrival}.
[[nodiscard]] nlohmann::json order_json(const Directory& directory, const HeldOrder& held);

// The intro that a feed of this chapter for this address would have now, without incarnation.
[[nodiscard]] FeedIntro intro_of(const Directory& directory, const Address& address);
// {"nodes": n, "chapters": [names]}: who may hold such a feed, besides this node.
[[nodiscard]] nlohmann::json holders_json(const Directory& directory, const FeedIntro& intro);

// Every node that may hold the order's feed: {chapter, name, fingerprint, state, proof, can_come,
// heard_ms}. `can_come`: whether a proof of it can come to this node at all.
// The state is `erased` only when it was proved: here, by a receipt, or by what the node itself
// acknowledged to this one; else `unknown`.
[[nodiscard]] nlohmann::json nodes_json(Reader& reader,
                                        const Directory& directory,
                                        const HeldOrder& held);

// Records that point at this one: {id, home, kind, title, field, ours}.
[[nodiscard]] nlohmann::json linking_records(Reader& reader,
                                             const Directory& directory,
                                             const Kinds& kinds,
                                             const RecordKey& key);

// The verb report.subject: all that this node holds of one person.
[[nodiscard]] Result<nlohmann::json> subject_report(NodeAccess& node, const nlohmann::json& args);

}  // namespace chapterd
