// Operations of one draft, layer by layer.
#include "domain/layer_writer.h"

#include "replication/format/limits.h"

#include <algorithm>

namespace chapterd {
namespace {

// Room for what sealing adds to a payload of the `chapter` layer.
constexpr std::size_t sealing_bytes = 256;

bool says_only(const SeenField& field, const Bytes& value) {
  return std::all_of(field.values.begin(), field.values.end(), [&](const SeenValue& seen) {
    return seen.action == Action::set && seen.value == value;
  });
}

template <class Wanted>
std::vector<ValueName> names_of(const SeenField& field, Wanted wanted) {
  std::vector<ValueName> names;
  for (const SeenValue& value : field.values) {
    if (wanted(value)) names.push_back(value.name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<ValueName> all_names(const SeenField& field) {
  return names_of(field, [](const SeenValue&) { return true; });
}

bool holds(const std::vector<Bytes>& elements, const Bytes& element) {
  return std::find(elements.begin(), elements.end(), element) != elements.end();
}

}  // namespace

const SeenField* LayerWriter::seen(const LayerRef& layer, const std::string& field) const {
  const SeenLayer* held = view_.layer(layer);
  return held == nullptr ? nullptr : held->field(field);
}

void LayerWriter::put(const LayerRef& layer, Operation operation) {
  auto at = std::find_if(changes_.begin(), changes_.end(), [&](const LayerChange& change) {
    return change.audience == layer.audience && change.target == layer.target;
  });
  if (at == changes_.end()) {
    changes_.push_back(
        {layer.audience, layer.target, {view_.key.id, kind_.name, kind_.version, {}}});
    at = changes_.end() - 1;
  }
  at->change.operations.push_back(std::move(operation));
}

void LayerWriter::set(const LayerRef& layer, const std::string& field, Bytes value) {
  const SeenField* before = seen(layer, field);
  if (before != nullptr && says_only(*before, value)) return;
  Operation operation{field, Action::set, std::move(value), {}};
  if (before != nullptr) operation.supersedes = all_names(*before);
  put(layer, std::move(operation));
}

void LayerWriter::clear(const LayerRef& layer, const std::string& field) {
  const SeenField* before = seen(layer, field);
  if (before == nullptr) return;
  put(layer, {field, Action::clear, {}, all_names(*before)});
}

void LayerWriter::set_elements(const LayerRef& layer,
                               const std::string& field,
                               const std::vector<Bytes>& elements) {
  static const SeenField nothing;
  const SeenField* held = seen(layer, field);
  const SeenField& before = held == nullptr ? nothing : *held;
  const auto registers =
      names_of(before, [](const SeenValue& value) { return value.action == Action::set; });
  if (!registers.empty()) put(layer, {field, Action::clear, {}, registers});
  std::vector<Bytes> present;
  for (const SeenValue& value : before.values) {
    if (value.action == Action::add && !holds(present, value.value)) present.push_back(value.value);
  }
  for (const Bytes& element : present) {
    if (holds(elements, element)) continue;
    const auto adds = names_of(before, [&](const SeenValue& value) {
      return value.action == Action::add && value.value == element;
    });
    put(layer, {field, Action::remove, element, adds});
  }
  for (const Bytes& element : elements) {
    if (!holds(present, element)) put(layer, {field, Action::add, element, {}});
  }
}

Draft LayerWriter::take() {
  Draft draft;
  std::sort(changes_.begin(), changes_.end(), [](const LayerChange& a, const LayerChange& b) {
    return width_of(a.audience) < width_of(b.audience);
  });
  for (const LayerChange& change : changes_) {
    const std::size_t size = encode(change.change).size() + sealing_bytes;
    const std::size_t count = change.change.operations.size();
    if (size <= limits::payload_bytes && count <= limits::operations) continue;
    draft.findings.push_back({"", "size.too-large",
                              "This would be one change of " + std::to_string(size) +
                                  " bytes; the most is " + std::to_string(limits::payload_bytes) +
                                  ". Write it in several steps."});
  }
  if (draft.findings.empty()) draft.changes = std::move(changes_);
  return draft;
}

}  // namespace chapterd
