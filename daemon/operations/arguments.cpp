// Strict reading of arguments.
#include "daemon/operations/arguments.h"

#include "domain/names.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

namespace chapterd {
namespace {

using Json = nlohmann::json;

constexpr const char* unchanged = "Nothing was changed.";

}  // namespace

std::string shown(std::string_view text) {
  constexpr std::size_t most = 80;
  std::string kept(text.substr(0, most));
  // Not in the middle of a character.
  while (text.size() > most && !kept.empty() && (text[kept.size()] & '\xC0') == '\x80')
    kept.pop_back();
  std::ranges::replace_if(
      kept, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }, ' ');
  return "“" + kept + (text.size() > most ? "…”" : "”");
}

void Arguments::complain(const char* code, std::string what, std::string next) {
  if (!fault_) fault_.emplace(Errc::usage, code, std::move(what), unchanged, std::move(next));
}

void Arguments::wrong_type(std::string_view name, std::string_view wanted) {
  complain("argument.type", shown(name) + " must be " + std::string(wanted) + ".",
           "Correct it and try again.");
}

const Json* Arguments::find(std::string_view name) {
  known_.emplace_back(name);
  const auto at = args_.find(name);
  return at == args_.end() || at->is_null() ? nullptr : &*at;
}

std::string Arguments::text(std::string_view name) {
  const Json* value = find(name);
  if (value == nullptr) {
    complain("argument.missing", shown(name) + " is missing.", "Give it and try again.");
    return {};
  }
  if (value->is_string()) return value->get<std::string>();
  wrong_type(name, "a text");
  return {};
}

std::string Arguments::text_or(std::string_view name, std::string_view otherwise) {
  const Json* value = find(name);
  if (value == nullptr) return std::string(otherwise);
  if (value->is_string()) return value->get<std::string>();
  wrong_type(name, "a text");
  return {};
}

std::uint64_t Arguments::number_or(std::string_view name,
                                   std::uint64_t otherwise,
                                   std::uint64_t least,
                                   std::uint64_t most) {
  const Json* value = find(name);
  if (value == nullptr) return otherwise;
  if (!value->is_number_integer()) {
    wrong_type(name, "a whole number");
    return otherwise;
  }
  const bool negative = !value->is_number_unsigned() && value->get<std::int64_t>() < 0;
  const auto number = value->get<std::uint64_t>();
  if (!negative && number >= least && number <= most) return number;
  complain(
      "argument.range",
      shown(name) + " must be from " + std::to_string(least) + " to " + std::to_string(most) + ".",
      "Correct it and try again.");
  return otherwise;
}

bool Arguments::flag(std::string_view name) {
  const Json* value = find(name);
  if (value == nullptr) return false;
  if (value->is_boolean()) return value->get<bool>();
  wrong_type(name, "true or false");
  return false;
}

std::optional<std::vector<std::string>> Arguments::texts(std::string_view name) {
  const Json* value = find(name);
  if (value == nullptr) return std::nullopt;
  std::vector<std::string> all;
  const bool good = value->is_array() &&
                    std::ranges::all_of(*value, [](const Json& item) { return item.is_string(); });
  if (!good) {
    wrong_type(name, "a list of texts");
    return all;
  }
  for (const Json& item : *value) all.push_back(item.get<std::string>());
  return all;
}

Json Arguments::object(std::string_view name) {
  const Json* value = find(name);
  if (value == nullptr) return Json::object();
  if (value->is_object()) return *value;
  wrong_type(name, "a map of names to values");
  return Json::object();
}

Result<void> Arguments::done() {
  for (const auto& item : args_.items()) {
    if (std::ranges::find(known_, item.key()) != known_.end()) continue;
    std::string allowed;
    for (const std::string& name : known_) allowed += (allowed.empty() ? "" : ", ") + name;
    complain("argument.unknown",
             "There is no argument " + shown(item.key()) + "." +
                 did_you_mean(item.key().substr(0, 80), known_),
             allowed.empty() ? "Leave it out: there are no arguments here."
                             : "Arguments here are: " + allowed + ".");
  }
  if (fault_) return fail(*fault_);
  return {};
}

}  // namespace chapterd
