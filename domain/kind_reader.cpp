// Reads one kind file.
#include "domain/kind_reader.h"

#include "domain/names.h"

#include <nlohmann/json.hpp>

#include <array>
#include <initializer_list>
#include <set>
#include <utility>

namespace chapterd {
namespace {

using Json = nlohmann::json;

template <class T, std::size_t N>
using Words = std::array<std::pair<std::string_view, T>, N>;

constexpr Words<FieldType, 18> field_types{{
    {"text", FieldType::text},
    {"long_text", FieldType::long_text},
    {"number", FieldType::number},
    {"integer", FieldType::integer},
    {"score", FieldType::score},
    {"date", FieldType::date},
    {"period", FieldType::period},
    {"boolean", FieldType::boolean},
    {"choice", FieldType::choice},
    {"tags", FieldType::text},
    {"link", FieldType::link},
    {"links", FieldType::link},
    {"place", FieldType::place},
    {"language", FieldType::language},
    {"email", FieldType::email},
    {"url", FieldType::url},
    {"doi", FieldType::doi},
    {"part", FieldType::part},
}};
constexpr Words<Keyed, 2> keyed_words{{{"language", Keyed::language}, {"code", Keyed::code}}};
constexpr Words<Edits, 3> edits_words{
    {{"open", Edits::open}, {"draft", Edits::draft}, {"none", Edits::none}}};
constexpr Words<CardMove, 2> card_words{{{"show", CardMove::show}, {"hide", CardMove::hide}}};

// One object of the file. Remembers the first fault of the whole file in `fault`, and which of its
// members were asked for: the rest are misspelt.
class Section {
 public:
  Section(const Json& object, std::string where, std::string& fault)
      : object_(object), where_(std::move(where)), fault_(fault) {
    if (!object_.is_object()) complain("must be an object");
  }

  void complain(const std::string& what) {
    if (fault_.empty()) fault_ = where_ + " " + what;
  }

  [[nodiscard]] const std::string& where() const { return where_; }

  void name_place(const std::string& name) { where_ += " (" + name + ")"; }

  const Json* find(const std::string& key) {
    asked_.push_back(key);
    const auto at = object_.find(key);
    return object_.is_object() && at != object_.end() ? &*at : nullptr;
  }

  std::string text(const std::string& key) {
    const Json* value = find(key);
    if (value == nullptr) return {};
    if (!value->is_string() || value->get_ref<const std::string&>().empty()) {
      complain("needs a text for \"" + key + "\"");
      return {};
    }
    return value->get<std::string>();
  }

  std::string needed_text(const std::string& key) {
    std::string value = text(key);
    if (value.empty()) complain("has no \"" + key + "\"");
    return value;
  }

  bool flag(const std::string& key) {
    const Json* value = find(key);
    if (value == nullptr) return false;
    if (!value->is_boolean()) complain("needs true or false for \"" + key + "\"");
    return *value == true;
  }

  std::optional<double> number(const std::string& key) {
    const Json* value = find(key);
    if (value == nullptr) return std::nullopt;
    if (!value->is_number()) {
      complain("needs a number for \"" + key + "\"");
      return std::nullopt;
    }
    return value->get<double>();
  }

  std::vector<std::string> texts(const std::string& key) {
    std::vector<std::string> all;
    for (const Json& item : list(key)) {
      if (!item.is_string()) complain("needs texts in \"" + key + "\"");
      if (item.is_string()) all.push_back(item.get<std::string>());
    }
    return all;
  }

  const Json& list(const std::string& key) {
    static const Json empty = Json::array();
    const Json* value = find(key);
    if (value == nullptr) return empty;
    if (value->is_array()) return *value;
    complain("needs a list for \"" + key + "\"");
    return empty;
  }

  template <class T, std::size_t N>
  T word(const std::string& key, const Words<T, N>& words, T otherwise) {
    const std::string value = text(key);
    if (value.empty()) return otherwise;
    std::vector<std::string> known;
    for (const auto& [name, meaning] : words) {
      if (name == value) return meaning;
      known.emplace_back(name);
    }
    complain("has the unknown " + key + " \"" + value + "\"." + did_you_mean(value, known));
    return otherwise;
  }

  // Call last.
  void refuse_others() {
    if (!object_.is_object()) return;
    const std::set<std::string> known(asked_.begin(), asked_.end());
    for (const auto& item : object_.items()) {
      if (known.contains(item.key())) continue;
      complain("has the unknown member \"" + item.key() + "\"." + did_you_mean(item.key(), asked_));
    }
  }

