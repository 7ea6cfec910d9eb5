// A record as a node can show it: the layers that it holds, narrow laid over wide. Pure.
#pragma once

#include "domain/kind.h"
#include "replication/format/audience.h"
#include "replication/format/ids.h"
#include "replication/merge.h"

#include <nlohmann/json_fwd.hpp>

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace chapterd {

// 8-4-4-4-12 hexadecimal digits (RFC 9562, section 4), lower case.
[[nodiscard]] std::string to_text(const RecordId& id);
[[nodiscard]] std::optional<RecordId> record_id_from(std::string_view text);

// The name of a record: the chapter it belongs to for life, and its id there.
struct RecordKey {
  ChapterId home;
  RecordId id;

  friend auto operator<=>(const RecordKey&, const RecordKey&) = default;
};

// A pointer from one record to another, or to one exact revision of it.
struct Link {
  RecordKey record;
  std::optional<EntryHash> revision;

  friend bool operator==(const Link&, const Link&) = default;
};

// "HOME/ID" or "HOME/ID@REVISION": hexadecimal, the id in its usual form. Without "HOME/" the
// record is one of `own`.
[[nodiscard]] std::string to_text(const Link& link);
[[nodiscard]] std::optional<Link> link_from(std::string_view text, const ChapterId& own);
// How a link is stored: home, id and, if named, revision, one behind the other.
[[nodiscard]] Bytes to_bytes(const Link& link);
[[nodiscard]] std::optional<Link> link_from(ByteView bytes);

// One layer among those of a record. `target` is zero unless the audience is `to`.
struct LayerRef {
  Audience audience = Audience::chapter;
  ChapterId target;

  friend bool operator==(const LayerRef&, const LayerRef&) = default;
};

// One layer as decoded from what the store hands over.
struct DecodedLayer {
  Audience audience = Audience::chapter;
  ChapterId target;
  LayerState state;  // borrows: must live until view_of() returned
};

// --- what a view is made of: all of it owned ---

struct SeenValue {
  ValueName name;
  Action action = Action::set;
  HybridTime time;
  Bytes value;  // deterministic CBOR
};

struct SeenField {
  std::string name;
  std::vector<SeenValue> values;  // by time, then name
};

// What one layer holds: the names here are what the next change supersedes.
struct SeenLayer {
  LayerRef layer;
  HybridTime newest;
  EntryHash newest_entry;
  std::vector<SeenField> fields;  // by name

  [[nodiscard]] const SeenField* field(std::string_view name) const;
};

// A field as shown, from the narrowest layer that has it.
struct ShownField {
  enum class Shape {
    one,       // one value
    conflict,  // several, written apart: a person decides
    set,       // elements, possibly none (emptied in a draft)
  };

  std::string name;  // as stored: "title", "title/fr", "response/P.1.1"
  LayerRef layer;
  Shape shape = Shape::one;
  std::vector<Bytes> values;  // each once, oldest first
};

struct RecordView {
  RecordKey key;
  std::string kind;
  std::vector<SeenLayer> layers;   // narrow first
  std::vector<ShownField> fields;  // by name; without `deleted`
  EntryHash revision;              // newest entry of the widest layer: what others point at
  HybridTime updated;
  bool deleted = false;
  bool contested = false;  // deleted, and edited by somebody who had not seen that

  [[nodiscard]] const ShownField* field(std::string_view name) const;
  [[nodiscard]] const SeenLayer* layer(const LayerRef& ref) const;
  // The state, empty when there is none or while it is in conflict.
  [[nodiscard]] std::string state() const;
  // States written apart, be it in one layer or in two: transitions wait until one is chosen.
  [[nodiscard]] bool state_conflict() const;
  [[nodiscard]] bool has_conflict() const;
  // The layer that the record is in: the widest one that holds a state, else the widest there is.
  [[nodiscard]] LayerRef current_layer() const;
};

// What is known of the record besides its layers. `kind` may be null: an older node shows a newer
// kind as far as it can.
struct RecordNamed {
  RecordKey key;
  std::string kind_name;
  const Kind* kind = nullptr;
};

[[nodiscard]] RecordView view_of(const RecordNamed& record, std::span<const DecodedLayer> layers);

// The fields alone, as forms and frameworks take them: keyed ones as objects, sets as arrays, links
// as text; of a conflict the newest value.
[[nodiscard]] nlohmann::json fields_json(const RecordView& view, const Kind* kind);

// {kind, home, id, revision, updated_ms, deleted, contested, state, audience, fields,
// audiences{field: audience}, conflicts{field: [values, oldest first]}}.
[[nodiscard]] nlohmann::json to_json(const RecordView& view, const Kind* kind);

// The first filled field that titles the kind; empty when there is none.
[[nodiscard]] std::string title_of(const RecordView& view, const Kind& kind);

}  // namespace chapterd
