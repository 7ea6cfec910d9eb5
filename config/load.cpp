// Four sources, one after the other; every complaint names place, key and what is allowed.
#include "config/load.h"

#include "config/settings.h"

#include <toml++/toml.h>

#include <algorithm>
#include <utility>

namespace chapterd {
namespace {

constexpr std::size_t longest_name = 64;
// Four times every setting with its help. The parser takes a stack frame for each dot of a key, so
// a longer file could overflow the stack (seen with 32,000 dots, in version 3.3.0).
constexpr std::size_t longest_file = std::size_t{16} << 10U;

constexpr std::string_view nothing_lost =
    "Nothing was changed; a daemon that is running keeps the settings it has.";

tl::unexpected<Error> refuse(std::string code, std::string what, std::string next) {
  return fail(Errc::usage, "config." + std::move(code), std::move(what), std::string(nothing_lost),
              std::move(next));
}

// Short and plain, whatever was written: it may end up on a terminal or in JSON.
std::string quoted(std::string_view text) {
  constexpr std::size_t longest = 60;
  std::string shown = "\"";
  for (const char c : text.substr(0, longest)) {
    shown += c < ' ' || c > '~' ? '?' : c;
  }
  return shown + (text.size() > longest ? "...\"" : "\"");
}

tl::unexpected<Error> unknown_key(const std::string& place,
                                  std::string_view name,
                                  const std::string& suggestion) {
  const std::string hint = suggestion.empty() ? "" : "Did you mean " + suggestion + "? ";
  return refuse("unknown-key", place + ": there is no setting " + quoted(name) + ".",
                hint + "Every setting is listed by: chapterd config show");
}

std::string suggestion_for(std::string_view name) {
  const Setting* const closest = closest_setting(name);
  return closest == nullptr ? "" : std::string(closest->name);
}

tl::unexpected<Error> bad_value(const std::string& place,
                                const Setting& setting,
                                const std::string& is) {
  const std::string name(setting.name);
  return refuse("bad-value",
                place + ": " + name + " is " + is + "; allowed is " + allowed(setting) + ".",
                "Correct it there, or read: chapterd config explain " + name);
}

std::string place_of(std::string_view file, toml::source_position at) {
  return std::string(file) + ":" + std::to_string(at.line) + ":" + std::to_string(at.column);
}

// One `key = value` of the file.
struct Entry {
  std::string name;  // with the section in front
  toml::source_position key_at;
  const toml::node* value;
};

bool is_section(std::string_view name) {
  return std::ranges::any_of(settings(), [name](const Setting& setting) {
    return setting.name.substr(0, setting.name.find('.')) == name;
  });
}

// Descends only while the name is short: dotted keys may lie in each other without bound.
void gather(const toml::table& table, const std::string& prefix, std::vector<Entry>& into) {
  for (const auto& [key, value] : table) {
    std::string name = prefix + std::string(key.str());
    const toml::table* const inner = value.as_table();
    if (inner != nullptr && inner->empty() && is_section(name)) continue;
    const bool section = inner != nullptr && !inner->empty() && find_setting(name) == nullptr;
    if (section && name.size() < longest_name) {
      gather(*inner, name + '.', into);
    } else {
      into.push_back({std::move(name), key.source().begin, &value});
    }
  }
}

std::optional<std::string> joined(const toml::array& array) {
  std::string text;
  for (const toml::node& element : array) {
    const auto* const word = element.as_string();
    if (word == nullptr) return std::nullopt;
    if (!text.empty()) text += ',';
    text += word->get();
  }
  return text;
}

// What assign() takes; empty when the value has another type than the setting.
std::optional<std::string> text_in(const toml::node& value, const Setting& setting) {
  if (setting.type == SettingType::number) {
    const auto* const number = value.as_integer();
    return number == nullptr ? std::nullopt : std::optional(std::to_string(number->get()));
  }
  if (setting.type == SettingType::addresses && value.is_array()) return joined(*value.as_array());
  const auto* const word = value.as_string();
  return word == nullptr ? std::nullopt : std::optional(word->get());
}

// Collects what the sources say; each step may refuse.
class Loading {
 public:
  explicit Loading(const Sources& sources) : sources_(sources) {
    for (const Setting& setting : settings()) {
      loaded_.origins.emplace(std::string(setting.name), Origin{});
    }
  }

