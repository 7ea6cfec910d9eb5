// The first line, and how long is long enough.
#include "crypto/passphrase.h"

#include <algorithm>

namespace chapterd {

Result<std::string> passphrase_in(std::string_view text) {
  std::string_view line = text.substr(0, text.find('\n'));
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (!line.empty()) return std::string(line);
  return fail(Errc::usage, "passphrase.empty", "The first line of the passphrase's file is empty.",
              "Nothing was changed.", "Write the passphrase into its first line.");
}

Result<void> check_new_passphrase(std::string_view passphrase) {
  // Every character of UTF-8 has one byte that continues no other.
  const auto characters = std::ranges::count_if(
      passphrase, [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U; });
  if (static_cast<std::size_t>(characters) >= least_passphrase) return {};
  return fail(Errc::usage, "passphrase.short",
              "The passphrase has fewer than " + std::to_string(least_passphrase) + " characters.",
              "Nothing was changed.", "Take four or five words that belong together for you.");
}

}  // namespace chapterd
