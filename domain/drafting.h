// One draft in the making: wishes, what they break, and the operations that carry them out.
#pragma once

#include "domain/drafts.h"
#include "domain/layer_writer.h"
#include "domain/wishes.h"

#include <set>
#include <string>
#include <vector>

namespace chapterd {

// True when a record may go from the one layer to the other: nobody loses sight of it.
[[nodiscard]] bool reaches(const LayerRef& narrow, const LayerRef& wide);

// The steps that the functions of drafts.h are made of. Findings add up; nothing comes out of
// finish() when there is one.
class Drafting {
 public:
  // `kind` and `view` must outlive it.
  Drafting(const Kind& kind, const RecordView& view);

  Wishes& wishes() { return wishes_; }

  void find(std::string field, std::string code, std::string message);

  [[nodiscard]] bool sound() const { return all_findings().empty(); }

  [[nodiscard]] Draft finish();

  // --- checks ---

  // Required fields, `needs` and the kind's rules, on the record as it would be.
  void check_whole(const std::vector<std::string>& needs);
  // Only what the wishes themselves take away: an old record may lack what is required today.
  void check_kept();
  // Whether the record may leave where it is for `layer`.
  void check_widens(const LayerRef& layer);
  // The layer of a state; a finding and the present layer when it cannot be said.
  [[nodiscard]] LayerRef layer_of(const State& state);
  // What an edit does now: the strictest of what the states shown say.
  [[nodiscard]] Edits edits() const;

  // --- operations ---

  // Every wished field, where an edit of this kind puts it.
  void write_wished(Edits edits, const LayerRef& layer);
  // Carries everything that may leave into `layer`, and what was wished.
  void move_fields(const LayerRef& layer);
  void move_state(const std::string& state, const LayerRef& layer);
  // Makes the card show exactly what its field says, or nothing.
  void move_card(CardMove move);
  // Empties a field also in layers that `layer` does not cover.
  void clear_beyond(const LayerRef& layer, const std::string& field);
  void restore();
  void bury();

 private:
  void write_through(const LayerRef& layer, const std::string& name);
  void write_draft(const std::string& name);
  void show_on_card(const LayerRef& layer, const std::string& field, bool shown);
  [[nodiscard]] Bytes shared_value(const Field& field, const std::string& name) const;
  [[nodiscard]] std::vector<Finding> all_findings() const;
  void append_findings(const std::vector<Finding>& more);

  const Kind& kind_;
  const RecordView& view_;
  Wishes wishes_;
  LayerWriter out_;
  std::vector<Finding> findings_;
};

}  // namespace chapterd
