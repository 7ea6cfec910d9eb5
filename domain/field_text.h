// Checks of values that are texts with a form: dates, places, addresses. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace chapterd {

enum class Lines { one, several };

// Counts characters (code points) of valid UTF-8.
[[nodiscard]] std::size_t characters(std::string_view text);
// True when it has no control characters but, with several lines, line ends and tabs.
[[nodiscard]] bool is_printable(std::string_view text, Lines lines);
// Without spaces, tabs and line ends at both ends.
[[nodiscard]] std::string_view trimmed(std::string_view text);

// 2017, 2017-04 or 2017-04-28 (ISO 8601, reduced precision), years 0001 to 9999.
[[nodiscard]] bool is_date(std::string_view text);
// A date, or two joined by "/" of which the second is not the earlier one.
[[nodiscard]] bool is_period(std::string_view text);
// `KE` or `KE-30`: the form of ISO 3166 codes, not whether the code is given out.
[[nodiscard]] bool is_place(std::string_view text);
[[nodiscard]] bool is_email(std::string_view text);
// http, https or mailto, without spaces or control characters.
[[nodiscard]] bool is_url(std::string_view text);
// The bare, lower-case DOI of any of its usual forms; empty when it is none.
[[nodiscard]] std::optional<std::string> bare_doi(std::string_view text);

}  // namespace chapterd
