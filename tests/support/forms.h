// Every form in which bytes lie about: what must be gone is in none of them.
#pragma once

#include "base/bytes.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace chapterd::testing {

// Without the end, which depends on what follows.
inline std::string base64(std::string_view text) {
  static constexpr std::string_view letters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    bits = bits << 8U | static_cast<std::uint8_t>(c);
    for (count += 8; count >= 6; count -= 6) out += letters[bits >> (count - 6) & 63U];
  }
  return out;
}

// As it is, in hexadecimal, in Base64 at any offset, in UTF-16.
inline std::vector<std::string> forms_of(const std::string& text) {
  std::vector<std::string> forms = {text, to_hex(as_bytes(text))};
  for (std::size_t skip = 0; skip < 3; ++skip) forms.push_back(base64(text.substr(skip)));
  std::string wide;
  for (const char c : text) wide += {c, '\0'};
  wide.pop_back();
  forms.push_back(wide);
  return forms;
}

}  // namespace chapterd::testing
