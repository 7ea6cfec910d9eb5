// Words of the command line into typed values. What does not fit its type goes to the node as text:
// the node's refusal names the field and what is allowed.
#include "daemon/cli/record_fields.h"

#include "daemon/cli/answers.h"
#include "daemon/cli/record_ids.h"
#include "domain/names.h"
#include "domain/validation.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>

namespace chapterd {
namespace {

tl::unexpected<Error> usage(std::string code, std::string what, std::string next) {
  return fail(Errc::usage, "cli." + std::move(code), std::move(what), "Nothing was written.",
              std::move(next));
}

std::string value_name(const Field& field) {
  std::string name = "TEXT";
  switch (field.type) {
    case FieldType::number:
    case FieldType::integer:
    case FieldType::score:
      name = "NUMBER";
      break;
    case FieldType::date:
      name = "DATE";
      break;
    case FieldType::period:
      name = "PERIOD";
      break;
    case FieldType::boolean:
      name = "yes|no";
      break;
    case FieldType::choice:
      name = "WORD";
      break;
    case FieldType::link:
      name = "ID";
      break;
    case FieldType::place:
      name = "PLACE";
      break;
    case FieldType::language:
      name = "LANGUAGE";
      break;
    case FieldType::part:
      name = "VALUE";
      break;
    default:
      break;
  }
  if (field.keyed == Keyed::language) return "[LANGUAGE=]" + name;
  return field.keyed == Keyed::code ? "CODE=" + name : name;
}

std::string help_of(const Field& field) {
  std::string help = field.help;
  if (!field.choices.empty()) {
    help += " One of: ";
    for (const Choice& choice : field.choices) {
      help += (&choice == &field.choices.front() ? "" : ", ") + dashed(choice.name);
    }
    help += ".";
  }
  if (field.confidential) help += " Confidential: stays in this chapter.";
  return help;
}

std::string underscored(std::string_view name) {
  std::string text(name);
  std::replace(text.begin(),
               text.begin() + static_cast<std::ptrdiff_t>(std::min(text.find('/'), text.size())),
               '-', '_');
  return text;
}

// A JSON number, or nothing.
std::optional<Json> as_number(const std::string& text) {
  Json number = Json::parse(text, nullptr, false);
  if (number.is_number()) return number;
  return std::nullopt;
}

Json as_choice(const Field& field, const std::string& text) {
  const std::string name = underscored(text);
  return field.choice(text) == nullptr && field.choice(name) != nullptr ? name : text;
}

Json as_boolean(const std::string& text) {
  if (text == "yes" || text == "true") return true;
  if (text == "no" || text == "false") return false;
  return text;
}

bool is_numeric(const Field& field) {
  return field.type == FieldType::number || field.type == FieldType::integer ||
         field.type == FieldType::score;
}

bool is_text(const Field& field) {
  return field.type == FieldType::text || field.type == FieldType::long_text;
}

// {"value": 3} for "3": the first field of the part that can hold what was written.
Json as_part(const Field& field, const std::string& text) {
  Json whole = Json::parse(text, nullptr, false);
  if (whole.is_object()) return whole;
  const std::span<const Field> fields =
      field.part == nullptr ? std::span<const Field>() : std::span(field.part->fields);
  for (const Field& inner : fields) {
    if (whole.is_number() && is_numeric(inner)) return {{inner.name, whole}};
    const Json chosen = as_choice(inner, text);
    if (inner.choice(chosen.get<std::string>()) != nullptr) return {{inner.name, chosen}};
  }
  const auto in_text = std::ranges::find_if(fields, is_text);
  return in_text == fields.end() ? Json(text) : Json{{in_text->name, text}};
}

// "@notes.md" is the contents of the file, "@@x" is "@x". A text of one line ends before the end
// of that line.
Result<Json> as_text(const Context& context, const Field& field, const std::string& text) {
  if (!text.starts_with('@')) return Json(text);
  if (text.starts_with("@@")) return Json(text.substr(1));
  auto read = context.read_text(text.substr(1));
  if (!read) return forward(read);
  while (field.type == FieldType::text && (read->ends_with('\n') || read->ends_with('\r')))
    read->pop_back();
  return Json(std::move(*read));
}

Result<Json> value_of(Context& context, const Field& field, const std::string& text) {
  switch (field.type) {
    case FieldType::number:
    case FieldType::integer:
    case FieldType::score:
      return as_number(text).value_or(Json(text));
    case FieldType::boolean:
      return as_boolean(text);
    case FieldType::choice:
      return as_choice(field, text);
    case FieldType::part:
      return as_part(field, text);
    case FieldType::text:
    case FieldType::long_text:
      return as_text(context, field, text);
    case FieldType::link: {
      auto link = link_to(context, field, text);
      if (!link) return forward(link);
      return Json(std::move(*link));
    }
    default:
      return Json(text);
  }
}

// The language of the person's terminal, for texts that are given without one.
std::string own_language(const Context& context) {
  for (const char* name : {"LC_ALL", "LC_MESSAGES", "LANG"}) {
    const auto at = context.around.environment.find(name);
    if (at == context.around.environment.end() || at->second.empty()) continue;
    const std::string word = at->second.substr(0, at->second.find_first_of("_.@"));
    return is_language(word) && word != "C" && word != "POSIX" ? word : "en";
  }
  return "en";
}

struct Pair {
  std::string name;
  std::string value;
};

std::optional<Pair> split_pair(const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) return std::nullopt;
  return Pair{text.substr(0, equals), text.substr(equals + 1)};
}

// Takes values one by one into {field: value}; those of a set add up.
class Collected {
 public:
  Collected(Context& context, const Kind& kind) : context_(context), kind_(kind) {}

