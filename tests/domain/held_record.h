// A record as one node holds it, merged by the real merge: what tests of drafts write to and look
// at.
#pragma once

#include "domain/drafts.h"
#include "domain/kind.h"
#include "domain/record.h"
#include "replication/merge.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <deque>
#include <utility>
#include <vector>

namespace chapterd::testing {

using Json = nlohmann::json;

inline const Kinds& all_kinds() {
  static const Result<Kinds> kinds = Kinds::load();
  if (!kinds) ADD_FAILURE() << kinds.error().what;
  return *kinds;
}

inline const Kind& kind(std::string_view name) {
  const Kind* found = all_kinds().find(name);
  EXPECT_NE(found, nullptr) << name;
  return *found;
}

inline ChapterId chapter(std::uint8_t number) {
  ChapterId id;
  id.bytes.fill(number);
  return id;
}

inline RecordKey key(std::uint8_t number) {
  RecordKey made{chapter(1), {}};
  made.id.bytes.fill(number);
  return made;
}

inline std::string link_text(std::uint8_t number, ChapterId home) {
  Link link{{home, key(number).id}, EntryHash{}};
  link.revision->bytes.fill(number);
  return to_text(link);
}

inline std::string link_text(std::uint8_t number) {
  return link_text(number, chapter(1));
}

inline std::string told(const std::vector<Finding>& findings) {
  std::string all;
  for (const Finding& finding : findings) {
    all += finding.field + " [" + finding.code + "] " + finding.message + "\n";
  }
  return all;
}

class HeldRecord {
 public:
  explicit HeldRecord(const Kind& kind_, RecordKey key_ = key(7)) : kind(kind_), record(key_) {}

  // Writes what a draft says; a draft with findings fails the test.
  HeldRecord& take(const Draft& draft) {
    EXPECT_TRUE(draft.findings.empty()) << told(draft.findings);
    for (const LayerChange& change : draft.changes) merge_one(change);
    return *this;
  }

  HeldRecord& create(const Json& fields) { return take(draft_create(kind, record, fields)); }

  HeldRecord& edit(const Json& changes) { return take(draft_edit(kind, view(), changes)); }

  HeldRecord& step(std::string_view verb, const Json& fields = Json::object()) {
    return take(draft_transition(kind, view(), verb, fields));
  }

  [[nodiscard]] RecordView view() const { return view_of({record, kind.name, &kind}, layers_); }

  // As a node sees it that is not entitled to the chapter layer.
  [[nodiscard]] RecordView view_from_outside() const {
    std::vector<DecodedLayer> held;
    for (const DecodedLayer& layer : layers_) {
      if (layer.audience != Audience::chapter) held.push_back(layer);
    }
    return view_of({record, kind.name, &kind}, held);
  }

  [[nodiscard]] Json fields() const { return fields_json(view(), &kind); }

  [[nodiscard]] Json fields_outside() const { return fields_json(view_from_outside(), &kind); }

  [[nodiscard]] const std::vector<DecodedLayer>& layers() const { return layers_; }

  [[nodiscard]] const std::deque<Bytes>& payloads() const { return payloads_; }

  const Kind& kind;
  const RecordKey record;

 private:
  void merge_one(const LayerChange& change) {
    const Bytes& payload = payloads_.emplace_back(encode(change.change));
    ChangeView read;
    ASSERT_TRUE(decode_change(payload, read).has_value());
    EntryHash hash;
    hash.bytes.fill(static_cast<std::uint8_t>(payloads_.size()));
    merge(layer(change), read, hash, HybridTime{payloads_.size()});
  }

  LayerState& layer(const LayerChange& change) {
    for (DecodedLayer& held : layers_) {
      if (held.audience == change.audience && held.target == change.target) return held.state;
    }
    return layers_.emplace_back(DecodedLayer{change.audience, change.target, {}}).state;
  }

  std::deque<Bytes> payloads_;
  std::vector<DecodedLayer> layers_;
};

// A finding of this code for this field among those of a draft.
inline bool finds(const Draft& draft, std::string_view field, std::string_view code) {
  for (const Finding& finding : draft.findings) {
    if (finding.field == field && finding.code == code) return true;
  }
  return false;
}

inline Json an_insight() {
  return {{"title", "Generators before the flood season"}};
}

// Everything that submitting needs.
inline Json a_whole_insight() {
  return {{"title", "Generators before the flood season"},
          {"what_happened", "Two clinics lost power."},
          {"what_was_learned", "Fuel must be there before the road is cut."},
          {"places", {"KE-30", "KE"}},
          {"period", "2024-04/2024-05"},
          {"themes", {link_text(3)}},
          {"confidence", "high"},
          {"attribution_consent", "anonymous"},
          {"publish_to", "all"},
          {"source_identity", "Achieng of the county office"},
          {"raw_notes", "Called +254 700 000000."}};
}

}  // namespace chapterd::testing
