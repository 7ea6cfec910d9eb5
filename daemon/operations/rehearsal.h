// A record as it would be after changes that nobody wrote: a chain of steps is judged to its end
// before the first one is staged.
#pragma once

#include "daemon/operations/held.h"
#include "domain/drafts.h"

#include <deque>
#include <vector>

namespace chapterd {

class Rehearsal {
 public:
  // A record that does not exist yet.
  Rehearsal(const Kind& kind, const RecordKey& key) : kind_(kind), key_(key) {}

  // Throws Damaged when the store's bytes are. `held` must outlive it.
  Rehearsal(const Kind& kind, const HeldRecord& held);

  void take(const std::vector<LayerChange>& changes);
  [[nodiscard]] RecordView view() const;

 private:
  LayerState& layer(const LayerChange& change);

  const Kind& kind_;
  const RecordKey key_;
  std::deque<Bytes> payloads_;  // the layers borrow from them
  std::vector<DecodedLayer> layers_;
};

}  // namespace chapterd
