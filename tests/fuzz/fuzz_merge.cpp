// Merging against a model that knows sets only: values that came, names that were superseded. Any
// changes in two orders, through the store's bytes between every two steps.
#include "base/byte_stream.h"
#include "crypto/hash.h"
#include "replication/format/cbor.h"
#include "replication/merge.h"
#include "tests/fuzz/target.h"

#include <array>
#include <deque>
#include <map>
#include <numeric>
#include <set>
#include <vector>

namespace chapterd {
namespace {

constexpr std::size_t most_changes = 24;
constexpr std::array<const char*, 3> fields{"a", "b", "tags"};

struct Made {
  Bytes payload;
  EntryHash entry;
  HybridTime time;
};

using Shown = std::map<std::string, std::map<ValueName, Bytes>>;

// Each change may supersede values of any other, also of those that come after it.
std::deque<Made> changes_of(ByteReader& in) {
  const std::size_t count = 1 + in.u8() % most_changes;
  std::vector<EntryHash> entries(count);
  for (std::size_t i = 0; i < count; ++i)
    entries[i] = hash_as<EntryHash>("fuzz/entry", Bytes{static_cast<std::uint8_t>(i)});
  std::deque<Made> made;
  for (const EntryHash& entry : entries) {
    Change change;
    change.kind = "note";
    const std::size_t operations = 1 + in.u8() % 3;
    for (std::size_t i = 0; i < operations; ++i) {
      Operation operation;
      operation.field = fields[in.u8() % fields.size()];
      operation.action = static_cast<Action>(in.u8() % 4);
      CborWriter value;
      if (operation.action != Action::clear) operation.value = value.integer(in.u8() % 4).take();
      std::set<ValueName> names;
      for (std::size_t n = in.u8() % 4; n > 0; --n)
        names.insert(
            {name_part(entries[in.u8() % count]), static_cast<std::uint16_t>(in.u8() % 3)});
      operation.supersedes.assign(names.begin(), names.end());
      change.operations.push_back(std::move(operation));
    }
    made.push_back({encode(change), entry, HybridTime{in.u8()}});
  }
  return made;
}

Shown shown_by_model(const std::deque<Made>& made) {
  Shown all;
  std::map<std::string, std::set<ValueName>> gone;
  ChangeView view;
  for (const Made& each : made) {
    if (!decode_change(each.payload, view)) continue;
    for (std::size_t i = 0; i < view.operations.size(); ++i) {
      const OperationView& operation = view.operations[i];
      const std::string field(operation.field);
      for (const ValueName& name : view.supersedes(operation)) gone[field].insert(name);
      if (operation.action != Action::set && operation.action != Action::add) continue;
      all[field][{name_part(each.entry), static_cast<std::uint16_t>(i)}] =
          Bytes(operation.value.begin(), operation.value.end());
    }
  }
  Shown left;
  for (const auto& [field, values] : all)
    for (const auto& [name, value] : values)
      if (!gone[field].contains(name)) left[field][name] = value;
  return left;
}

Bytes merged(const std::deque<Made>& made, const std::vector<std::size_t>& order) {
  Bytes kept = encode(LayerState{});
  ChangeView view;
  for (const std::size_t at : order) {
    if (!decode_change(made[at].payload, view)) continue;
    auto layer = decode_layer(kept);
    CHECK(layer.has_value());
    merge(*layer, view, made[at].entry, made[at].time);
    kept = encode(*layer);
  }
  return kept;
}

Shown shown_by(const LayerState& layer) {
  Shown all;
  for (const LayerField& field : layer.fields)
    for (const FieldValue& value : field.values)
      all[std::string(field.field)][value.name] = Bytes(value.value.begin(), value.value.end());
  return all;
}

void check(ByteView bytes) {
  ByteReader in(bytes);
  const std::deque<Made> made = changes_of(in);
  std::vector<std::size_t> order(made.size());
  std::iota(order.begin(), order.end(), 0U);
  const Bytes first = merged(made, order);
  for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[in.u8() % i]);
  const Bytes second = merged(made, order);
  const auto one = decode_layer(first);
  const auto other = decode_layer(second);
  CHECK(one && other);
  CHECK(shown(*one) == shown(*other));
  CHECK(shown_by(*one) == shown_by_model(made));
}

}  // namespace
}  // namespace chapterd

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  chapterd::check({data, size});
  return 0;
}
