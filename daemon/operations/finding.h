// Texts compared as people read them: in any case, with any spaces.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace chapterd {

// Bytes; what is shorter would be found everywhere.
inline constexpr std::size_t least_searched = 2;

// In one case and one way of writing each letter (NFKC with case folding, UAX 31), and with one
// blank for all that lies between words. Text that is no UTF-8 stays as it is.
[[nodiscard]] std::string folded(std::string_view text);

// Without what people write between the digits of a number.
[[nodiscard]] std::string without_gaps(std::string_view text);
// Digits, perhaps behind a plus.
[[nodiscard]] bool is_number(std::string_view text);

// Whether a word begins so: a short one must also end there, or “Ann” would be found in
// “Annual”. Both folded(). Letters outside ASCII need no end, for many scripts write none.
[[nodiscard]] bool stands_in(std::string_view text, std::string_view word);

}  // namespace chapterd
