// Names and order of the audiences.
#include "replication/format/audience.h"

#include <array>
#include <utility>

namespace chapterd {
namespace {

constexpr std::array<std::pair<Audience, std::string_view>, 6> names{{
    {Audience::auth, "auth"},
    {Audience::chapter, "chapter"},
    {Audience::up, "up"},
    {Audience::down, "down"},
    {Audience::to, "to"},
    {Audience::all, "all"},
}};

}  // namespace

std::optional<Audience> audience_from(std::uint8_t value) {
  for (const auto& [audience, name] : names) {
    if (static_cast<std::uint8_t>(audience) == value) return audience;
  }
  return std::nullopt;
}

std::optional<Audience> audience_from(std::string_view name) {
  for (const auto& [audience, known] : names) {
    if (known == name) return audience;
  }
  return std::nullopt;
}

std::string_view name_of(Audience audience) {
  for (const auto& [known, name] : names) {
    if (known == audience) return name;
  }
  return "?";
}

int width_of(Audience audience) {
  switch (audience) {
    case Audience::chapter:
      return 0;
    case Audience::to:
      return 1;
    case Audience::up:
      return 2;
    case Audience::down:
      return 3;
    case Audience::all:
      return 4;
    case Audience::auth:
      return 5;
  }
  return 5;
}

}  // namespace chapterd
