// From what a person filled in to changes, one a layer or, when it is much, several: checked
// against the kind, confidential fields kept in the `chapter` layer, what was seen superseded.
// Pure: the caller makes ids and writes.
#pragma once

#include "base/result.h"
#include "domain/kind.h"
#include "domain/record.h"
#include "domain/validation.h"
#include "replication/format/change.h"

#include <nlohmann/json_fwd.hpp>

#include <string_view>
#include <vector>

namespace chapterd {

// A change and the layer it belongs to. Those of one draft are to be written together, in their
// order.
struct LayerChange {
  Audience audience = Audience::chapter;
  ChapterId target;  // zero unless the audience is `to`
  Change change;
};

// The changes, or what stands against them; never both. No changes and no findings: everything is
// already as wished, and nothing is to be written.
struct Draft {
  std::vector<LayerChange> changes;
  std::vector<Finding> findings;
};

// The changes, or one four-part error that lists all findings.
[[nodiscard]] Result<std::vector<LayerChange>> accepted(Draft draft);

// A new record in the first state of its kind. `fields` is an object; a keyed field is given as
// {"title": {"fr": "…"}} or {"title/fr": "…"}, a set as an array.
[[nodiscard]] Draft draft_create(const Kind& kind,
                                 const RecordKey& key,
                                 const nlohmann::json& fields);

// `edit` is {"set": {field: value}, "clear": [field], "add": {field: [element]}, "remove": {…}},
// each optional. A set or null under "set" replaces the whole set or clears the field. Settles
// conflicts: what the view showed is superseded. `state` may be set only to settle a conflict of
// states.
[[nodiscard]] Draft draft_edit(const Kind& kind,
                               const RecordView& view,
                               const nlohmann::json& edit);

// Moves the record on by a verb of its kind, after setting `fields` (an object, may be empty). When
// the new state has a wider audience, everything but confidential fields is written there and
// cleared where it was.
[[nodiscard]] Draft draft_transition(const Kind& kind,
                                     const RecordView& view,
                                     std::string_view verb,
                                     const nlohmann::json& fields);

// A tombstone in every layer. What was seen is cleared; an edit made meanwhile stays, as a
// conflict.
[[nodiscard]] Draft draft_delete(const Kind& kind, const RecordView& view);

// Verbs of the kind that lead on from the record's state; none while its states conflict.
[[nodiscard]] std::vector<const Transition*> next_steps(const Kind& kind, const RecordView& view);
// Of those the ones after which the record still grows and nobody has lost sight of it: they carry
// on what was written here.
[[nodiscard]] std::vector<const Transition*> carrying_steps(const Kind& kind,
                                                            const RecordView& view);

// What was edited over what others hold, and stays in the chapter until a step carries it on.
[[nodiscard]] std::vector<std::string> waiting_fields(const Kind& kind, const RecordView& view);

}  // namespace chapterd
