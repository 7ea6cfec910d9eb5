// Merging of changes into layers, and the bytes that the store keeps of a layer.
#include "replication/merge.h"

#include "base/byte_stream.h"

#include <algorithm>

namespace chapterd {
namespace {

LayerField& field_named(LayerState& layer, std::string_view name) {
  const auto at = std::lower_bound(
      layer.fields.begin(), layer.fields.end(), name,
      [](const LayerField& field, std::string_view key) { return field.field < key; });
  if (at != layer.fields.end() && at->field == name) return *at;
  return *layer.fields.insert(at, LayerField{name, {}, {}});
}

auto place_of(std::vector<FieldValue>& values, const ValueName& name) {
  return std::lower_bound(
      values.begin(), values.end(), name,
      [](const FieldValue& value, const ValueName& key) { return value.name < key; });
}

void supersede(LayerField& field, const ValueName& name) {
  const auto value = place_of(field.values, name);
  if (value != field.values.end() && value->name == name) {
    field.values.erase(value);
    return;
  }
  const auto awaited = std::lower_bound(field.awaited.begin(), field.awaited.end(), name);
  if (awaited == field.awaited.end() || *awaited != name) field.awaited.insert(awaited, name);
}

void put_value(LayerField& field, const FieldValue& value) {
  const auto awaited = std::lower_bound(field.awaited.begin(), field.awaited.end(), value.name);
  if (awaited != field.awaited.end() && *awaited == value.name) {
    field.awaited.erase(awaited);
    return;
  }
  field.values.insert(place_of(field.values, value.name), value);
}

void drop_empty_fields(LayerState& layer) {
  std::erase_if(layer.fields, [](const LayerField& field) {
    return field.values.empty() && field.awaited.empty();
  });
}

void write_values(ByteWriter& out, const LayerField& field) {
  out.sized_text(field.field).varint(field.values.size());
  for (const FieldValue& value : field.values) {
    out.u64(value.name.entry).varint(value.name.operation);
    out.u8(static_cast<std::uint8_t>(value.action)).u64(value.time.value).sized_bytes(value.value);
  }
}

void write_head(ByteWriter& out, const LayerState& layer, std::size_t fields) {
  out.varint(layer.changes).u64(layer.newest.value).fixed(layer.newest_entry).varint(fields);
}

FieldValue read_value(ByteReader& in) {
  FieldValue value;
  value.name.entry = in.u64();
  value.name.operation = static_cast<std::uint16_t>(in.varint());
  value.action = static_cast<Action>(in.u8());
  value.time = HybridTime{in.u64()};
  value.value = in.sized_bytes(in.remaining());
  return value;
}

LayerField read_field(ByteReader& in) {
  LayerField field;
  field.field = in.sized_text(in.remaining());
  const std::uint64_t values = in.varint();
  if (values > in.remaining()) in.mark_bad();
  if (in.good()) field.values.reserve(values);
  for (std::uint64_t i = 0; i < values && in.good(); ++i) field.values.push_back(read_value(in));
  const std::uint64_t awaited = in.varint();
  for (std::uint64_t i = 0; i < awaited && in.good(); ++i) {
    const std::uint64_t entry = in.u64();
    field.awaited.push_back({entry, static_cast<std::uint16_t>(in.varint())});
  }
  return field;
}

}  // namespace

Bytes encode(const LayerState& layer) {
  ByteWriter out(512);
  write_head(out, layer, layer.fields.size());
  for (const LayerField& field : layer.fields) {
    write_values(out, field);
    out.varint(field.awaited.size());
    for (const ValueName& name : field.awaited) out.u64(name.entry).varint(name.operation);
  }
  return out.take();
}

Bytes shown(const LayerState& layer) {
  const auto has_values = [](const LayerField& field) { return !field.values.empty(); };
  ByteWriter out(512);
  write_head(out, layer,
             static_cast<std::size_t>(
                 std::count_if(layer.fields.begin(), layer.fields.end(), has_values)));
  for (const LayerField& field : layer.fields) {
    if (has_values(field)) write_values(out, field);
  }
  return out.take();
}

bool is_blank(ByteView layer) {
  // The number of changes comes first. A damaged layer is not taken for one that shows nothing.
  return !layer.empty() && layer.front() == 0;
}

Result<LayerState> decode_layer(ByteView bytes) {
  ByteReader in(bytes);
  LayerState layer;
  layer.changes = static_cast<std::uint32_t>(in.varint());
  layer.newest = HybridTime{in.u64()};
  layer.newest_entry = in.fixed<EntryHash>();
  const std::uint64_t fields = in.varint();
  if (fields > in.remaining()) in.mark_bad();
  if (in.good()) layer.fields.reserve(fields);
  for (std::uint64_t i = 0; i < fields && in.good(); ++i) layer.fields.push_back(read_field(in));
  if (!in.finished()) {
    return fail(Errc::check_failed, "store.damaged-layer",
                "A merged record in the database is damaged.",
                "The signed entries that it was made of are kept apart from it.",
                "Run 'chapterd verify', then 'chapterd rebuild'.");
  }
  return layer;
}

void merge_order(LayerState& layer, const EraseOrder& order) {
  for (const Superseded& each : order.superseded) {
    LayerField& field = field_named(layer, each.field);
    for (const ValueName& name : each.names) supersede(field, name);
  }
  drop_empty_fields(layer);
}

void merge(LayerState& layer, const ChangeView& change, const EntryHash& entry, HybridTime time) {
  layer.changes += 1;
  if (std::tie(time, entry) > std::tie(layer.newest, layer.newest_entry)) {
    layer.newest = time;
    layer.newest_entry = entry;
  }
  const std::uint64_t name = name_part(entry);
  for (std::size_t i = 0; i < change.operations.size(); ++i) {
    const OperationView& operation = change.operations[i];
    LayerField& field = field_named(layer, operation.field);
    for (const ValueName& superseded : change.supersedes(operation)) supersede(field, superseded);
    if (operation.action == Action::set || operation.action == Action::add) {
      put_value(field, FieldValue{ValueName{name, static_cast<std::uint16_t>(i)}, operation.action,
                                  time, operation.value});
    }
  }
  drop_empty_fields(layer);
}

}  // namespace chapterd
