// A kind of record, as data: its fields, states and transitions, read from one JSON file a kind.
// How to write such a file: docs/kinds.md. Everything here is immutable once loaded.
#pragma once

#include "base/result.h"
#include "replication/format/audience.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace chapterd {

struct Kind;

// Reserved names: fields that every record has and no kind file may declare.
inline constexpr std::string_view state_field = "state";
inline constexpr std::string_view deleted_field = "deleted";

enum class FieldType {
  text,       // one line
  long_text,  // Markdown subset, several lines
  number,     // whole or fractional
  integer,
  score,   // a level on a scale: an integer
  date,    // 2017, 2017-04 or 2017-04-28
  period,  // a date, or two joined by "/"
  boolean,
  choice,    // one of `choices`
  link,      // a record, with or without the exact revision
  place,     // ISO 3166-1 alpha-2 or 3166-2
  language,  // BCP 47
  email,
  url,  // http, https or mailto
  doi,
  part,  // a small map, described by a kind of its own that is `part_of` this one
};

// Whether a field is one register, or one for each language or code: `title/fr`, `response/P.1.1`.
enum class Keyed { no, language, code };

struct Choice {
  std::string name;
  std::string help;
};

struct Field {
  std::string name;  // snake_case
  FieldType type = FieldType::text;
  bool many = false;  // an add-wins set of such values (`tags`, `links`, or "many": true)
  Keyed keyed = Keyed::no;
  bool required = false;      // from the first write on; never cleared
  bool confidential = false;  // stays in the `chapter` layer whatever the record's audience
  bool searchable = false;
  bool listed = false;  // a column of the kind's list
  bool exact = false;   // a link must name the revision that it is about
  std::string help;
  std::string preset;  // written when a record is made without this field; empty: none
  std::vector<Choice> choices;
  std::vector<std::string> of;  // kinds that a link may point at; the kind that describes a part
  std::optional<double> least;  // smallest number
  std::optional<double> most;   // greatest number; for texts the greatest count of characters
  const Kind* part = nullptr;   // of type part: owned by the same Kinds

  [[nodiscard]] bool per_language() const { return keyed == Keyed::language; }

  [[nodiscard]] const Choice* choice(std::string_view name_) const;
};

// Which layer a record in some state is written to.
struct AudienceRule {
  enum class How {
    fixed,       // always `audience`
    by_field,    // the choice in `field` is the name of an audience
    to_home_of,  // `to` the home chapter of the record that the link in `field` points at
    stay,        // wherever it already is
  };

  How how = How::fixed;
  Audience audience = Audience::chapter;
  std::string field;
};

// What an edit does while a record is in a state.
enum class Edits {
  open,   // it is written to the record's layer
  draft,  // it waits in the `chapter` layer over what others see, until a transition carries it on
  none,   // it is refused, but for confidential fields
};

struct State {
  std::string name;
  AudienceRule audience;
  Edits edits = Edits::open;
  std::string help;
};

// What a transition does with the card, the part of a record that is shown by consent.
enum class CardMove { leave, show, hide };

struct Transition {
  std::string verb;                 // "submit": what the command line and the API call it
  std::vector<std::string> from;    // states
  std::string to;                   // state; its audience is where the record then is
  std::vector<std::string> who;     // roles, and "author" / "not_author"
  std::vector<std::string> needs;   // fields that must be filled
  std::vector<std::string> clears;  // fields that are emptied in every layer
  CardMove card = CardMove::leave;
  std::string help;
};

// Fields copied to a wider layer one by one, as the choices in the set field `shown_by` say.
struct Card {
  Audience audience = Audience::all;
  std::string shown_by;
};

// "When `field` is one of `is`, `needs` must be filled."
struct WhenRule {
  std::string field;
  std::vector<std::string> is;
  std::vector<std::string> needs;
};

struct Kind {
  std::string name;
  std::uint32_t version = 1;
  std::string group;  // heading it is listed under
  std::string help;
  std::string part_of;  // not empty: not a record, but the shape of a field of that kind
  std::vector<std::string>
      titled_by;  // fields that title a record in a list: the first that is filled
  std::vector<std::string> writers;  // roles that may create and edit
  std::vector<Field> fields;         // in the order that forms show them
  std::vector<State> states;         // the first is where a record begins
  std::vector<Transition> transitions;
  std::vector<std::vector<std::string>> one_of;  // of each group exactly one must be filled
  std::vector<WhenRule> when;
  std::optional<Card> card;

  // By declared or stored name: "title/fr" finds "title". Null when there is none.
  [[nodiscard]] const Field* field(std::string_view name_) const;
  [[nodiscard]] const State* state(std::string_view name_) const;
  [[nodiscard]] const Transition* transition(std::string_view verb) const;
};

// One kind file before it is read; both borrow.
struct KindFile {
  std::string_view name;  // for messages: "insight.json"
  std::string_view text;
};

// The files that were built into the program.
[[nodiscard]] std::span<const KindFile> embedded_kinds();

// True when everybody who may hold `narrow` may hold `wide` too: a record may go from one to the
// other.
[[nodiscard]] bool widens(Audience narrow, Audience wide);

// The table of all kinds. Pointers to kinds stay valid as long as the table, also when it is moved.
class Kinds {
 public:
  // From the embedded files. An error names the file and what is wrong in it.
  [[nodiscard]] static Result<Kinds> load();
  [[nodiscard]] static Result<Kinds> parse(std::span<const KindFile> files);

  // Null for a kind that this version does not know.
  [[nodiscard]] const Kind* find(std::string_view name) const;
  // Kinds that people keep records of, by name: without those that are part of another.
  [[nodiscard]] std::vector<const Kind*> records() const;
  [[nodiscard]] std::vector<const Kind*> all() const;

 private:
  std::vector<std::unique_ptr<Kind>> kinds_;  // by name
};

}  // namespace chapterd