  Result<void> take_file(const std::string& path) {
    const auto text = context_.read_text(path);
    if (!text) return forward(text);
    Json fields = Json::parse(*text, nullptr, false);
    if (!fields.is_object()) {
      return usage("bad-fields", "“" + path + "” does not hold a JSON object of fields.",
                   "It should look like: {\"title\": \"…\"}");
    }
    fields_ = std::move(fields);
    return {};
  }

  // --title VALUE or --response CODE=VALUE
  Result<void> take_flag(const Field& field, const std::string& given) {
    if (field.keyed == Keyed::no) return take(field, field.name, given);
    const auto pair = split_pair(given);
    if (pair && is_key(field, pair->name)) {
      return take(field, keyed_name(field.name, pair->name), pair->value);
    }
    if (field.keyed == Keyed::language) {
      return take(field, keyed_name(field.name, own_language(context_)), given);
    }
    return usage("bad-set", "--" + dashed(field.name) + " needs a code: “" + given + "”.",
                 "Write it as: --" + dashed(field.name) + " CODE=VALUE");
  }

  // --set name=value; nothing behind the sign empties the field.
  Result<void> take_pair(const std::string& flag, const std::string& given) {
    const auto pair = split_pair(given);
    if (!pair) {
      return usage("bad-set", "--" + flag + " is “" + given + "”.",
                   "Write it as: --" + flag + " field=value");
    }
    const std::string name = underscored(pair->name);
    const Field* field = kind_.field(name);
    if (field == nullptr) return unknown(pair->name);
    if (pair->value.empty()) {
      fields_[name] = nullptr;
      return {};
    }
    if (field->keyed != Keyed::no && name == field->name) return take_flag(*field, pair->value);
    return take(*field, name, pair->value);
  }

  tl::unexpected<Error> unknown(const std::string& name) const {
    std::vector<std::string> known;
    known.reserve(kind_.fields.size());
    for (const Field& field : kind_.fields) known.push_back(field.name);
    const std::string meant = closest(underscored(name), known);
    return usage("unknown-field", an(kind_.name) + " has no field “" + name + "”.",
                 (meant.empty() ? "" : "Did you mean “" + meant + "”? ") +
                     std::string("See: chapterd ") + dashed(kind_.name) + " add --help");
  }

  Json fields() { return std::move(fields_); }

