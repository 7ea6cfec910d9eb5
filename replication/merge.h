// How changes become what a layer holds: causal multi-value registers and add-wins sets. Pure.
//
// What a layer shows is a function of the set of changes merged into it: any order gives the same
// bytes (`shown`). A write takes away the values whose names it lists, concurrent values all stay.
// Each change must be merged once: the log that feeds this never hands out an entry twice.
#pragma once

#include "base/result.h"
#include "replication/format/change.h"
#include "replication/format/erase_order.h"
#include "replication/format/hybrid_time.h"
#include "replication/format/ids.h"

#include <string>
#include <vector>

namespace chapterd {

// One value that a field has. More than one: written concurrently (set), or elements (add).
struct FieldValue {
  ValueName name;
  Action action = Action::set;  // set or add
  HybridTime time;              // orders what is shown
  ByteView value;               // deterministic CBOR
};

struct LayerField {
  std::string_view field;
  std::vector<FieldValue> values;  // ordered by name
  // Superseded names whose value was not here: it is still to come, or another write took it first.
  std::vector<ValueName> awaited;  // ordered, each once
};

// What a record holds in one audience. Views borrow from the bytes it was decoded from and from the
// payloads merged into it: both must outlive it. Encode to keep.
struct LayerState {
  std::uint32_t changes = 0;  // how many were merged
  HybridTime newest;          // greatest time seen, for display
  EntryHash newest_entry;  // of that time (ties: greater hash): the revision that others point at
  std::vector<LayerField> fields;  // ordered by name of the field
};

// For the store, which adds a check: a disk that changes bytes must not change what is shown.
// Two orders of the same changes may differ in `awaited` only, which shows nowhere.
[[nodiscard]] Bytes encode(const LayerState& layer);
// What is compared between nodes: everything but `awaited`.
[[nodiscard]] Bytes shown(const LayerState& layer);
// Of an encoded layer: no change of it counts, so there is nothing to show.
[[nodiscard]] bool is_blank(ByteView layer);
// Errc::check_failed when the store's own bytes are damaged.
[[nodiscard]] Result<LayerState> decode_layer(ByteView bytes);

// What the entries named by an erase order superseded stays superseded; the layer borrows from
// `order`. The erased changes themselves must not be merged.
void merge_order(LayerState& layer, const EraseOrder& order);

// Merges one change, whose entry has this hash and time.
void merge(LayerState& layer, const ChangeView& change, const EntryHash& entry, HybridTime time);

}  // namespace chapterd