  Result<Loaded> run() {
    using Step = Result<void> (Loading::*)();
    for (const Step step : {&Loading::read_file, &Loading::read_environment, &Loading::read_flags,
                            &Loading::settle_paths, &Loading::compare}) {
      const auto done = (this->*step)();
      if (!done) return forward(done);
    }
    return std::move(loaded_);
  }

 private:
  Result<void> read_file() {
    if (!sources_.toml_text) return {};
    if (sources_.toml_text->size() > longest_file) {
      return refuse(
          "file-too-long",
          sources_.toml_name + " has more than " + std::to_string(longest_file) + " bytes.",
          "Name the file that holds the settings.");
    }
    try {
      const toml::table table = toml::parse(*sources_.toml_text, sources_.toml_name);
      return take_table(table);
    } catch (const toml::parse_error& broken) {
      return refuse("bad-syntax",
                    place_of(sources_.toml_name, broken.source().begin) +
                        ": this is not TOML: " + std::string(broken.description()) + ".",
                    "Correct the file there.");
    }
  }

  // In the order of the file, so that the first mistake is the one told.
  Result<void> take_table(const toml::table& table) {
    std::vector<Entry> entries;
    gather(table, "", entries);
    std::ranges::sort(entries, {}, [](const Entry& entry) {
      return std::pair(entry.key_at.line, entry.key_at.column);
    });
    for (const Entry& entry : entries) {
      const auto taken = take_entry(entry);
      if (!taken) return taken;
    }
    return {};
  }

  Result<void> take_entry(const Entry& entry) {
    const Setting* const setting = find_setting(entry.name);
    if (setting == nullptr) {
      return unknown_key(place_of(sources_.toml_name, entry.key_at), entry.name,
                         suggestion_for(entry.name));
    }
    const std::string place = place_of(sources_.toml_name, entry.value->source().begin);
    const auto text = text_in(*entry.value, *setting);
    if (!text) return bad_value(place, *setting, "of another type");
    const std::string line = std::to_string(entry.key_at.line);
    return take(*setting, *text, place, {Origin::Kind::file, sources_.toml_name + ":" + line});
  }

  Result<void> read_environment() {
    for (const auto& [name, value] : sources_.environment) {
      if (!name.starts_with("CHAPTERD_")) continue;
      const auto named = std::ranges::find(settings(), name, environment_name);
      if (named != settings().end()) {
        const auto taken = take(*named, value, name, {Origin::Kind::environment, name});
        if (!taken) return taken;
        continue;
      }
      const auto checked = check_foreign_variable(name);
      if (!checked) return checked;
    }
    return {};
  }

  // A name with __ is meant for us; one without only when it is a setting written with one _ less.
  // Others (CHAPTERD_CONFIG) belong to somebody else.
  static Result<void> check_foreign_variable(const std::string& variable) {
    const auto single = [](const Setting& setting) {
      std::string name = environment_name(setting);
      return name.erase(name.find("__"), 1);
    };
    const auto meant = std::ranges::find(settings(), variable, single);
    if (meant != settings().end()) {
      return unknown_key("environment", variable, environment_name(*meant));
    }
    if (variable.find("__") == std::string::npos) return {};

    std::string name = variable.substr(std::string_view("CHAPTERD_").size());
    if (const std::size_t gap = name.find("__"); gap != std::string::npos) {
      name.replace(gap, 2, ".");
    }
    for (char& letter : name) {
      if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
    }
    const Setting* const closest = closest_setting(name);
    return unknown_key("environment", variable,
                       closest == nullptr ? "" : environment_name(*closest));
  }

  Result<void> read_flags() {
    for (const auto& [name, value] : sources_.flags) {
      const std::string flag = "--" + name;
      const Setting* const setting = find_setting(name);
      if (setting == nullptr) return unknown_key("command line", name, suggestion_for(name));
      const auto taken = take(*setting, value, flag, {Origin::Kind::flag, flag});
      if (!taken) return taken;
    }
    return {};
  }

