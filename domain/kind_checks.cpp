// What can be wrong inside one kind, though its file has the right form.
#include "domain/kind_reader.h"
#include "domain/names.h"

#include <algorithm>
#include <array>
#include <set>

namespace chapterd {
namespace {

// Roles that a kind file may name. "author" and "not_author" say something about the record
// besides.
constexpr std::array<std::string_view, 9> roles{"viewer",   "editor",      "reviewer",
                                                "assessor", "coordinator", "steward",
                                                "node",     "author",      "not_author"};

// Collects the first fault.
class Faults {
 public:
  void unless(bool good, const std::string& what) {
    if (!good && first_.empty()) first_ = what;
  }

  [[nodiscard]] std::string first() const { return first_; }

 private:
  std::string first_;
};

void check_roles(const std::vector<std::string>& who, const std::string& where, Faults& faults) {
  faults.unless(!who.empty(), where + " says nobody may do it");
  for (const std::string& role : who) {
    const bool known = std::find(roles.begin(), roles.end(), role) != roles.end();
    faults.unless(known, where + " has the unknown role \"" + role + "\"");
  }
}

void check_field(const Kind& kind, const Field& field, Faults& faults) {
  const std::string where = "field " + field.name;
  faults.unless(is_snake_case(field.name), where + " must be in snake_case");
  faults.unless(field.name != state_field && field.name != deleted_field,
                where + " has a reserved name");
  faults.unless(!(field.many && field.keyed != Keyed::no), where + " is both a set and keyed");
  const bool chooses = field.type == FieldType::choice;
  faults.unless(chooses == !field.choices.empty(),
                where + (chooses ? " has no choices" : " has choices but is none"));
  const bool points = field.type == FieldType::link || field.type == FieldType::part;
  faults.unless(points == !field.of.empty(),
                where + (points ? " does not say of which kind" : " is of no kind"));
  faults.unless(field.type != FieldType::part || field.of.size() == 1,
                where + " can be a part of one kind only");
  faults.unless(!field.exact || field.type == FieldType::link, where + " is no link to be exact");
  faults.unless(field.preset.empty() || !field.choices.empty(), where + " cannot have a preset");
  faults.unless(field.preset.empty() || field.choice(field.preset) != nullptr,
                where + " has a preset that is none of its choices");
  if (kind.part_of.empty()) return;
  faults.unless(!field.confidential, where + " cannot be confidential inside a part");
  faults.unless(!points, where + " cannot be a link or a part inside a part");
}

void check_known(const Kind& kind,
                 const std::vector<std::string>& names,
                 const std::string& where,
                 Faults& faults) {
  for (const std::string& name : names) {
    const Field* field = kind.field(name);
    faults.unless(field != nullptr && field->name == name,
                  where + " names the unknown field \"" + name + "\"");
  }
}

// A rule must not make a record reach whoever its fields do not name on purpose.
void check_audience(const Kind& kind, const State& state, Faults& faults) {
  const AudienceRule& rule = state.audience;
  const std::string where = "state " + state.name;
  const bool first = &state == &kind.states.front();
  faults.unless(!first || rule.how != AudienceRule::How::stay, where + " is first and cannot stay");
  if (rule.field.empty()) return;
  const Field* field = kind.field(rule.field);
  faults.unless(
      field != nullptr && !field->confidential && !field->many && field->keyed == Keyed::no,
      where + " takes its audience from a field that cannot name one");
  if (field == nullptr) return;
  if (rule.how == AudienceRule::How::to_home_of) {
    faults.unless(field->type == FieldType::link && field->required,
                  where + " goes to the home of a field that is no required link");
    return;
  }
  faults.unless(field->required || !field->preset.empty(),
                where + " takes its audience from a field that may be empty");
  for (const Choice& choice : field->choices) {
    const auto audience = audience_from(choice.name);
    faults.unless(audience && *audience != Audience::auth && *audience != Audience::to,
                  where + ": \"" + choice.name + "\" is no audience");
  }
  faults.unless(!field->choices.empty(), where + " takes its audience from no choice");
}

void check_transition(const Kind& kind, const Transition& step, Faults& faults) {
  const std::string where = "transition " + step.verb;
  faults.unless(is_snake_case(step.verb), where + " must be in snake_case");
  check_roles(step.who, where, faults);
  check_known(kind, step.needs, where, faults);
  check_known(kind, step.clears, where, faults);
  faults.unless(!step.from.empty(), where + " begins nowhere");
  faults.unless(step.card == CardMove::leave || kind.card, where + " moves a card, there is none");
  const State* to = kind.state(step.to);
  faults.unless(to != nullptr, where + " leads to the unknown state \"" + step.to + "\"");
  for (const std::string& name : step.from) {
    const State* from = kind.state(name);
    faults.unless(from != nullptr, where + " begins in the unknown state \"" + name + "\"");
    if (from == nullptr || to == nullptr) continue;
    const bool both_fixed = from->audience.how == AudienceRule::How::fixed &&
                            to->audience.how == AudienceRule::How::fixed;
    faults.unless(!both_fixed || widens(from->audience.audience, to->audience.audience),
                  where + " would take the record from " +
                      std::string(name_of(from->audience.audience)) + " to " +
                      std::string(name_of(to->audience.audience)) +
                      ", which not everybody sees who has it now");
  }
}

void check_card(const Kind& kind, Faults& faults) {
  if (!kind.card) return;
  const Field* shown_by = kind.field(kind.card->shown_by);
  faults.unless(shown_by != nullptr && shown_by->type == FieldType::choice && shown_by->many,
                "the card needs a field of many choices that says what it shows");
  for (const State& state : kind.states) {
    faults.unless(state.audience.how == AudienceRule::How::fixed &&
                      state.audience.audience == Audience::chapter,
                  "a record with a card must itself stay in the chapter");
  }
  if (shown_by == nullptr) return;
  for (const Choice& choice : shown_by->choices) {
    const Field* field = kind.field(choice.name);
    faults.unless(field != nullptr && !field->confidential,
                  "the card cannot show \"" + choice.name + "\"");
  }
}

void check_part(const Kind& kind, Faults& faults) {
  faults.unless(kind.states.empty() && kind.transitions.empty() && !kind.card,
                "a part has no states, transitions or card of its own");
  faults.unless(kind.writers.empty(), "a part is written by whoever writes the whole");
}

template <class T, class Name>
void check_unique(const std::vector<T>& items, Name name, const char* what, Faults& faults) {
  std::set<std::string> seen;
  for (const T& item : items) {
    faults.unless(seen.insert(item.*name).second,
                  std::string("two ") + what + " are called \"" + item.*name + "\"");
  }
}

}  // namespace

std::string fault_of(const Kind& kind) {
  Faults faults;
  faults.unless(is_snake_case(kind.name), "the kind's name must be in snake_case");
  faults.unless(!kind.fields.empty(), "the kind has no fields");
  check_unique(kind.fields, &Field::name, "fields", faults);
  check_unique(kind.states, &State::name, "states", faults);
  check_unique(kind.transitions, &Transition::verb, "transitions", faults);
  for (const Field& field : kind.fields) check_field(kind, field, faults);
  check_known(kind, kind.titled_by, "titled_by", faults);
  for (const auto& group : kind.one_of) check_known(kind, group, "one_of", faults);
  for (const WhenRule& rule : kind.when) {
    check_known(kind, {rule.field}, "when", faults);
    check_known(kind, rule.needs, "when", faults);
  }
  check_card(kind, faults);
  if (!kind.part_of.empty()) {
    check_part(kind, faults);
    return faults.first();
  }
  faults.unless(!kind.states.empty(), "the kind has no states");
  faults.unless(!kind.titled_by.empty(), "the kind does not say by which field it is titled");
  check_roles(kind.writers, "writers", faults);
  for (const State& state : kind.states) {
    faults.unless(is_snake_case(state.name), "state " + state.name + " must be in snake_case");
    check_audience(kind, state, faults);
  }
  for (const Transition& step : kind.transitions) check_transition(kind, step, faults);
  return faults.first();
}

}  // namespace chapterd
