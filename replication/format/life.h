// What a node tells everybody of the lives of its database: payload of an entry of kind `life` in
// its `auth` feed. docs/protocol.md, "A life". Pure; one thread an object.
//
// An epoch names a life of the whole database, for cursors and receipts. The incarnation that its
// feeds bear is another name (replication/lives.h): a node may begin a new epoch alone.
#pragma once

#include "base/random.h"
#include "replication/format/ids.h"

#include <optional>
#include <set>
#include <vector>

namespace chapterd {

// What the node acknowledged in lives that are over counts no more. Other lives may go on side by
// side: a copy of the node leads one of them.
struct Life {
  Epoch epoch;              // from here on
  std::vector<Epoch> over;  // at least one, each less than `epoch`
};

// The name of the life that begins after `last`, greater than it; of the first one, after Epoch().
// 24 bits that grow, then 40 random ones, since two copies may begin one after the same.
[[nodiscard]] Epoch epoch_after(Epoch last, Random& random);

[[nodiscard]] Bytes encode(const Life& life);
// nullopt when it breaks a rule: not 8 bytes a number, nothing over, or over what began later.
[[nodiscard]] std::optional<Life> decode_life(ByteView payload);

// All that a node told, in whatever order it came.
class ToldLives {
 public:
  // Whether a life is over that was not said to be.
  bool note(const Life& life);

  [[nodiscard]] bool is_over(Epoch epoch) const { return over_.contains(epoch); }

  // Told, and not over.
  [[nodiscard]] std::vector<Epoch> going_on() const;

  // The greatest of all; Epoch() for none.
  [[nodiscard]] Epoch latest() const { return told_.empty() ? Epoch() : *told_.rbegin(); }

 private:
  std::set<Epoch> told_;
  std::set<Epoch> over_;
};

}  // namespace chapterd
