// I10: what only a chapter may read is in no byte of any disk, its own among them: as it is, in
// hex, in base64 at each offset, in UTF-16.
#include "tests/sim/invariants/invariants.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>

namespace chapterd::sim {
namespace {

std::string base64(std::string_view text) {
  static constexpr std::string_view letters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    bits = bits << 8U | static_cast<std::uint8_t>(c);
    for (count += 8; count >= 6; count -= 6) out += letters[bits >> (count - 6) & 63U];
  }
  return out;  // what is left of the last character depends on what follows
}

std::vector<std::string> forms() {
  const std::string raw = canary_prefix;
  std::vector<std::string> all = {raw, to_hex(as_bytes(raw))};
  for (std::size_t skip = 0; skip < 3; ++skip) all.push_back(base64(raw.substr(skip)));
  std::string wide;
  for (const char c : raw) wide += {c, '\0'};
  all.push_back(wide.substr(0, wide.size() - 1));
  return all;
}

bool holds(std::string_view text, std::string_view form) {
  return memmem(text.data(), text.size(), form.data(), form.size()) != nullptr;
}

}  // namespace

void check_canaries(World& world) {
  static const std::vector<std::string> searched = forms();
  for (const auto& node : world.nodes) {
    for (const Bytes* content : node->disk->contents()) {
      for (const std::string& form : searched) {
        world.require(!holds(as_text(*content), form), "I10",
                      "what only a chapter may read lies open on the disk of machine " +
                          std::to_string(node->machine));
      }
    }
  }
}

}  // namespace chapterd::sim