 private:
  const Json& object_;
  std::string where_;
  std::string& fault_;
  std::vector<std::string> asked_;
};

std::vector<Choice> read_choices(Section& field, std::string& fault) {
  std::vector<Choice> choices;
  for (const Json& item : field.list("choices")) {
    if (item.is_string()) {
      choices.push_back({item.get<std::string>(), {}});
      continue;
    }
    Section section(item, field.where() + " choice", fault);
    choices.push_back({section.needed_text("name"), section.needed_text("help")});
    section.refuse_others();
  }
  return choices;
}

Field read_field(const Json& json, std::size_t number, std::string& fault) {
  Section in(json, "field " + std::to_string(number), fault);
  Field field;
  field.name = in.needed_text("name");
  in.name_place(field.name);
  const std::string type = in.needed_text("type");
  field.type = in.word("type", field_types, FieldType::text);
  field.many = in.flag("many") || type == "tags" || type == "links";
  field.keyed = in.word("keyed", keyed_words, Keyed::no);
  if (in.flag("per_language")) field.keyed = Keyed::language;
  field.required = in.flag("required");
  field.confidential = in.flag("confidential");
  field.searchable = in.flag("searchable");
  field.listed = in.flag("listed");
  field.exact = in.flag("exact");
  field.help = in.needed_text("help");
  field.preset = in.text("preset");
  field.choices = read_choices(in, fault);
  field.of = in.texts("of");
  field.least = in.number("least");
  field.most = in.number("most");
  in.refuse_others();
  return field;
}

// "up", "stay", {"field": "reach"} or {"to": "target"}.
AudienceRule read_audience(Section& state, std::string& fault) {
  AudienceRule rule;
  const Json* value = state.find("audience");
  if (value != nullptr && value->is_object()) {
    Section in(*value, state.where() + " audience", fault);
    const std::string to = in.text("to");
    rule.how = to.empty() ? AudienceRule::How::by_field : AudienceRule::How::to_home_of;
    rule.audience = Audience::to;
    rule.field = to.empty() ? in.needed_text("field") : to;
    in.refuse_others();
    return rule;
  }
  const std::string name = state.needed_text("audience");
  if (name == "stay") {
    rule.how = AudienceRule::How::stay;
    return rule;
  }
  const auto audience = audience_from(name);
  if (!audience || *audience == Audience::auth || *audience == Audience::to) {
    state.complain("has the unknown audience \"" + name + "\"");
    return rule;
  }
  rule.audience = *audience;
  return rule;
}

State read_state(const Json& json, std::size_t number, std::string& fault) {
  Section in(json, "state " + std::to_string(number), fault);
  State state;
  state.name = in.needed_text("name");
  in.name_place(state.name);
  state.audience = read_audience(in, fault);
  state.edits = in.word("edits", edits_words, Edits::open);
  state.help = in.needed_text("help");
  in.refuse_others();
  return state;
}

Transition read_transition(const Json& json, std::size_t number, std::string& fault) {
  Section in(json, "transition " + std::to_string(number), fault);
  Transition transition;
  transition.verb = in.needed_text("verb");
  in.name_place(transition.verb);
  transition.from = in.texts("from");
  transition.to = in.needed_text("to");
  transition.who = in.texts("who");
  transition.needs = in.texts("needs");
  transition.clears = in.texts("clears");
  transition.card = in.word("card", card_words, CardMove::leave);
  transition.help = in.needed_text("help");
  in.refuse_others();
  return transition;
}

WhenRule read_when(const Json& json, std::size_t number, std::string& fault) {
  Section in(json, "when " + std::to_string(number), fault);
  WhenRule rule{in.needed_text("field"), in.texts("is"), in.texts("needs")};
  in.refuse_others();
  return rule;
}

std::optional<Card> read_card(Section& kind, std::string& fault) {
  const Json* value = kind.find("card");
  if (value == nullptr) return std::nullopt;
  Section in(*value, "card", fault);
  const std::string name = in.needed_text("audience");
  const auto audience = audience_from(name);
  if (!audience || (*audience != Audience::all && *audience != Audience::down)) {
    in.complain("has an audience that a card cannot have: \"" + name + "\"");
  }
  Card card{audience.value_or(Audience::all), in.needed_text("shown_by")};
  in.refuse_others();
  return card;
}

// Reads each element of a list by `read`, numbering from 1.
template <class T>
std::vector<T> read_all(Section& in,
                        const std::string& key,
                        T (*read)(const Json&, std::size_t, std::string&),
                        std::string& fault) {
  std::vector<T> all;
  for (const Json& item : in.list(key)) all.push_back(read(item, all.size() + 1, fault));
  return all;
}

std::vector<std::vector<std::string>> read_one_of(Section& in) {
  std::vector<std::vector<std::string>> groups;
  for (const Json& group : in.list("one_of")) {
    std::vector<std::string> names;
    for (const Json& name : group) {
      if (name.is_string()) names.push_back(name.get<std::string>());
    }
    if (!group.is_array() || names.size() < 2) in.complain("needs lists of names in \"one_of\"");
    groups.push_back(std::move(names));
  }
  return groups;
}

Kind read_document(const Json& json, std::string& fault) {
  Section in(json, "the file", fault);
  Kind kind;
  kind.name = in.needed_text("kind");
  const double version = in.number("version").value_or(1);
  if (version < 1 || version > 1'000'000) in.complain("has an impossible version");
  if (fault.empty()) kind.version = static_cast<std::uint32_t>(version);
  kind.group = in.needed_text("group");
  kind.help = in.needed_text("help");
  kind.part_of = in.text("part_of");
  kind.titled_by = in.texts("titled_by");
  kind.writers = in.texts("writers");
  kind.fields = read_all(in, "fields", read_field, fault);
  kind.states = read_all(in, "states", read_state, fault);
  kind.transitions = read_all(in, "transitions", read_transition, fault);
  kind.one_of = read_one_of(in);
  kind.when = read_all(in, "when", read_when, fault);
  kind.card = read_card(in, fault);
  in.refuse_others();
  return kind;
}

}  // namespace

Result<Kind> read_kind(const KindFile& file) {
  const auto refuse = [&](const std::string& what) {
    return fail(Errc::malformed, "kind.file", std::string(file.name) + ": " + what + ".",
                "No other kind is affected.", "See docs/kinds.md for the form of a kind file.");
  };
  const Json json = Json::parse(file.text, nullptr, false);
  if (json.is_discarded()) return refuse("this is not JSON");
  std::string fault;
  Kind kind = read_document(json, fault);
  if (fault.empty()) fault = fault_of(kind);
  if (!fault.empty()) return refuse(fault);
  return kind;
}

}  // namespace chapterd
