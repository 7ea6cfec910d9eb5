// Fields of a kind as options of the command line, and what was given for them as JSON.
#pragma once

#include "daemon/cli/context.h"

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <vector>

namespace chapterd {

// Which fields help lists; all others are understood all the same.
struct FieldChoice {
  std::vector<std::string> shown;  // empty: all
};

// What a text may be given as besides itself.
inline constexpr const char* texts_from_files =
    "A text may come from a file: @FILE, or @- for stdin. One that begins with @ is written @@.";

// One option a field, --set and --fields.
[[nodiscard]] std::vector<Flag> field_flags(const Kind& kind, const FieldChoice& choice);
// --clear, --add and --remove, which only an edit has.
[[nodiscard]] std::vector<Flag> edit_flags();

// {field: value} of what was given, as record.add takes it. Errors: cli.unknown-field,
// cli.bad-set, those of reading files and of finding linked records.
[[nodiscard]] Result<nlohmann::json> given_fields(Context& context, const Kind& kind);

// {set, clear, add, remove} as record.edit takes it.
[[nodiscard]] Result<nlohmann::json> given_edit(Context& context, const Kind& kind);

}  // namespace chapterd
