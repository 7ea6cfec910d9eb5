// Names of records, and the view that lays their layers over one another.
#include "domain/record.h"

#include "domain/names.h"
#include "domain/validation.h"
#include "replication/format/cbor.h"
#include "replication/format/limits.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <tuple>

namespace chapterd {
namespace {

using Json = nlohmann::json;

bool is_true(ByteView value) {
  return value.size() == 1 && CborReader(value).boolean();
}

bool is_null(ByteView value) {
  return value.size() == 1 && CborReader(value).peek() == CborType::null;
}

bool contains(const std::vector<Bytes>& values, const Bytes& value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

SeenField seen_field(const LayerField& field) {
  SeenField seen{std::string(field.field), {}};
  for (const FieldValue& value : field.values) {
    seen.values.push_back(
        {value.name, value.action, value.time, Bytes(value.value.begin(), value.value.end())});
  }
  std::sort(seen.values.begin(), seen.values.end(), [](const SeenValue& a, const SeenValue& b) {
    return std::tie(a.time, a.name) < std::tie(b.time, b.name);
  });
  return seen;
}

SeenLayer seen_layer(const DecodedLayer& held) {
  SeenLayer seen{{held.audience, held.target}, held.state.newest, held.state.newest_entry, {}};
  for (const LayerField& field : held.state.fields) {
    if (!field.values.empty()) seen.fields.push_back(seen_field(field));
  }
  return seen;
}

// The elements that a whole set written as one value (in a draft) has.
std::vector<Bytes> elements_of(ByteView array) {
  std::vector<Bytes> elements;
  CborReader in(array);
  const std::uint64_t count = in.array(array.size());
  for (std::uint64_t i = 0; i < count && in.good(); ++i) {
    const ByteView item = in.item(limits::depth);
    elements.emplace_back(item.begin(), item.end());
  }
  return elements;
}

// What one layer shows of a field.
ShownField shown_field(const SeenLayer& layer, const SeenField& field, const Kind* kind) {
  ShownField shown{field.name, layer.layer, ShownField::Shape::one, {}};
  std::vector<Bytes> registers;
  std::vector<Bytes> elements;
  for (const SeenValue& value : field.values) {
    std::vector<Bytes>& into = value.action == Action::set ? registers : elements;
    if (!contains(into, value.value)) into.push_back(value.value);
  }
  const Field* declared = kind == nullptr ? nullptr : kind->field(field.name);
  const bool set = declared == nullptr ? registers.empty() : declared->many;
  if (set && registers.size() == 1) {
    shown.values = elements_of(registers.front());
  } else {
    shown.values = registers.empty() ? elements : registers;
  }
  if (registers.size() > 1) {
    shown.shape = ShownField::Shape::conflict;
  } else if (set || registers.empty()) {
    shown.shape = ShownField::Shape::set;
  }
  return shown;
}

// Adds what the states of a wider layer say, so that states written apart in two layers are seen.
void join_states(ShownField& shown, const ShownField& wider) {
  for (const Bytes& value : wider.values) {
    if (!contains(shown.values, value)) shown.values.push_back(value);
  }
  if (shown.values.size() > 1) shown.shape = ShownField::Shape::conflict;
}

void lay_over(RecordView& view, const SeenLayer& layer, const Kind* kind) {
  for (const SeenField& field : layer.fields) {
    if (field.name == deleted_field) continue;
    const auto at = std::lower_bound(
        view.fields.begin(), view.fields.end(), field.name,
        [](const ShownField& shown, const std::string& name) { return shown.name < name; });
    if (at == view.fields.end() || at->name != field.name) {
      view.fields.insert(at, shown_field(layer, field, kind));
    } else if (field.name == state_field) {
      join_states(*at, shown_field(layer, field, kind));
    }
  }
}

// A tombstone, and what stands beside it in its own layer: that was written without having seen it.
void note_deletion(RecordView& view, const SeenLayer& layer) {
  const SeenField* deleted = layer.field(deleted_field);
  if (deleted == nullptr) return;
  const auto& values = deleted->values;
  if (std::none_of(values.begin(), values.end(),
                   [](const SeenValue& value) { return is_true(value.value); })) {
    return;
  }
  view.deleted = true;
  if (layer.fields.size() > 1) view.contested = true;
}

Json shown_value(const ShownField& field, const Field* declared) {
  if (field.shape != ShownField::Shape::set) {
    return field.values.empty() ? Json() : to_shown(declared, field.values.back());
  }
  Json array = Json::array();
  for (const Bytes& value : field.values) array.push_back(to_shown(declared, value));
  return array;
}

bool is_emptied(const ShownField& field) {
  return field.shape == ShownField::Shape::one && is_null(field.values.front());
}

}  // namespace

const SeenField* SeenLayer::field(std::string_view name) const {
  const auto at = std::lower_bound(
      fields.begin(), fields.end(), name,
      [](const SeenField& seen, std::string_view wanted) { return seen.name < wanted; });
  return at != fields.end() && at->name == name ? &*at : nullptr;
}

const ShownField* RecordView::field(std::string_view name) const {
  const auto at = std::lower_bound(
      fields.begin(), fields.end(), name,
      [](const ShownField& shown, std::string_view wanted) { return shown.name < wanted; });
  return at != fields.end() && at->name == name ? &*at : nullptr;
}

const SeenLayer* RecordView::layer(const LayerRef& ref) const {
  const auto at = std::find_if(layers.begin(), layers.end(),
                               [&](const SeenLayer& layer) { return layer.layer == ref; });
  return at == layers.end() ? nullptr : &*at;
}

std::string RecordView::state() const {
  const ShownField* shown = field(state_field);
  if (shown == nullptr || shown->shape != ShownField::Shape::one) return {};
  const Json value = to_shown(nullptr, shown->values.front());
  return value.is_string() ? value.get<std::string>() : std::string();
}

bool RecordView::state_conflict() const {
  const ShownField* shown = field(state_field);
  return shown != nullptr && shown->shape != ShownField::Shape::one;
}

bool RecordView::has_conflict() const {
  return contested || std::any_of(fields.begin(), fields.end(), [](const ShownField& shown) {
           return shown.shape == ShownField::Shape::conflict;
         });
}

LayerRef RecordView::current_layer() const {
  for (auto layer = layers.rbegin(); layer != layers.rend(); ++layer) {
    if (layer->field(state_field) != nullptr) return layer->layer;
  }
  return layers.empty() ? LayerRef{} : layers.back().layer;
}

RecordView view_of(const RecordNamed& record, std::span<const DecodedLayer> layers) {
  RecordView view;
  view.key = record.key;
  view.kind = record.kind_name;
  for (const DecodedLayer& held : layers) view.layers.push_back(seen_layer(held));
  std::sort(view.layers.begin(), view.layers.end(), [](const SeenLayer& a, const SeenLayer& b) {
    const int width_a = width_of(a.layer.audience);
    const int width_b = width_of(b.layer.audience);
    return std::tie(width_a, a.layer.target) < std::tie(width_b, b.layer.target);
  });
  for (const SeenLayer& layer : view.layers) {
    lay_over(view, layer, record.kind);
    note_deletion(view, layer);
    view.updated = std::max(view.updated, layer.newest);
  }
  std::erase_if(view.fields, is_emptied);
  if (!view.layers.empty()) view.revision = view.layers.back().newest_entry;
  return view;
}

Json fields_json(const RecordView& view, const Kind* kind) {
  Json fields = Json::object();
  for (const ShownField& field : view.fields) {
    if (field.name == state_field) continue;
    const Field* declared = kind == nullptr ? nullptr : kind->field(field.name);
    const FieldName name = split_name(field.name);
    Json value = shown_value(field, declared);
    if (declared != nullptr && declared->keyed != Keyed::no) {
      fields[std::string(name.field)][std::string(name.key)] = std::move(value);
    } else {
      fields[field.name] = std::move(value);
    }
  }
  return fields;
}

Json to_json(const RecordView& view, const Kind* kind) {
  Json audiences = Json::object();
  Json conflicts = Json::object();
  for (const ShownField& field : view.fields) {
    audiences[field.name] = name_of(field.layer.audience);
    if (field.shape != ShownField::Shape::conflict) continue;
    const Field* declared = kind == nullptr ? nullptr : kind->field(field.name);
    Json& values = conflicts[field.name] = Json::array();
    for (const Bytes& value : field.values) values.push_back(to_shown(declared, value));
  }
  Json json = {{"kind", view.kind},
               {"home", to_hex(view.key.home.view())},
               {"id", to_text(view.key.id)},
               {"revision", to_hex(view.revision.view())},
               {"updated_ms", view.updated.instant().ms},
               {"deleted", view.deleted},
               {"contested", view.contested},
               {"state", view.state()},
               {"audience", name_of(view.current_layer().audience)}};
  json["fields"] = fields_json(view, kind);
  json["audiences"] = std::move(audiences);
  json["conflicts"] = std::move(conflicts);
  return json;
}

std::string title_of(const RecordView& view, const Kind& kind) {
  for (const std::string& titled : kind.titled_by) {
    for (const ShownField& shown : view.fields) {
      if (split_name(shown.name).field != titled) continue;
      const Json value = shown_value(shown, kind.field(titled));
      if (value.is_string()) return value.get<std::string>();
    }
  }
  return {};
}

}  // namespace chapterd
