// Verbs that erase, and that tell how far an erasure has got.
#include "base/contract.h"
#include "daemon/operations/arguments.h"
#include "daemon/operations/erasures.h"
#include "daemon/operations/held.h"
#include "daemon/operations/verbs.h"
#include "daemon/operations/writing.h"
#include "domain/names.h"
#include "replication/format/limits.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <memory>
#include <set>

namespace chapterd {
namespace {

using Json = nlohmann::json;

// What a person asked for.
struct Wish {
  std::string id;
  std::string field;     // empty: the whole record
  std::string audience;  // empty: every layer
  EraseReason reason = EraseReason::unsaid;
};

// What follows from it in one layer.
struct LayerPlan {
  Erasing erasing;
  std::set<std::string> fields;   // written by the entries that go
  std::vector<LayerChange> kept;  // values of other fields that stood in the same entries
};

struct Plan {
  RecordKey key;
  std::string kind;
  std::string title;
  std::vector<LayerPlan> layers;
  std::shared_ptr<const SigningKey> authority;  // the layers' orders borrow it
};

Result<Wish> wish_from(const Json& args) {
  Arguments in(args);
  Wish wish;
  wish.id = in.text("id");
  wish.field = in.text_or("field", "");
  wish.audience = in.text_or("audience", "");
  const std::string reason = in.text_or("reason", "unsaid");
  if (auto done = in.done(); !done) return forward(done);
  const auto known = erase_reason_from(reason);
  if (!known) {
    return fail(Errc::usage, "erase.reason", shown(reason) + " is no reason that is known.",
                "Nothing was changed.", "Take one of: request, withdrawn, mistake, duty.");
  }
  wish.reason = *known;
  return wish;
}

// "phone", or one key of it: "title/fr".
bool is_meant(std::string_view field, const std::string& wanted) {
  return wanted.empty() || field == wanted || split_name(field).field == wanted;
}

bool writes_meant(const ChangeView& change, const std::string& wanted) {
  return std::ranges::any_of(
      change.operations, [&](const OperationView& each) { return is_meant(each.field, wanted); });
}

// The values of other fields, so that they outlive the entries that they stand in.
std::vector<LayerChange> kept_values(const LayerState& state,
                                     const LayerPlan& plan,
                                     const Change& empty,
                                     const std::string& wanted) {
  std::set<std::uint64_t> erased;
  for (const EntryHash& hash : plan.erasing.entries) erased.insert(name_part(hash));
  std::vector<LayerChange> changes;
  std::size_t bytes = 0;
  for (const LayerField& field : state.fields) {
    if (is_meant(field.field, wanted)) continue;
    for (const FieldValue& value : field.values) {
      if (!erased.contains(value.name.entry)) continue;
      if (changes.empty() || bytes > limits::payload_bytes / 2) {
        changes.push_back({plan.erasing.address.audience, plan.erasing.address.target, empty});
        bytes = 0;
      }
      bytes += value.value.size() + field.field.size() + 32;
      changes.back().change.operations.push_back({std::string(field.field),
                                                  value.action,
                                                  Bytes(value.value.begin(), value.value.end()),
                                                  {value.name}});
    }
  }
  return changes;
}

LayerPlan plan_layer(Replica& replica, const HeldLayer& held, const Wish& wish) {
  LayerPlan plan;
  plan.erasing.address = {held.space.audience, held.space.target};
  plan.erasing.record = held.layer.record;
  plan.erasing.reason = wish.reason;
  Change empty{held.layer.record, replica.directory().kind(held.layer.kind), 0, {}};
  for (const LayerEntry& entry : replica.entries_in(held.space.row, held.layer.record)) {
    ChangeView change;
    if (entry.kind != EntryKind::data || entry.erased) continue;
    if (!decode_change(entry.payload, change) || !writes_meant(change, wish.field)) continue;
    plan.erasing.entries.push_back(entry.place.hash);
    empty.schema = std::max(empty.schema, change.schema);
    for (const OperationView& each : change.operations) {
      if (is_meant(each.field, wish.field)) plan.fields.emplace(each.field);
    }
  }
  const auto state = decode_layer(held.layer.state);
  if (!state) throw Damaged(state.error());
  if (!wish.field.empty()) plan.kept = kept_values(*state, plan, empty, wish.field);
  return plan;
}

Result<Plan> plan_for(Replica& replica, const NodeParts& parts, const Wish& wish) {
  const auto record = find_record(replica, wish.id);
  if (!record) return forward(record);
  const Directory& directory = replica.directory();
  if (record->key.home != directory.chapter()) {
    return fail(Errc::not_allowed, "record.not-ours",
                "This record belongs to " + name_of(directory.authority(), record->key.home) +
                    "; only its home can have it erased.",
                "Nothing was changed.", "Ask that chapter to give the same command.");
  }
  if (auto checked = check_may_write(directory); !checked) return forward(checked);
  const bool is_private_meant =
      wish.audience.empty() || wish.audience == name_of(Audience::chapter);
  if (record->is_locked && is_private_meant) return chapter_locked();
  Plan plan{record->key,
            record->kind,
            title_of(view_of(*record, parts.kinds), parts.kinds),
            {},
            parts.authority.get()};
  for (const HeldLayer& held : record->layers) {
    if (!wish.audience.empty() && name_of(held.space.audience) != wish.audience) continue;
    LayerPlan layer = plan_layer(replica, held, wish);
    layer.erasing.authority = plan.authority.get();
    if (layer.erasing.entries.empty()) continue;
    if (auto checked = check_changes(replica, layer.kept); !checked) return forward(checked);
    if (auto checked = replica.check_erase(layer.erasing); !checked) return forward(checked);
    plan.layers.push_back(std::move(layer));
  }
  if (!plan.layers.empty()) return plan;
  return fail(Errc::not_found, "erase.nothing",
              wish.field.empty() ? "Nothing of this record is left to be erased here."
                                 : "Nothing was ever written into " + shown(wish.field) +
                                       " of this record, or it is erased already.",
              "Nothing was changed.", "See what it holds with: chapterd explain " + wish.id);
}

Json names_of(const std::vector<LayerChange>& changes) {
  std::set<std::string> names;
  for (const LayerChange& each : changes) {
    for (const Operation& operation : each.change.operations) names.insert(operation.field);
  }
  return names;
}

Result<Json> preview(NodeAccess& node, const Json& args) {
  const auto wish = wish_from(args);
  if (!wish) return forward(wish);
  return node.write([&](Replica& replica) -> Result<Json> {
    const auto plan = plan_for(replica, node.parts(), *wish);
    if (!plan) return forward(plan);
    const Directory& directory = replica.directory();
    Json layers = Json::array();
    for (const LayerPlan& layer : plan->layers) {
      const FeedIntro intro = intro_of(directory, layer.erasing.address);
      layers.push_back({{"audience", name_of(layer.erasing.address.audience)},
                        {"entries", layer.erasing.entries.size()},
                        {"fields", layer.fields},
                        {"kept", names_of(layer.kept)},
                        {"holders", holders_json(directory, intro)}});
    }
    return Json{
        {"id", to_text(plan->key.id)},
        {"kind", plan->kind},
        {"title", plan->title},
        {"field", wish->field},
        {"layers", std::move(layers)},
        {"linked", linking_records(replica.store(), directory, node.parts().kinds, plan->key)}};
  });
}

Result<Json> erase(NodeAccess& node, const Json& args) {
  const auto wish = wish_from(args);
  if (!wish) return forward(wish);
  return node.write([&](Replica& replica) -> Result<Json> {
    auto plan = plan_for(replica, node.parts(), *wish);
    if (!plan) return forward(plan);
    Json orders = Json::array();
    for (const LayerPlan& layer : plan->layers) {
      const auto written = replica.erase(layer.erasing);
      CHECK(written.has_value());  // check_erase() asked for all that erase() may refuse
      for (const Written& order : *written) {
        const Head& head = replica.directory().feed(order.feed).head;
        orders.push_back({{"audience", name_of(layer.erasing.address.audience)},
                          {"feed", to_hex(head.feed.view())},
                          {"seq", order.seq.value},
                          {"arrival", order.arrival.value}});
      }
      for (const LayerChange& change : layer.kept) {
        const auto kept = replica.write(Address{change.audience, change.target}, change.change);
        CHECK(kept.has_value());  // check_changes() asked for all that write() may refuse
      }
    }
    std::size_t entries = 0;
    for (const LayerPlan& layer : plan->layers) entries += layer.erasing.entries.size();
    return Json{{"id", to_text(plan->key.id)},
                {"kind", plan->kind},
                {"entries", entries},
                {"orders", std::move(orders)}};
  });
}

Result<Json> list_orders(NodeAccess& node, const Json& args) {
  if (auto done = Arguments(args).done(); !done) return forward(done);
  return node.read([](Reader& reader, const Directory& directory) -> Result<Json> {
    Json orders = Json::array();
    for (const HeldOrder& held : held_orders(reader, directory))
      orders.push_back(order_json(directory, held));
    return Json{{"orders", std::move(orders)}};
  });
}

Result<Json> report(NodeAccess& node, const Json& args) {
  Arguments in(args);
  const std::string id = in.text("id");
  if (auto done = in.done(); !done) return forward(done);
  return node.read([&](Reader& reader, const Directory& directory) -> Result<Json> {
    const auto link = link_from(id, directory.chapter());
    if (!link) return unknown_record(id);
    Json orders = Json::array();
    for (const HeldOrder& held : held_orders(reader, directory)) {
      if (held.order.record != link->record.id) continue;
      Json json = order_json(directory, held);
      json["nodes"] = nodes_json(reader, directory, held);
      orders.push_back(std::move(json));
    }
    if (orders.empty()) {
      return fail(Errc::not_found, "erase.no-order",
                  "No order to erase anything of " + shown(id) + " is known here.",
                  "Nothing was changed.", "See all orders with: chapterd erase list");
    }
    return Json{{"id", to_text(link->record.id)},
                {"orders", std::move(orders)},
                {"linked", linking_records(reader, directory, node.parts().kinds, link->record)}};
  });
}

constexpr std::array verbs{
    Verb{"erase.preview", Needs::nothing, preview},
    Verb{"erase.record", Needs::nothing, erase},
    Verb{"erase.list", Needs::nothing, list_orders},
    Verb{"erase.report", Needs::nothing, report},
    Verb{"report.subject", Needs::nothing, subject_report},
};

}  // namespace

std::span<const Verb> erase_verbs() {
  return verbs;
}

}  // namespace chapterd
