// Names of fields: their form, their keys, and the nearest known one for a mistyped one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace chapterd {

// Lower-case words joined by underscores, 1 to 40 characters, beginning with a letter.
[[nodiscard]] bool is_snake_case(std::string_view name);

// A code such as `P.1.1` or `FIN-3`: 1 to 40 letters, digits, dots, dashes, underscores.
[[nodiscard]] bool is_code(std::string_view text);

// BCP 47 in its usual forms: `fr`, `pt-BR`, `zh-Hans`.
[[nodiscard]] bool is_language(std::string_view text);

// "title/fr" is field "title" with key "fr"; without a slash the key is empty.
struct FieldName {
  std::string_view field;
  std::string_view key;
};

[[nodiscard]] FieldName split_name(std::string_view stored);
[[nodiscard]] std::string keyed_name(std::string_view field, std::string_view key);

// The candidate that differs least, when it differs little enough to be what was meant; else empty.
[[nodiscard]] std::string closest(std::string_view name,
                                  const std::vector<std::string>& candidates);

// " Did you mean “title”?", or nothing.
[[nodiscard]] std::string did_you_mean(std::string_view name,
                                       const std::vector<std::string>& candidates);

}  // namespace chapterd
