// Views: layers laid over one another, conflicts, names of records and links.
#include "domain/record.h"

#include "domain/value.h"
#include "held_record.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <rapidcheck/gtest.h>

namespace chapterd {
namespace {

using testing::HeldRecord;
using testing::Json;
using testing::key;
using testing::kind;
using testing::link_text;

// Layers put together by hand, value by value.
class Layers {
 public:
  Layers& put(Audience audience, std::string_view field, const Json& value, std::uint64_t time) {
    return put(audience, field, value, time, Action::set);
  }

  Layers& put(Audience audience,
              std::string_view field,
              const Json& value,
              std::uint64_t time,
              Action action) {
    values_.push_back(*to_cbor(value));
    LayerState& state = layer(audience);
    const FieldValue written{ValueName{++names_, 0}, action, HybridTime{time}, values_.back()};
    if (HybridTime{time} > state.newest) {
      state.newest = HybridTime{time};
      state.newest_entry.bytes.fill(static_cast<std::uint8_t>(time));
    }
    for (LayerField& held : state.fields) {
      if (held.field == field) {
        held.values.push_back(written);
        return *this;
      }
    }
    state.fields.push_back({field, {written}, {}});
    return *this;
  }

  [[nodiscard]] RecordView view(const Kind* known) const {
    std::vector<DecodedLayer> sorted = layers_;
    for (DecodedLayer& held : sorted) {
      std::sort(held.state.fields.begin(), held.state.fields.end(),
                [](const LayerField& a, const LayerField& b) { return a.field < b.field; });
    }
    return view_of({key(1), "insight", known}, sorted);
  }

 private:
  LayerState& layer(Audience audience) {
    for (DecodedLayer& held : layers_) {
      if (held.audience == audience) return held.state;
    }
    return layers_.emplace_back(DecodedLayer{audience, {}, {}}).state;
  }

