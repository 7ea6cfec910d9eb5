// Requests and answers of joining, of new keys and of moves as text files, fit for a stick, an
// e-mail or a messenger.
#pragma once

#include "base/result.h"

#include <string>
#include <string_view>

namespace chapterd {

enum class EnrolKind { none, request, answer, key_request, move_offer };

// Which of them a text is, by its first line; none for anything else (an invite).
[[nodiscard]] EnrolKind enrol_kind(std::string_view text);

// The file: a first line, sentences for whoever finds it, the base32 in groups of five, a check.
[[nodiscard]] std::string enrol_text(EnrolKind kind,
                                     std::string_view base32,
                                     std::string_view sentences);

// The base32 of a file. Errors: enrol.other-file when it is not of this kind, enrol.damaged
// (malformed).
[[nodiscard]] Result<std::string> enrol_base32(EnrolKind kind, std::string_view text);

}  // namespace chapterd