  Result<void> take(const Setting& setting,
                    std::string_view text,
                    const std::string& place,
                    Origin origin) {
    if (!assign(setting, text, loaded_.config)) return bad_value(place, setting, quoted(text));
    loaded_.origins.find(setting.name)->second = std::move(origin);
    return {};
  }

  // Paths left empty get their place, and ~/ becomes the home folder.
  Result<void> settle_paths() {
    std::string& data = loaded_.config.node.data;
    std::string& socket = loaded_.config.control.socket;
    const std::string home = variable("HOME");
    // The XDG base directory specification: a relative path there is to be ignored.
    const std::string shared = variable("XDG_DATA_HOME");
    if (data.empty()) data = shared.starts_with('/') ? shared + "/chapterd" : "";
    if (data.empty()) data = "~/.local/share/chapterd";
    if (socket.empty()) socket = data + "/control.sock";
    for (std::string* const path : {&data, &socket}) {
      if (!path->starts_with('~')) continue;
      if (home.empty()) {
        return refuse("no-home", "The environment has no HOME for " + quoted(*path) + ".",
                      "Set node.data to the whole path of a folder.");
      }
      path->replace(0, 1, home);
    }
    return {};
  }

  // What no value can tell alone.
  Result<void> compare() {
    const Config& config = loaded_.config;
    if (config.sync.retry_min_s > config.sync.retry_max_s) {
      return contradiction("sync.retry_min_s", "may not be more than", "sync.retry_max_s");
    }
    if (config.sync.ping_s >= config.sync.dead_s) {
      return contradiction("sync.ping_s", "must be less than", "sync.dead_s");
    }
    constexpr std::size_t longest = 107;  // sockaddr_un::sun_path, with the zero that ends it
    if (config.control.socket.size() > longest) {
      return refuse("socket-path-too-long",
                    "control.socket would have " + std::to_string(config.control.socket.size()) +
                        " bytes; the path of a socket has at most " + std::to_string(longest) + ".",
                    "Set control.socket to a shorter path, or node.data to a shorter folder.");
    }
    return {};
  }

  Result<void> contradiction(std::string_view left,
                             const std::string& rule,
                             std::string_view right) {
    const auto told = [this](std::string_view name) {
      return std::string(name) + " (" + text_of(*find_setting(name), loaded_.config) + ", " +
             loaded_.origins.find(name)->second.words + ")";
    };
    return refuse("contradiction", told(left) + " " + rule + " " + told(right) + ".",
                  "Change one of the two.");
  }

  [[nodiscard]] std::string variable(const std::string& name) const {
    const auto found = sources_.environment.find(name);
    return found == sources_.environment.end() ? "" : found->second;
  }

  const Sources& sources_;
  Loaded loaded_;
};

}  // namespace

Result<Loaded> load(const Sources& sources) {
  return Loading(sources).run();
}

std::vector<ShownSetting> show(const Loaded& loaded) {
  std::vector<ShownSetting> rows;
  for (const Setting& setting : settings()) {
    const auto origin = loaded.origins.find(setting.name);
    rows.push_back({std::string(setting.name), text_of(setting, loaded.config),
                    origin == loaded.origins.end() ? "" : origin->second.words});
  }
  return rows;
}

Result<std::string> explain(std::string_view key) {
  const Setting* const setting = find_setting(key);
  if (setting == nullptr) return unknown_key("config explain", key, suggestion_for(key));
  const std::string name(setting->name);
  const std::size_t dot = name.find('.');
  const std::string standard = text_of(*setting, Config{});
  std::string text = name + "\n  " + std::string(setting->help) + "\n";
  text += "  default:     " + (standard.empty() ? "(empty)" : standard) + "\n";
  text += "  allowed:     " + allowed(*setting) + "\n";
  if (!setting->blank_means.empty()) {
    const bool counted = setting->type == SettingType::number;
    text += counted ? "  0 means:     " : "  empty means: ";
    text += std::string(setting->blank_means) + "\n";
  }
  text += "  file:        [" + name.substr(0, dot) + "] " + name.substr(dot + 1) + "\n";
  text += "  environment: " + environment_name(*setting) + "\n";
  text += "  flag:        --" + name + "\n";
  return text;
}

}  // namespace chapterd
