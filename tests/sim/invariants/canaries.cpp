// I10: what only a chapter may read is in no byte of another chapter's disks: as it is, in hex, in
// base64 at each offset, in UTF-16.
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

// In its plain form it names the chapter that may read it. One that a page's end cuts in two names
// nobody; there are others.
bool is_of_another(World& world, std::string_view text, std::size_t at, const std::string& code) {
  const std::string_view behind = text.substr(at + std::string_view(canary_prefix).size());
  return std::any_of(world.chapters.begin(), world.chapters.end(), [&](const SimChapter& each) {
    return each.code != code && behind.starts_with(each.code + ":");
  });
}

std::size_t find(std::string_view text, std::string_view form, std::size_t from) {
  const void* at = memmem(text.data() + from, text.size() - from, form.data(), form.size());
  return at == nullptr ? std::string_view::npos
                       : static_cast<std::size_t>(static_cast<const char*>(at) - text.data());
}

}  // namespace

void check_canaries(World& world) {
  static const std::vector<std::string> searched = forms();
  for (const auto& node : world.nodes) {
    const std::string& code = world.chapter_of(*node).code;
    for (const Bytes* content : node->disk->contents()) {
      const std::string_view text = as_text(*content);
      for (const std::string& form : searched) {
        for (std::size_t at = find(text, form, 0); at != std::string_view::npos;
             at = find(text, form, at + 1)) {
          const bool plain = &form == &searched.front();
          world.require(plain && !is_of_another(world, text, at, code), "I10",
                        "machine " + std::to_string(node->machine) +
                            " holds what only another chapter may read");
        }
      }
    }
  }
}

}  // namespace chapterd::sim
