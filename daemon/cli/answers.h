// Reading the node's answers without trusting their shape: what is missing or of another type is
// empty, so that an older command line works with a newer daemon.
#pragma once

#include <nlohmann/json.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace chapterd {

using Json = nlohmann::json;

[[nodiscard]] inline const Json& member(const Json& json, std::string_view name) {
  static const Json nothing;
  if (!json.is_object()) return nothing;
  const auto at = json.find(name);
  return at == json.end() ? nothing : *at;
}

[[nodiscard]] inline std::string text(const Json& json, std::string_view name) {
  const Json& value = member(json, name);
  return value.is_string() ? value.get<std::string>() : std::string();
}

[[nodiscard]] inline std::optional<std::int64_t> number(const Json& json, std::string_view name) {
  const Json& value = member(json, name);
  if (value.is_number_integer()) return value.get<std::int64_t>();
  return std::nullopt;
}

// Counts: nothing is 0.
[[nodiscard]] inline std::uint64_t count(const Json& json, std::string_view name) {
  const auto value = number(json, name);
  return value && *value > 0 ? static_cast<std::uint64_t>(*value) : 0;
}

[[nodiscard]] inline bool is_true(const Json& json, std::string_view name) {
  const Json& value = member(json, name);
  return value.is_boolean() && value.get<bool>();
}

// An array, empty when there is none.
[[nodiscard]] inline const Json& list(const Json& json, std::string_view name) {
  static const Json none = Json::array();
  const Json& value = member(json, name);
  return value.is_array() ? value : none;
}

}  // namespace chapterd
