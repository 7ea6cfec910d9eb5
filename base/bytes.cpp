// Hex and base32 text of bytes.
#include "base/bytes.h"

namespace chapterd {
namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";
constexpr std::string_view base32_digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";  // RFC 4648, section 6

std::optional<unsigned> hex_value(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a') + 10U;
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A') + 10U;
  return std::nullopt;
}

bool is_filler(char c) {
  return c == ' ' || c == '-' || c == '\n' || c == '\r' || c == '\t';
}

}  // namespace

std::string to_hex(ByteView bytes) {
  std::string text(bytes.size() * 2, '0');
  auto digit = text.begin();
  for (const std::uint8_t byte : bytes) {
    *digit++ = hex_digits[byte >> 4U];
    *digit++ = hex_digits[byte & 15U];
  }
  return text;
}

std::optional<Bytes> from_hex(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  Bytes bytes;
  bytes.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const auto high = hex_value(text[i]);
    const auto low = hex_value(text[i + 1]);
    if (!high || !low) return std::nullopt;
    bytes.push_back(static_cast<std::uint8_t>(*high << 4U | *low));
  }
  return bytes;
}

std::string to_base32(ByteView bytes) {
  std::string text;
  text.reserve((bytes.size() * 8 + 4) / 5);
  unsigned buffer = 0;
  unsigned bits = 0;
  for (const std::uint8_t byte : bytes) {
    buffer = (buffer << 8U | byte) & 0xFFFFU;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += base32_digits[buffer >> bits & 31U];
    }
  }
  if (bits > 0) text += base32_digits[buffer << (5 - bits) & 31U];
  return text;
}

std::optional<Bytes> from_base32(std::string_view text) {
  Bytes bytes;
  unsigned buffer = 0;
  unsigned bits = 0;
  for (char c : text) {
    if (is_filler(c)) continue;
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    const auto digit = base32_digits.find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    buffer = (buffer << 5U | static_cast<unsigned>(digit)) & 0xFFFFU;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes.push_back(static_cast<std::uint8_t>(buffer >> bits & 255U));
    }
  }
  if (bits >= 5 || (buffer & ((1U << bits) - 1U)) != 0) return std::nullopt;
  return bytes;
}

}  // namespace chapterd
