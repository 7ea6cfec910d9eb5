// Help, made from the rows of the table.
#include "daemon/cli/command_line.h"
#include "daemon/cli/output.h"

#include <algorithm>
#include <set>

namespace chapterd {
namespace {

constexpr std::size_t margin = 26;
constexpr std::size_t width = 92;

// "  left          right", the right one broken into lines that stay in their column.
std::string column(const std::string& left, const std::string& right) {
  const std::string begin = "  " + left;
  const std::string lines = wrapped(right, margin, width);
  if (columns_of(begin) + 2 > margin) return begin + "\n" + lines;
  return begin + lines.substr(columns_of(begin));
}

std::string shown(const Argument& argument) {
  const std::string name = argument.name + (argument.many ? "…" : "");
  return argument.required ? name : "[" + name + "]";
}

std::string shown(const Flag& flag) {
  return (flag.letter == 0 ? "" : std::string("-") + flag.letter + ", ") + "--" + flag.name +
         (flag.value.empty() ? "" : " " + flag.value);
}

std::string described(const Flag& flag) {
  std::string text = flag.help;
  if (flag.required) text += " Required.";
  if (flag.many) text += " May be repeated.";
  if (!flag.preset.empty()) text += " Default: " + flag.preset + ".";
  return text;
}

std::string global_help() {
  std::string text = "\nOptions of every command:\n";
  for (const Flag& flag : global_flags()) text += column(shown(flag), described(flag));
  text += column("--section.key VALUE", "Any setting; they are listed by: chapterd config show");
  return text;
}

std::string command_help(const Command& command) {
  std::string text = command.help + "\n\nUsage: " + spoken(command);
  for (const Argument& argument : command.arguments) text += " " + shown(argument);
  for (const Flag& flag : command.flags) {
    if (flag.required) text += " --" + flag.name + " " + flag.value;
  }
  text += " [OPTIONS]\n";
  if (!command.more.empty()) text += "\n" + command.more + "\n";
  if (!command.arguments.empty()) text += "\n";
  for (const Argument& argument : command.arguments) {
    text += column(shown(argument), argument.help);
  }
  std::string flags;
  for (const Flag& flag : command.flags) {
    if (!flag.hidden) flags += column(shown(flag), described(flag));
  }
  if (!flags.empty()) text += "\nOptions:\n" + flags;
  text += "\nOptions of every command:";
  for (const Flag& flag : global_flags()) text += " --" + flag.name;
  return text + "; see: chapterd --help\n";
}

bool below(const Command& command, const std::vector<std::string>& topic) {
  return command.path.size() > topic.size() &&
         std::equal(topic.begin(), topic.end(), command.path.begin());
}

std::string topic_help(const std::vector<Command>& table, const std::vector<std::string>& topic) {
  std::string text = "Usage: chapterd " + topic.front() + " COMMAND\n\n";
  for (const Command& command : table) {
    if (!below(command, topic)) continue;
    std::string words;
    for (std::size_t i = topic.size(); i < command.path.size(); ++i) {
      words += (words.empty() ? "" : " ") + command.path[i];
    }
    for (const Argument& argument : command.arguments) words += " " + shown(argument);
    text += column(words, command.help);
  }
  return text + "\nMore about one of them: chapterd " + topic.front() + " COMMAND --help\n";
}

// The words that go with a first word: "create, list, revoke".
std::string verbs_of(const std::vector<Command>& table, const std::string& first) {
  std::string verbs;
  for (const Command& command : table) {
    if (command.path.size() < 2 || command.path.front() != first) continue;
    verbs += (verbs.empty() ? "" : ", ") + command.path[1];
  }
  return verbs;
}

std::string row_of(const std::vector<Command>& table, const Command& command) {
  std::string words = command.path.front();
  if (command.path.size() > 1) return column(words, verbs_of(table, words));
  for (const Argument& argument : command.arguments) words += " " + shown(argument);
  return column(words, command.help);
}

std::string rows_of_group(const std::vector<Command>& table, const std::string& group) {
  std::string rows;
  std::set<std::string> told;
  for (const Command& command : table) {
    if (command.group != group || !told.insert(command.path.front()).second) continue;
    rows += row_of(table, command);
  }
  return rows;
}

std::string overview(const std::vector<Command>& table) {
  std::string text =
      "chapterd keeps what your chapter learned, and carries it to the others and back.\n\n"
      "Usage: chapterd COMMAND [OPTIONS]\n";
  std::set<std::string> told;
  for (const Command& command : table) {
    if (!told.insert(command.group).second) continue;
    text += "\n" + command.group + ":\n" + rows_of_group(table, command.group);
  }
  return text + global_help() + "\nMore about a command: chapterd COMMAND --help\n";
}

}  // namespace

std::string help_text(const std::vector<Command>& table, const Parsed& asked) {
  if (asked.command != nullptr) return command_help(*asked.command);
  return asked.topic.empty() ? overview(table) : topic_help(table, asked.topic);
}

}  // namespace chapterd
