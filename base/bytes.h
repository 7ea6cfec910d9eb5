// Owned and borrowed bytes, fixed-size byte strings, hex and base32 text.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace chapterd {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;

// A byte string of exactly N bytes. `Tag` keeps two of one size from being mixed up.
template <std::size_t N, class Tag>
struct Fixed {
  static constexpr std::size_t size = N;

  std::array<std::uint8_t, N> bytes{};

  [[nodiscard]] ByteView view() const { return {bytes.data(), N}; }

  // Copies N bytes; empty when `from` has another length.
  [[nodiscard]] static std::optional<Fixed> from(ByteView from) {
    if (from.size() != N) return std::nullopt;
    Fixed fixed;
    std::memcpy(fixed.bytes.data(), from.data(), N);
    return fixed;
  }

  [[nodiscard]] bool is_zero() const { return *this == Fixed{}; }

  friend auto operator<=>(const Fixed&, const Fixed&) = default;
  friend bool operator==(const Fixed&, const Fixed&) = default;
};

// For hash tables keyed by values that are already uniformly distributed (hashes, random ids,
// keys).
struct FixedHash {
  template <std::size_t N, class Tag>
  std::size_t operator()(const Fixed<N, Tag>& fixed) const {
    static_assert(N >= sizeof(std::size_t));
    std::size_t hash = 0;
    // The last bytes: the first ones of a UUIDv7 are a time and nearly all equal.
    std::memcpy(&hash, fixed.bytes.data() + N - sizeof hash, sizeof hash);
    return hash;
  }
};

[[nodiscard]] inline ByteView as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

[[nodiscard]] inline std::string_view as_text(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

inline void append(Bytes& to, ByteView from) {
  to.insert(to.end(), from.begin(), from.end());
}

// Lower-case hexadecimal.
[[nodiscard]] std::string to_hex(ByteView bytes);
// Accepts upper and lower case; empty for an odd length or any other character.
[[nodiscard]] std::optional<Bytes> from_hex(std::string_view text);

// RFC 4648 base32, upper case, without padding.
[[nodiscard]] std::string to_base32(ByteView bytes);
// Accepts lower case, and skips spaces, dashes and line ends (people type these); empty for any
// other character or when left-over bits are not zero.
[[nodiscard]] std::optional<Bytes> from_base32(std::string_view text);

}  // namespace chapterd
