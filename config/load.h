// Puts a Config together from defaults, file, environment and flags, and says where each value
// came from. Reads no file and no environment itself: the caller hands in their contents.
#pragma once

#include "base/result.h"
#include "config/config.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace chapterd {

struct Sources {
  std::optional<std::string> toml_text;  // none: no file
  std::string toml_name;                 // what errors call the file
  std::map<std::string, std::string>
      environment;                           // all of it; other people's variables are skipped
  std::map<std::string, std::string> flags;  // by the name of the setting, "sync.listen"
};

// Where a value came from, as a person would look it up: "default", "chapterd.toml:3",
// "CHAPTERD_SYNC__LISTEN", "--sync.listen".
struct Origin {
  enum class Kind { standard, file, environment, flag };
  Kind kind = Kind::standard;
  std::string words = "default";
};

struct Loaded {
  Config config;
  std::map<std::string, Origin, std::less<>> origins;  // by the name of the setting, all of them
};

// Defaults < file < CHAPTERD_SECTION__KEY < flags. An unknown key, a value that is not allowed and
// values that contradict each other are errors (Errc::usage) that name place, key and what is
// allowed; with several, the first in the file is told.
[[nodiscard]] Result<Loaded> load(const Sources& sources);

struct ShownSetting {
  std::string key;
  std::string value;
  std::string origin;
};

// One row a setting, in the order of the table.
[[nodiscard]] std::vector<ShownSetting> show(const Loaded& loaded);

// Help, default, what is allowed and the name of the environment variable, in lines.
[[nodiscard]] Result<std::string> explain(std::string_view key);

}  // namespace chapterd
