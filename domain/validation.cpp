// What is missing or wrong, per field; and the typed form of values.
#include "domain/validation.h"

#include "base/contract.h"
#include "domain/field_text.h"
#include "domain/names.h"
#include "domain/record.h"
#include "domain/value.h"
#include "replication/format/cbor.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

namespace chapterd {
namespace {

using Json = nlohmann::json;

tl::unexpected<Error> wrong(std::string code, std::string message) {
  return fail(Errc::usage, std::move(code), std::move(message));
}

// --- numbers ---

Result<void> check_range(const Field& field, double value) {
  if (field.least && value < *field.least) {
    return wrong("field.range", "The least is " + json_number(*field.least).dump() + ".");
  }
  if (field.most && value > *field.most) {
    return wrong("field.range", "The most is " + json_number(*field.most).dump() + ".");
  }
  return {};
}

// Whole numbers are stored as integers, however they were written, so that equal values are equal.
Result<Bytes> number_stored(const Field& field, const Json& value) {
  if (!value.is_number()) return wrong("field.type", "This must be a number.");
  const auto real = value.get<double>();
  if (!std::isfinite(real)) return wrong("field.type", "This must be a finite number.");
  const auto integer = whole_number(real);
  const bool whole = value.is_number_integer() || integer;
  if (!whole && field.type != FieldType::number) {
    return wrong("field.type", value.dump() + " is not a whole number.");
  }
  const auto in_range = check_range(field, real);
  if (!in_range) return forward(in_range);
  if (value.is_number_float() && integer) return to_cbor(Json(*integer));
  auto stored = to_cbor(value);
  if (!stored) return wrong("field.range", stored.error().what);
  return stored;
}

// --- texts ---

Result<std::string> checked_text(const Field& field, std::string_view text) {
  const bool several = field.type == FieldType::long_text;
  const std::string_view kept = trimmed(text);
  if (kept.empty()) return wrong("field.empty", "This is empty; clear the field instead.");
  if (!is_utf8(kept)) return wrong("field.text", "This is not valid UTF-8.");
  std::string clean(kept);
  if (several) std::erase(clean, '\r');  // line ends of another system
  if (!is_printable(clean, several ? Lines::several : Lines::one)) {
    return wrong("field.text", several ? "Control characters are not allowed."
                                       : "This must be one line without control characters.");
  }
  const std::size_t most = field.most ? static_cast<std::size_t>(*field.most)
                           : several  ? long_text_characters
                                      : text_characters;
  if (characters(clean) > most) {
    return wrong("field.length", "This has " + std::to_string(characters(clean)) +
                                     " characters; the most is " + std::to_string(most) + ".");
  }
  return clean;
}

Result<std::string> checked_choice(const Field& field, const std::string& text) {
  if (field.choice(text) != nullptr) return text;
  std::string names;
  std::vector<std::string> candidates;
  for (const Choice& choice : field.choices) {
    names += (names.empty() ? "" : ", ") + choice.name;
    candidates.push_back(choice.name);
  }
  return wrong("field.choice",
               "“" + text + "” is not one of: " + names + "." + did_you_mean(text, candidates));
}

// What a text of this type must look like, and an example.
struct Form {
  bool good;
  const char* expected;
};

Form form_of(FieldType type, std::string_view text) {
  switch (type) {
    case FieldType::date:
      return {is_date(text), "a date such as 2017, 2017-04 or 2017-04-28"};
    case FieldType::period:
      return {is_period(text), "a date, or a span such as 2017-04/2018-03, the earlier one first"};
    case FieldType::place:
      return {is_place(text), "a place code such as KE or KE-30 (ISO 3166)"};
    case FieldType::language:
      return {is_language(text), "a language code such as fr or pt-BR"};
    case FieldType::email:
      return {is_email(text), "an e-mail address"};
    case FieldType::url:
      return {is_url(text), "an address beginning with https://, http:// or mailto:"};
    case FieldType::doi:
      return {bare_doi(text).has_value(), "a DOI such as 10.1000/182"};
    default:
      return {true, ""};
  }
}

Result<Bytes> text_stored(const Field& field, const Json& value) {
  if (!value.is_string()) return wrong("field.type", "This must be a text.");
  auto text = checked_text(field, value.get_ref<const std::string&>());
  if (!text) return forward(text);
  if (field.type == FieldType::choice) text = checked_choice(field, *text);
  if (!text) return forward(text);
  const Form form = form_of(field.type, *text);
  if (!form.good) {
    return wrong("field.form", "“" + *text + "” is not " + form.expected + ".");
  }
  if (field.type == FieldType::doi) text = *bare_doi(*text);
  return to_cbor(Json(*text));
}

Result<Bytes> link_stored(const Field& field, const Json& value, const ChapterId& own) {
  if (!value.is_string()) return wrong("field.type", "This must be the id of a record, as text.");
  const auto link = link_from(value.get_ref<const std::string&>(), own);
  if (!link) {
    return wrong("field.form", "This is not the id of a record (HOME/ID or HOME/ID@REVISION).");
  }
  if (field.exact && !link->revision) {
    return wrong("field.revision", "This must name the exact revision: ID@REVISION.");
  }
  return CborWriter().bytes(to_bytes(*link)).take();
}

// --- parts: small maps described by a kind ---

Result<Json> part_value(const Field& field, const Json& value, const ChapterId& own);

Result<Json> part_field(const Field& field, const Json& value, const ChapterId& own) {
  const auto one = [&](const Json& item) -> Result<Json> {
    auto stored = to_stored(field, item, own);
    if (!stored) return forward(stored);
    return from_cbor(*stored);
  };
  if (!field.many && field.keyed == Keyed::no) return one(value);
  const bool fits = field.many ? value.is_array() : value.is_object();
  if (!fits)
    return wrong("field.type", field.many ? "This must be a list." : "This must be a map.");
  Json all = field.many ? Json::array() : Json::object();
  for (const auto& item : value.items()) {
    if (!field.many && !is_key(field, item.key())) {
      return wrong("field.key", "“" + item.key() + "” is not a " + key_name(field) + ".");
    }
    auto element = one(item.value());
    if (!element) return forward(element);
    if (field.many) {
      all.push_back(std::move(*element));
    } else {
      all[item.key()] = std::move(*element);
    }
  }
  return all;
}

Result<Json> part_value(const Field& field, const Json& value, const ChapterId& own) {
  CHECK(field.part != nullptr);
  if (!value.is_object()) return wrong("field.type", "This must be a map.");
  Json part = Json::object();
  for (const auto& item : value.items()) {
    if (item.value().is_null()) continue;
    const Field* inner = field.part->field(item.key());
    if (inner == nullptr || inner->name != item.key()) {
      return wrong("field.unknown", unknown_field(*field.part, item.key()).message);
    }
    auto stored = part_field(*inner, item.value(), own);
    if (!stored) return wrong(stored.error().code, inner->name + ": " + stored.error().what);
    part[item.key()] = std::move(*stored);
  }
  for (const Field& inner : field.part->fields) {
    if (inner.required && !part.contains(inner.name)) {
      return wrong("field.required", inner.name + " is missing.");
    }
  }
  const auto broken = check_rules(*field.part, part);
  if (!broken.empty()) return wrong(broken.front().code, broken.front().message);
  return part;
}

Result<Bytes> part_stored(const Field& field, const Json& value, const ChapterId& own) {
  const auto part = part_value(field, value, own);
  if (!part) return forward(part);
  return to_cbor(*part);
}

bool is_filled(const Json& fields, const std::string& name) {
  const auto at = fields.find(name);
  if (at == fields.end() || at->is_null()) return false;
  return !((at->is_array() || at->is_object()) && at->empty());
}

std::string joined(const std::vector<std::string>& names) {
  std::string all;
  for (const std::string& name : names) all += (all.empty() ? "" : ", ") + name;
  return all;
}

Errc kind_of(const Finding& finding) {
  if (finding.code.ends_with(".conflict")) return Errc::needs_person;
  if (finding.code.starts_with("state.") || finding.code.starts_with("record.")) {
    return Errc::not_allowed;
  }
  return Errc::usage;
}

}  // namespace

Error to_error(const std::vector<Finding>& findings) {
  CHECK(!findings.empty());
  std::string what;
  for (const Finding& finding : findings) {
    if (!what.empty()) what += " ";
    if (!finding.field.empty()) what += finding.field + ": ";
    what += finding.message;
  }
  const std::size_t count = findings.size();
  return {kind_of(findings.front()), findings.front().code, std::move(what), "Nothing was changed.",
          count == 1 ? "Put this right and try again."
                     : "Put these " + std::to_string(count) + " right and try again."};
}

Result<Bytes> to_stored(const Field& field, const Json& value, const ChapterId& own) {
  switch (field.type) {
    case FieldType::number:
    case FieldType::integer:
    case FieldType::score:
      return number_stored(field, value);
    case FieldType::boolean:
      if (!value.is_boolean()) return wrong("field.type", "This must be true or false.");
      return to_cbor(value);
    case FieldType::link:
      return link_stored(field, value, own);
    case FieldType::part:
      return part_stored(field, value, own);
    default:
      return text_stored(field, value);
  }
}

Json to_shown(const Field* field, ByteView stored) {
  auto json = from_cbor(stored);
  if (!json) return {{"$bytes", to_hex(stored)}};
  if (field == nullptr || field->type != FieldType::link) return *json;
  CborReader in(stored);
  const auto link = link_from(in.bytes(stored.size()));
  return link && in.finished() ? Json(to_text(*link)) : *json;
}

std::vector<Finding> check_rules(const Kind& kind, const Json& fields) {
  std::vector<Finding> findings;
  for (const auto& group : kind.one_of) {
    const auto filled = std::count_if(group.begin(), group.end(), [&](const std::string& name) {
      return is_filled(fields, name);
    });
    if (filled == 1) continue;
    findings.push_back({group.front(), "rule.one-of",
                        filled == 0 ? "One of these must be filled: " + joined(group) + "."
                                    : "Only one of these may be filled: " + joined(group) + "."});
  }
  for (const WhenRule& rule : kind.when) {
    const auto at = fields.find(rule.field);
    if (at == fields.end() || !at->is_string()) continue;
    const auto& value = at->get_ref<const std::string&>();
    if (std::find(rule.is.begin(), rule.is.end(), value) == rule.is.end()) continue;
    for (const std::string& name : rule.needs) {
      if (is_filled(fields, name)) continue;
      findings.push_back(
          {name, "field.required", "This is needed when " + rule.field + " is “" + value + "”."});
    }
  }
  return findings;
}

std::vector<Finding> check_filled(const Kind& kind,
                                  const Json& fields,
                                  const std::vector<std::string>& needs) {
  std::vector<Finding> findings;
  for (const std::string& name : needs) {
    if (is_filled(fields, name)) continue;
    const Field* field = kind.field(name);
    findings.push_back(
        {name, "field.required",
         "This must be filled" + (field == nullptr ? std::string(".") : ": " + field->help)});
  }
  return findings;
}

bool is_key(const Field& field, std::string_view key) {
  switch (field.keyed) {
    case Keyed::no:
      return key.empty();
    case Keyed::language:
      return is_language(key);
    case Keyed::code:
      return is_code(key);
  }
  return false;
}

std::string key_name(const Field& field) {
  return field.keyed == Keyed::language ? "language code" : "code";
}

Finding unknown_field(const Kind& kind, std::string_view name) {
  std::vector<std::string> names;
  for (const Field& field : kind.fields) names.push_back(field.name);
  const std::string shown(name.substr(0, 80));
  return {shown, "field.unknown",
          "“" + shown + "” is no field of " + kind.name + "." +
              did_you_mean(split_name(name).field, names)};
}

}  // namespace chapterd
