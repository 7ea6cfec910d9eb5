// Operations of one draft, layer by layer.
#include "domain/layer_writer.h"

#include "replication/format/limits.h"

#include <algorithm>
#include <utility>

namespace chapterd {
namespace {

// Room for what sealing adds to a payload of the `chapter` layer.
constexpr std::size_t sealing_bytes = 256;
// What the number of operations takes more than that of none.
constexpr std::size_t longest_count_bytes = 4;

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

bool fits(const Change& change) {
  return encode(change).size() + sealing_bytes <= limits::payload_bytes &&
         change.operations.size() <= limits::operations;
}

// Bytes that one operation adds to a change.
std::size_t size_of(const Change& empty, const Operation& operation) {
  Change one = empty;
  one.operations = {operation};
  return encode(one).size() - encode(empty).size();
}

// Bytes that the operations of such a change may take.
std::size_t room_in(const Change& empty) {
  return limits::payload_bytes - sealing_bytes - encode(empty).size() - longest_count_bytes;
}

// The changes of one layer; what is too large for any becomes a finding.
void divide(LayerChange whole, Draft& draft) {
  if (fits(whole.change)) return draft.changes.push_back(std::move(whole));
  Change empty = whole.change;
  empty.operations.clear();
  const std::size_t room = room_in(empty);
  std::erase_if(whole.change.operations, [&](const Operation& operation) {
    const std::size_t size = size_of(empty, operation);
    if (size > room) {
      draft.findings.push_back({operation.field, "size.too-large",
                                "This is " + std::to_string(size) +
                                    " bytes long; the most that one field holds is " +
                                    std::to_string(room) + ". Shorten it."});
    }
    return size > room;
  });
  for (Change& part : divided(std::move(whole.change)))
    draft.changes.push_back({whole.audience, whole.target, std::move(part)});
}

}  // namespace

std::vector<Change> divided(Change whole) {
  if (fits(whole)) return {std::move(whole)};
  std::vector<Change> parts;
  std::vector<Operation> operations = std::exchange(whole.operations, {});
  std::stable_partition(operations.begin(), operations.end(),
                        [](const Operation& operation) { return operation.field != state_field; });
  const std::size_t room = room_in(whole);
  Change part = whole;
  std::size_t used = 0;
  for (Operation& operation : operations) {
    const std::size_t size = size_of(whole, operation);
    const bool is_full = used + size > room || part.operations.size() == limits::operations;
    if (is_full && !part.operations.empty()) {
      parts.push_back(std::exchange(part, whole));
      used = 0;
    }
    used += size;
    part.operations.push_back(std::move(operation));
  }
  parts.push_back(std::move(part));
  return parts;
}

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
  std::sort(changes_.begin(), changes_.end(), [](const LayerChange& a, const LayerChange& b) {
    return width_of(a.audience) < width_of(b.audience);
  });
  Draft draft;
  for (LayerChange& change : changes_) divide(std::move(change), draft);
  if (!draft.findings.empty()) draft.changes.clear();
  return draft;
}

}  // namespace chapterd