 private:
  Result<void> take(const Field& field, const std::string& stored, const std::string& given) {
    auto value = value_of(context_, field, given);
    if (!value) return forward(value);
    if (!field.many) {
      fields_[stored] = std::move(*value);
    } else if (!fields_[stored].is_array() || !taken_.contains(stored)) {
      fields_[stored] = Json::array({std::move(*value)});
    } else {
      fields_[stored].push_back(std::move(*value));
    }
    taken_[stored] = true;
    return {};
  }

  Context& context_;
  const Kind& kind_;
  Json fields_ = Json::object();
  std::map<std::string, bool> taken_;  // from the line, not from the file
};

bool is_taken_name(const std::string& name) {
  constexpr std::array<std::string_view, 10> own{"set",  "fields", "clear",   "add", "remove",
                                                 "then", "wait",   "timeout", "yes", "state"};
  return std::ranges::find(own, name) != own.end() ||
         std::ranges::any_of(global_flags(), [&](const Flag& flag) { return flag.name == name; });
}

}  // namespace

std::vector<Flag> field_flags(const Kind& kind, const FieldChoice& choice) {
  std::vector<Flag> flags;
  for (const Field& field : kind.fields) {
    if (is_taken_name(dashed(field.name))) continue;
    const bool shown =
        choice.shown.empty() || std::ranges::find(choice.shown, field.name) != choice.shown.end();
    flags.push_back(Flag{.name = dashed(field.name),
                         .value = value_name(field),
                         .help = help_of(field),
                         .many = field.many || field.keyed != Keyed::no,
                         .hidden = !shown});
  }
  flags.push_back(Flag{.name = "set",
                       .value = "FIELD=VALUE",
                       .help = "Any field by its name, such as title/fr=…; nothing empties it.",
                       .many = true});
  flags.push_back(
      Flag{.name = "fields", .value = "FILE", .help = "A JSON object of fields; - is stdin."});
  return flags;
}

std::vector<Flag> edit_flags() {
  return {Flag{.name = "clear", .value = "FIELD", .help = "Empties it.", .many = true},
          Flag{.name = "add",
               .value = "FIELD=VALUE",
               .help = "Puts one more into a list.",
               .many = true},
          Flag{.name = "remove",
               .value = "FIELD=VALUE",
               .help = "Takes one out of a list.",
               .many = true}};
}

Result<Json> given_fields(Context& context, const Kind& kind) {
  Collected collected(context, kind);
  if (context.given.has("fields")) {
    auto taken = collected.take_file(context.given.text("fields"));
    if (!taken) return forward(taken);
  }
  for (const Field& field : kind.fields) {
    if (is_taken_name(dashed(field.name))) continue;
    for (const std::string& given : context.given.all(dashed(field.name))) {
      auto taken = collected.take_flag(field, given);
      if (!taken) return forward(taken);
    }
  }
  for (const std::string& given : context.given.all("set")) {
    auto taken = collected.take_pair("set", given);
    if (!taken) return forward(taken);
  }
  return collected.fields();
}

Result<Json> given_edit(Context& context, const Kind& kind) {
  auto set = given_fields(context, kind);
  if (!set) return forward(set);
  Json edit = Json::object();
  if (!set->empty()) edit["set"] = std::move(*set);
  for (const std::string& name : context.given.all("clear")) {
    if (kind.field(underscored(name)) == nullptr) return Collected(context, kind).unknown(name);
    edit["clear"].push_back(underscored(name));
  }
  for (const char* verb : {"add", "remove"}) {
    Collected collected(context, kind);
    for (const std::string& given : context.given.all(verb)) {
      auto taken = collected.take_pair(verb, given);
      if (!taken) return forward(taken);
    }
    if (Json elements = collected.fields(); !elements.empty()) edit[verb] = std::move(elements);
  }
  if (!edit.empty()) return edit;
  return usage("nothing-given", "Nothing was given to change.",
               "See: chapterd " + dashed(kind.name) + " edit --help");
}

}  // namespace chapterd
