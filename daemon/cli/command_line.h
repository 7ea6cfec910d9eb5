// The table of commands, and how a line of words becomes one of them. Help is made from the same
// rows; so will be the completions and the man page.
#pragma once

#include "base/result.h"

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace chapterd {

class Context;

// One "--name VALUE", or a switch when `value` is empty.
struct Flag {
  std::string name;   // "title", without the dashes
  std::string value;  // what the value is called in help: "TEXT"
  std::string help;
  std::string preset = {};  // used when it is not given; shown in help
  bool many = false;        // may be given more than once
  bool required = false;
  char letter = 0;      // "-q"
  bool hidden = false;  // understood, but left out of help
};

[[nodiscard]] inline std::vector<Flag> operator+(std::vector<Flag> left,
                                                 const std::vector<Flag>& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

// A word without dashes.
struct Argument {
  std::string name;  // "ID"
  std::string help;
  bool required = true;
  bool many = false;
};

// What was given on the line, by name without dashes.
class Given {
 public:
  void add(const std::string& name, std::string value) {
    values_[name].push_back(std::move(value));
  }

  [[nodiscard]] bool has(std::string_view name) const { return values_.contains(name); }

  // The value, the preset, or nothing.
  [[nodiscard]] std::string text(std::string_view name) const;
  [[nodiscard]] std::vector<std::string> all(std::string_view name) const;
  // A whole number that is not negative. Errors: cli.not-a-number.
  [[nodiscard]] Result<std::uint64_t> number(std::string_view name) const;

 private:
  std::map<std::string, std::vector<std::string>, std::less<>> values_;
};

// One row of the table.
struct Command {
  std::vector<std::string> path;  // {"invite", "create"}
  std::string help;               // one sentence
  std::string group;              // heading in the overview
  std::vector<Argument> arguments = {};
  std::vector<Flag> flags = {};
  std::function<Result<void>(Context&)> run = {};
  std::string more = {};            // further sentences of help
  bool needs_config = true;         // false: runs even when the configuration is broken
  bool bears_config_error = false;  // reads it, and is told what is wrong with it
};

// "chapterd invite create"
[[nodiscard]] std::string spoken(const Command& command);

// Flags that every command understands, but for the settings (config/settings.h), of which each is
// a flag by its name.
[[nodiscard]] std::span<const Flag> global_flags();

// What a line asks for.
struct Parsed {
  enum class Want { run, help, version };

  Want want = Want::help;
  const Command* command = nullptr;  // null: help about `topic`
  std::vector<std::string> topic;    // beginning of a path: {} or {"invite"}
  Given given;
};

// `words` is without the name of the program. Errors: Errc::usage with the nearest known word.
[[nodiscard]] Result<Parsed> parse(const std::vector<Command>& table,
                                   const std::vector<std::string>& words);

// The overview, the commands of one topic, or everything about one command.
[[nodiscard]] std::string help_text(const std::vector<Command>& table, const Parsed& asked);

}  // namespace chapterd
