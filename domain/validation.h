// What is missing or wrong in what somebody filled in, per field; and the typed form of values.
#pragma once

#include "base/result.h"
#include "domain/kind.h"
#include "replication/format/ids.h"

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace chapterd {

// One thing wrong. `code` is stable and never translated ("field.unknown"); `message` is a
// sentence.
struct Finding {
  std::string field;  // as the person named it; empty when it is about the whole record
  std::string code;
  std::string message;
};

// Greatest sizes unless a kind says less, in characters and elements.
inline constexpr std::size_t text_characters = 500;
inline constexpr std::size_t long_text_characters = 20'000;
inline constexpr std::size_t set_elements = 500;

// One error for all findings: the first one decides its class, all are listed.
[[nodiscard]] Error to_error(const std::vector<Finding>& findings);

// One value (one element of a set) of this field in its stored form, or what is wrong with it: the
// error's code and sentence are those of a Finding. `own` is the home of links that name none.
[[nodiscard]] Result<Bytes> to_stored(const Field& field,
                                      const nlohmann::json& value,
                                      const ChapterId& own);

// The other way, for showing: never fails on what another version wrote, but shows it as it is.
// `field` may be null.
[[nodiscard]] nlohmann::json to_shown(const Field* field, ByteView stored);

// What breaks the rules that concern several fields (`one_of`, `when`), and which of `needs` are
// empty. `fields` is a record or a part as fields_json() makes it.
[[nodiscard]] std::vector<Finding> check_rules(const Kind& kind, const nlohmann::json& fields);
[[nodiscard]] std::vector<Finding> check_filled(const Kind& kind,
                                                const nlohmann::json& fields,
                                                const std::vector<std::string>& needs);

// Whether `key` may stand behind the slash of a keyed field; and what such a key is called.
[[nodiscard]] bool is_key(const Field& field, std::string_view key);
[[nodiscard]] std::string key_name(const Field& field);

// "Unknown field “titel”. Did you mean “title”?"
[[nodiscard]] Finding unknown_field(const Kind& kind, std::string_view name);

}  // namespace chapterd
