// Collects the operations of one draft, layer by layer, and lets each supersede what was seen
// there.
#pragma once

#include "domain/drafts.h"
#include "domain/record.h"

#include <string>
#include <vector>

namespace chapterd {

// The same operations in as many changes as they need, in their order; the state comes last, so
// that nobody sees it before what it is said of. An operation that is too large for any change has
// one of its own, which Replica::write() refuses.
[[nodiscard]] std::vector<Change> divided(Change whole);

// Writes nothing that a layer already says: an edit without effect makes no change.
class LayerWriter {
 public:
  // `kind` and `view` must outlive the writer; a new record has an empty view with its key.
  LayerWriter(const Kind& kind, const RecordView& view) : kind_(kind), view_(view) {}

  // Every value seen of the field in this layer gives way to this one.
  void set(const LayerRef& layer, const std::string& field, Bytes value);
  void clear(const LayerRef& layer, const std::string& field);
  // The field in this layer becomes a set of exactly these elements; adds and removes only what
  // differs.
  void set_elements(const LayerRef& layer,
                    const std::string& field,
                    const std::vector<Bytes>& elements);

  // One change a layer, narrow first; several when they are too large for one, the state in the
  // last. A field that is too large by itself becomes a finding.
  [[nodiscard]] Draft take();

 private:
  [[nodiscard]] const SeenField* seen(const LayerRef& layer, const std::string& field) const;
  void put(const LayerRef& layer, Operation operation);

  const Kind& kind_;
  const RecordView& view_;
  std::vector<LayerChange> changes_;
};

}  // namespace chapterd
