// Who may hold a feed. An unknown value is refused, never guessed.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace chapterd {

enum class Audience : std::uint8_t {
  auth = 1,     // every node: certificates, revocations, moves
  chapter = 2,  // the chapter's own nodes
  up = 3,       // the chapter and the chapters above it
  down = 4,     // the chapter and its descendants
  to = 5,       // the chapter, one named chapter, and those on the path between them
  all = 6,      // every node
};

[[nodiscard]] std::optional<Audience> audience_from(std::uint8_t value);
[[nodiscard]] std::optional<Audience> audience_from(std::string_view name);
[[nodiscard]] std::string_view name_of(Audience audience);

// Width of the circle, for laying layers over one another: narrow (0) lies over wide.
[[nodiscard]] int width_of(Audience audience);

}  // namespace chapterd