  std::deque<Bytes> values_;
  std::vector<DecodedLayer> layers_;
  std::uint64_t names_ = 0;
};

TEST(RecordView, NarrowLiesOverWide) {
  Layers layers;
  layers.put(Audience::up, "title", "shared", 9).put(Audience::up, "evidence", "reports", 9);
  layers.put(Audience::chapter, "title", "draft", 2);
  const RecordView view = layers.view(&kind("insight"));
  EXPECT_EQ(fields_json(view, &kind("insight")),
            (Json{{"title", "draft"}, {"evidence", "reports"}}));
  EXPECT_EQ(view.field("title")->layer.audience, Audience::chapter);
  EXPECT_EQ(view.field("evidence")->layer.audience, Audience::up);
}

TEST(RecordView, TheRevisionIsTheNewestEntryOfTheWidestLayer) {
  Layers layers;
  layers.put(Audience::up, "title", "shared", 3).put(Audience::chapter, "title", "draft", 8);
  const RecordView view = layers.view(&kind("insight"));
  EXPECT_EQ(view.revision.bytes[0], 3);
  EXPECT_EQ(view.updated.value, 8U);
}

TEST(RecordView, TwoSiblingsAreAConflictOldestFirst) {
  Layers layers;
  layers.put(Audience::up, "title", "later", 5).put(Audience::up, "title", "earlier", 4);
  const RecordView view = layers.view(&kind("insight"));
  EXPECT_EQ(view.field("title")->shape, ShownField::Shape::conflict);
  EXPECT_TRUE(view.has_conflict());
  const Json json = to_json(view, &kind("insight"));
  EXPECT_EQ(json["conflicts"]["title"], (Json{"earlier", "later"}));
  EXPECT_EQ(json["fields"]["title"], "later");
}

TEST(RecordView, EqualValuesAreOne) {
  Layers layers;
  layers.put(Audience::up, "title", "same", 5).put(Audience::up, "title", "same", 4);
  const RecordView view = layers.view(&kind("insight"));
  EXPECT_FALSE(view.has_conflict());
  EXPECT_EQ(view.field("title")->values.size(), 1U);
  EXPECT_EQ(view.layers.front().field("title")->values.size(), 2U);
}

TEST(RecordView, AddedElementsAreASetAndNoConflict) {
  Layers layers;
  layers.put(Audience::up, "shock", "flood", 5, Action::add);
  layers.put(Audience::up, "shock", "drought", 6, Action::add);
  layers.put(Audience::up, "shock", "flood", 7, Action::add);
  const RecordView view = layers.view(&kind("insight"));
  EXPECT_EQ(fields_json(view, &kind("insight"))["shock"], (Json{"flood", "drought"}));
  EXPECT_FALSE(view.has_conflict());
}

TEST(RecordView, StatesInTwoLayersAreAConflict) {
  Layers layers;
  layers.put(Audience::chapter, "state", "withdrawn", 5).put(Audience::up, "state", "endorsed", 6);
  const RecordView view = layers.view(&kind("insight"));
  EXPECT_TRUE(view.state_conflict());
  EXPECT_EQ(view.state(), "");
}

TEST(RecordView, ShowsAKindThatThisVersionDoesNotKnow) {
  Layers layers;
  layers.put(Audience::all, "name", "Old well", 1);
  layers.put(Audience::all, "uses", "drinking", 1, Action::add);
  layers.put(Audience::all, "depth/m", 7, 1);
  const RecordView view = layers.view(nullptr);
  EXPECT_EQ(fields_json(view, nullptr),
            (Json{{"name", "Old well"}, {"uses", {"drinking"}}, {"depth/m", 7}}));
  EXPECT_EQ(to_json(view, nullptr)["audience"], "all");
}

TEST(RecordView, NamesThatClashAreShownBesideEachOther) {
  Layers layers;
  layers.put(Audience::all, "title", "plain", 1).put(Audience::all, "title/fr", "clé", 1);
  const Json fields = fields_json(layers.view(&kind("theme")), &kind("theme"));
  EXPECT_EQ(fields["title"], (Json{{"", "plain"}, {"fr", "clé"}}));
  EXPECT_EQ(title_of(layers.view(&kind("theme")), kind("theme")), "plain");
}

TEST(RecordView, AnEditThatHadNotSeenTheDeletionContestsIt) {
  HeldRecord one(kind("insight"));
  one.create(testing::an_insight());
  const Draft edit = draft_edit(one.kind, one.view(), {{"set", {{"title", "Kept"}}}});
  one.take(draft_delete(one.kind, one.view()));
  EXPECT_TRUE(one.view().deleted);
  EXPECT_FALSE(one.view().contested);
  one.take(edit);
  EXPECT_TRUE(one.view().contested);
  EXPECT_EQ(one.fields()["title"], "Kept");
}

// What another version, or somebody with bad intent, may have written.
std::vector<DecodedLayer> any_layers(const std::vector<Bytes>& values,
                                     const std::vector<std::uint8_t>& choices) {
  static constexpr std::array<std::string_view, 10> names{"code",   "deleted",    "order", "parent",
                                                          "reach",  "response/A", "state", "title",
                                                          "title/", "title/fr"};
  static constexpr std::array<Audience, 4> audiences{Audience::chapter, Audience::up, Audience::to,
                                                     Audience::all};
  std::vector<DecodedLayer> layers;
  for (const Audience audience : audiences) layers.push_back({audience, {}, {}});
  for (std::size_t i = 0; i < choices.size(); ++i) {
    auto& fields = layers[choices[i] % 4U].state.fields;
    const std::string_view name = names[choices[i] / 4U % names.size()];
    const auto action = choices[i] % 3 == 0 ? Action::add : Action::set;
    const FieldValue value{ValueName{i, 0}, action, HybridTime{i}, values[i % values.size()]};
    const auto at = std::find_if(fields.begin(), fields.end(),
                                 [&](const LayerField& field) { return field.field == name; });
    if (at == fields.end()) {
      fields.push_back({name, {value}, {}});
    } else {
      at->values.push_back(value);
    }
  }
  for (DecodedLayer& layer : layers) {
    std::sort(layer.state.fields.begin(), layer.state.fields.end(),
              [](const LayerField& a, const LayerField& b) { return a.field < b.field; });
  }
  return layers;
}

RC_GTEST_PROP(RecordView,
              AnythingThatOthersWroteCanBeShownAndAnswered,
              (const std::vector<std::uint8_t>& choices, const Bytes& some)) {
  const std::vector<Bytes> values{some,
                                  *to_cbor("current"),
                                  *to_cbor("all"),
                                  *to_cbor(nullptr),
                                  *to_cbor(true),
                                  *to_cbor(Json{"a", {{"b", 1}}}),
                                  *to_cbor(Json{{"$bytes", "00"}})};
  const auto layers = any_layers(values, choices);
  for (const Kind* known : testing::all_kinds().records()) {
    const RecordView view = view_of({key(1), known->name, known}, layers);
    RC_ASSERT(!to_json(view, known).dump().empty());
    RC_ASSERT(!to_json(view, nullptr).dump().empty());
    RC_ASSERT(title_of(view, *known).size() < 1000U);
    const std::string field = known->fields.front().name;
    for (const Json& edit : {Json{{"clear", {field}}}, Json{{"set", {{"deleted", false}}}}}) {
      const Draft draft = draft_edit(*known, view, edit);
      RC_ASSERT(draft.changes.empty() || draft.findings.empty());
    }
    for (const Transition& step : known->transitions) {
      const Draft draft = draft_transition(*known, view, step.verb, Json::object());
      RC_ASSERT(draft.changes.empty() || draft.findings.empty());
    }
    RC_ASSERT(draft_delete(*known, view).findings.empty());
  }
}

TEST(RecordNames, IdsAndLinksComeBackFromText) {
  const RecordKey record = key(0xAB);
  EXPECT_EQ(to_text(record.id), "abababab-abab-abab-abab-abababababab");
  EXPECT_EQ(record_id_from(to_text(record.id)), record.id);
  EXPECT_FALSE(record_id_from("abababab-abab-abab-abababab-abababab"));
  EXPECT_FALSE(record_id_from("abababababababababababababababab"));
  const std::string text = link_text(5);
  const auto link = link_from(text, testing::chapter(9));
  ASSERT_TRUE(link.has_value());
  EXPECT_EQ(to_text(*link), text);
  EXPECT_EQ(link_from(to_bytes(*link)), link);
  EXPECT_EQ(link_from(to_text(record.id), testing::chapter(9))->record.home, testing::chapter(9));
  for (const char* wrong : {"", "x", "/", "@", "abababab-abab-abab-abab-abababababab@12"}) {
    EXPECT_FALSE(link_from(std::string_view(wrong), record.home)) << wrong;
  }
  EXPECT_FALSE(link_from(ByteView(to_bytes(*link)).first(63)));
}

}  // namespace
}  // namespace chapterd
