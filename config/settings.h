// The table of settings, a row a key. Check, explain, completion and the man page read it.
#pragma once

#include "config/config.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace chapterd {

enum class SettingType {
  number,          // whole, not negative
  choice,          // one of a few words
  path,            // "~/" in front stands for the home folder
  listen_address,  // host:port; port 0 lets the system choose
  addresses,       // any number of host:port
};

// Where in a Config the value of a setting lives.
using Slot =
    std::variant<std::uint64_t*, std::string*, std::vector<std::string>*, LogLevel*, LogFormat*>;

struct Setting {
  std::string_view name;  // "sync.listen": section and key of the TOML file
  SettingType type = SettingType::number;
  Slot (*slot)(Config&) = nullptr;
  std::string_view help;         // one sentence
  std::string_view blank_means;  // what an empty value or 0 stands for; empty: nothing special
  std::string_view unit = {};    // "seconds"; numbers only
  std::uint64_t least = 0;       // numbers only, both ends allowed
  std::uint64_t most = 0;
  std::span<const std::string_view> choices = {};  // choices only, in the order of the enumerators
};

// All settings, sorted by section in the order in which a person would read them.
[[nodiscard]] std::span<const Setting> settings();

// Null for a name that is not in the table.
[[nodiscard]] const Setting* find_setting(std::string_view name);

// The setting whose name is closest to a mistyped one; null when none is close.
[[nodiscard]] const Setting* closest_setting(std::string_view name);

// "CHAPTERD_SYNC__LISTEN"
[[nodiscard]] std::string environment_name(const Setting& setting);

// What values are allowed, to stand after "allowed is": "a whole number of seconds from 1 to 3600".
[[nodiscard]] std::string allowed(const Setting& setting);

}  // namespace chapterd
