// Finding the record that a person means: by its id, the beginning or the end of it, or its code.
#pragma once

#include "daemon/cli/context.h"

#include <string>
#include <vector>

namespace chapterd {

// The last eight characters: those before them are the time, and much alike.
[[nodiscard]] std::string short_id(const std::string& id);

// Whether four or more characters of an id, at one of its ends; "…" in front is skipped.
[[nodiscard]] bool is_id_or_part(std::string_view text);

// The whole id. `kinds` are the kinds it may be of; a kind with a field `code` is also found by it.
// Errors: record.unknown (not_found), record.ambiguous (usage).
[[nodiscard]] Result<std::string> find_record(Context& context,
                                              const std::string& text,
                                              const std::vector<std::string>& kinds);

// What stands in a link field: "HOME/ID", with "@REVISION" where the field needs the exact one.
[[nodiscard]] Result<std::string> link_to(Context& context,
                                          const Field& field,
                                          const std::string& text);

// The names of all kinds that people keep records of.
[[nodiscard]] std::vector<std::string> kind_names(const Kinds& kinds);

}  // namespace chapterd
