// What a record would be after an edit.
#include "domain/wishes.h"

#include "domain/names.h"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace chapterd {
namespace {

using Json = nlohmann::json;

bool holds(const std::vector<Bytes>& values, const Bytes& value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

}  // namespace

Wishes::Wishes(const Kind& kind, const RecordView& view) : kind_(kind), view_(view) {
  for (const ShownField& shown : view.fields) {
    if (shown.name != state_field) after_.emplace(shown.name, shown);
  }
}

void Wishes::find(std::string name, std::string code, std::string message) {
  findings_.push_back({std::move(name), std::move(code), std::move(message)});
}

void Wishes::read_edit(const Json& edit) {
  if (!edit.is_object()) return find("", "edit.form", "An edit must be a JSON object.");
  for (const auto& part : edit.items()) {
    const std::string& verb = part.key();
    const Json& wishes = part.value();
    const bool fits = verb == "clear" ? wishes.is_array() : wishes.is_object();
    if (verb != "set" && verb != "clear" && verb != "add" && verb != "remove") {
      find("", "edit.form", "“" + verb + "” is none of: set, clear, add, remove.");
    } else if (!fits) {
      find("", "edit.form", "“" + verb + "” has the wrong form.");
    } else if (verb == "set") {
      read_fields(wishes);
    } else if (verb == "clear") {
      for (const Json& name : wishes) set(name.is_string() ? name.get<std::string>() : "", nullptr);
    } else {
      for (const auto& item : wishes.items()) {
        change_elements(item.key(), item.value(), verb == "add" ? Action::add : Action::remove);
      }
    }
  }
}

void Wishes::read_fields(const Json& fields) {
  if (!fields.is_object()) return find("", "edit.form", "Fields must be a JSON object.");
  for (const auto& item : fields.items()) set(item.key(), item.value());
}

void Wishes::clear(const std::string& name) {
  for (const std::string& stored : names_of(name)) {
    after_.erase(stored);
    touched_.insert(stored);
  }
}

const ShownField* Wishes::after(const std::string& stored) const {
  const auto at = after_.find(stored);
  return at == after_.end() ? nullptr : &at->second;
}

std::vector<std::string> Wishes::names_of(const std::string& field) const {
  std::vector<std::string> names;
  for (const auto& [stored, shown] : after_) {
    if (split_name(stored).field == field) names.push_back(stored);
  }
  return names;
}

Json Wishes::fields_after() const {
  RecordView view;
  for (const auto& [stored, shown] : after_) view.fields.push_back(shown);
  return fields_json(view, &kind_);
}

Wishes::Target Wishes::target(const std::string& name) {
  const Field* field = kind_.field(name);
  if (field == nullptr) {
    findings_.push_back(unknown_field(kind_, name));
    return {};
  }
  const bool has_key = name.find('/') != std::string::npos;
  if (has_key && !is_key(*field, split_name(name).key)) {
    find(name, "field.key", "This needs a " + key_name(*field) + " behind the slash.");
    return {};
  }
  if (has_key && field->keyed == Keyed::no) {
    find(name, "field.key", field->name + " has no keys.");
    return {};
  }
  return {field, name};
}

void Wishes::set(const std::string& name, const Json& value) {
  if (name == state_field || name == deleted_field) return set_reserved(name, value);
  const Target found = target(name);
  if (found.field == nullptr) return;
  const bool all_keys = found.field->keyed != Keyed::no && found.stored == found.field->name;
  if (all_keys && value.is_null()) return clear(name);
  if (all_keys) return set_keys(*found.field, value);
  set_one(found, value);
}

void Wishes::set_keys(const Field& field, const Json& values) {
  if (!values.is_object()) {
    const std::string key = field.per_language() ? "fr" : "CODE";
    return find(field.name, "field.type",
                "This needs a " + key_name(field) + ": {\"" + key + "\": …} or " + field.name +
                    "/" + key + ".");
  }
  for (const auto& item : values.items()) {
    const Target found = target(keyed_name(field.name, item.key()));
    if (found.field != nullptr) set_one(found, item.value());
  }
}

void Wishes::set_one(const Target& target, const Json& value) {
  if (value.is_null()) return write(target, {});
  if (target.field->many) {
    if (!value.is_array()) return find(target.stored, "field.type", "This must be a list.");
    return write(target, elements(target, value));
  }
  auto stored = to_stored(*target.field, value, view_.key.home);
  if (!stored) return find(target.stored, stored.error().code, stored.error().what);
  write(target, {std::move(*stored)});
}

void Wishes::set_reserved(const std::string& name, const Json& value) {
  if (name == deleted_field) {
    restored_ = value == false;
    if (!restored_) find(name, "edit.form", "A record is deleted by its own command.");
    return;
  }
  if (!value.is_string()) return find(name, "field.type", "This must be the name of a state.");
  state_ = value.get<std::string>();
}

std::vector<Bytes> Wishes::elements(const Target& target, const Json& value) {
  std::vector<Bytes> all;
  for (const Json& item : value.is_array() ? value : Json::array({value})) {
    auto stored = to_stored(*target.field, item, view_.key.home);
    if (!stored) {
      find(target.stored, stored.error().code, stored.error().what);
    } else if (!holds(all, *stored)) {
      all.push_back(std::move(*stored));
    }
  }
  return all;
}

void Wishes::change_elements(const std::string& name, const Json& value, Action action) {
  const Target found = target(name);
  if (found.field == nullptr) return;
  if (!found.field->many) return find(name, "field.type", "This is no list; set it instead.");
  const ShownField* before = after(found.stored);
  if (before != nullptr && before->shape == ShownField::Shape::conflict) {
    return find(name, "field.conflict", "This was changed apart; set the whole list to settle it.");
  }
  std::vector<Bytes> all = before == nullptr ? std::vector<Bytes>() : before->values;
  for (Bytes& element : elements(found, value)) {
    if (action == Action::remove) {
      std::erase(all, element);
    } else if (!holds(all, element)) {
      all.push_back(std::move(element));
    }
  }
  write(found, std::move(all));
}

void Wishes::write(const Target& target, std::vector<Bytes> values) {
  if (values.size() > set_elements) {
    find(target.stored, "field.length",
         "The most is " + std::to_string(set_elements) + " elements.");
    return;
  }
  touched_.insert(target.stored);
  if (values.empty()) {
    after_.erase(target.stored);
    return;
  }
  const auto shape = target.field->many ? ShownField::Shape::set : ShownField::Shape::one;
  after_[target.stored] = {target.stored, {}, shape, std::move(values)};
}

}  // namespace chapterd
