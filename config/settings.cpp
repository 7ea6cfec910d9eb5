// The rows of the table, and how a mistyped name finds its row.
#include "config/settings.h"

#include <algorithm>
#include <array>
#include <limits>
#include <numeric>

namespace chapterd {
namespace {

using enum SettingType;

constexpr std::uint64_t day_s = std::uint64_t{24} * 60 * 60;
// A TOML integer is a signed 64-bit number.
constexpr std::uint64_t most_bytes = std::numeric_limits<std::int64_t>::max();

constexpr std::array<std::string_view, 4> log_levels{"error", "warn", "info", "debug"};
constexpr std::array<std::string_view, 3> log_formats{"auto", "text", "json"};

constexpr std::array table{
    Setting{.name = "node.data",
            .type = path,
            .slot = [](Config& config) -> Slot { return &config.node.data; },
            .help = "The folder that holds everything of this node.",
            .blank_means = "$XDG_DATA_HOME/chapterd, or else ~/.local/share/chapterd"},
    Setting{.name = "sync.listen",
            .type = listen_address,
            .slot = [](Config& config) -> Slot { return &config.sync.listen; },
            .help = "The address on which nodes below this one are answered.",
            .blank_means = "do not listen"},
    Setting{.name = "sync.parent",
            .type = addresses,
            .slot = [](Config& config) -> Slot { return &config.sync.parents; },
            .help = "The addresses of the node above this one, tried in this order.",
            .blank_means = "no parent is dialled"},
    Setting{.name = "sync.ancestors",
            .type = addresses,
            .slot = [](Config& config) -> Slot { return &config.sync.ancestors; },
            .help = "Nodes above the parent, asked weekly for revocations it may keep back.",
            .blank_means = "nobody further up is asked"},
    Setting{.name = "sync.retry_min_s",
            .slot = [](Config& config) -> Slot { return &config.sync.retry_min_s; },
            .help = "The shortest wait before the parent is dialled again.",
            .blank_means = {},
            .unit = "seconds",
            .least = 1,
            .most = day_s},
    Setting{.name = "sync.retry_max_s",
            .slot = [](Config& config) -> Slot { return &config.sync.retry_max_s; },
            .help = "The longest wait before the parent is dialled again.",
            .blank_means = {},
            .unit = "seconds",
            .least = 1,
            .most = day_s},
    Setting{.name = "sync.budget_session_bytes",
            .slot = [](Config& config) -> Slot { return &config.sync.budget_session_bytes; },
            .help = "How much one session may transfer before it pauses.",
            .blank_means = "no budget",
            .unit = "bytes",
            .most = most_bytes},
    Setting{.name = "sync.budget_day_bytes",
            .slot = [](Config& config) -> Slot { return &config.sync.budget_day_bytes; },
            .help = "How much all links may move in a day (UTC), both ways; what is left waits.",
            .blank_means = "no budget",
            .unit = "bytes",
            .most = most_bytes},
    Setting{.name = "sync.ping_s",
            .slot = [](Config& config) -> Slot { return &config.sync.ping_s; },
            .help = "How long a connection may be silent before it is asked whether it lives.",
            .blank_means = {},
            .unit = "seconds",
            .least = 1,
            .most = 3600},
    Setting{.name = "sync.dead_s",
            .slot = [](Config& config) -> Slot { return &config.sync.dead_s; },
            .help = "How long a connection may be silent before it is given up.",
            .blank_means = {},
            .unit = "seconds",
            .least = 2,
            .most = day_s},
    Setting{.name = "store.disk_low_bytes",
            .slot = [](Config& config) -> Slot { return &config.store.disk_low_bytes; },
            .help = "With less free space than this, or than a twentieth of the disk if that is "
                    "less, new writes are refused; reading and deleting go on.",
            .blank_means = "never refuse",
            .unit = "bytes",
            .most = most_bytes},
    Setting{.name = "log.level",
            .type = choice,
            .slot = [](Config& config) -> Slot { return &config.log.level; },
            .help = "How much is logged: this level and the graver ones.",
            .blank_means = {},
            .choices = log_levels},
    Setting{.name = "log.format",
            .type = choice,
            .slot = [](Config& config) -> Slot { return &config.log.format; },
            .help = "How log lines look; auto is text on a terminal and JSON otherwise.",
            .blank_means = {},
            .choices = log_formats},
    Setting{.name = "control.socket",
            .type = path,
            .slot = [](Config& config) -> Slot { return &config.control.socket; },
            .help = "The socket by which the command line reaches the running daemon.",
            .blank_means = "control.sock in the folder node.data"},
};

// Levenshtein's distance: how many characters to insert, delete or replace.
std::size_t distance(std::string_view from, std::string_view to) {
  std::vector<std::size_t> row(to.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < from.size(); ++i) {
    std::size_t diagonal = i;  // of (i, j)
    row[0] = i + 1;
    for (std::size_t j = 0; j < to.size(); ++j) {
      const std::size_t replaced = diagonal + (from[i] == to[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}

// The last part of a name, without its section.
std::string_view key_of(std::string_view name) {
  return name.substr(name.rfind('.') + 1);
}

}  // namespace

std::span<const Setting> settings() {
  return table;
}

const Setting* find_setting(std::string_view name) {
  const auto found = std::ranges::find(table, name, &Setting::name);
  return found == table.end() ? nullptr : &*found;
}

const Setting* closest_setting(std::string_view name) {
  constexpr std::size_t longest = 64;  // the work grows with the length, and input is anybody's
  if (name.size() > longest) return nullptr;
  for (const Setting& setting : table) {  // right key, wrong section or none
    if (key_of(setting.name) == key_of(name)) return &setting;
  }
  const auto far = [name](const Setting& setting) { return distance(name, setting.name); };
  const Setting& nearest = *std::ranges::min_element(table, {}, far);
  return far(nearest) <= std::max<std::size_t>(2, nearest.name.size() / 3) ? &nearest : nullptr;
}

std::string environment_name(const Setting& setting) {
  std::string name = "CHAPTERD_";
  for (const char letter : setting.name) {
    if (letter == '.') {
      name += "__";
    } else {
      name += letter >= 'a' && letter <= 'z' ? static_cast<char>(letter - 'a' + 'A') : letter;
    }
  }
  return name;
}

std::string allowed(const Setting& setting) {
  switch (setting.type) {
    case number:
      return "a whole number of " + std::string(setting.unit) + " from " +
             std::to_string(setting.least) + " to " + std::to_string(setting.most);
    case choice: {
      std::string words = "one of ";
      for (const std::string_view word : setting.choices) {
        if (word != setting.choices.front()) words += ", ";
        words += word;
      }
      return words;
    }
    case path:
      return "the path of a file or folder, written out or beginning with ~/";
    case listen_address:
      return "host:port or [IPv6]:port with a port from 0 to 65535, or nothing";
    case addresses:
      return "any number of host:port or [IPv6]:port with a port from 1 to 65535";
  }
  return {};
}

}  // namespace chapterd
