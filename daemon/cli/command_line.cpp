// From words to a row of the table, by CLI11; what does not fit is told with the nearest known
// word.
#include "daemon/cli/command_line.h"

#include "config/settings.h"
#include "domain/names.h"
#include "replication/format/cbor.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <list>
#include <utility>

namespace chapterd {
namespace {

const std::array<Flag, 7> globals{
    Flag{.name = "data", .value = "DIR", .help = "Folder of the node; also CHAPTERD_DATA."},
    Flag{.name = "config", .value = "FILE", .help = "Configuration file."},
    Flag{.name = "json", .value = "", .help = "Answers and errors as JSON."},
    Flag{.name = "quiet", .value = "", .help = "Only what was asked for.", .letter = 'q'},
    Flag{.name = "verbose", .value = "", .help = "Tell more while working.", .letter = 'v'},
    Flag{.name = "help", .value = "", .help = "Show help and end.", .letter = 'h'},
    Flag{.name = "version", .value = "", .help = "Show the version and end."},
};

tl::unexpected<Error> usage(std::string code, std::string what, std::string next) {
  return fail(Errc::usage, "cli." + std::move(code), std::move(what), "Nothing was done.",
              std::move(next));
}

std::string joined(const std::vector<std::string>& words, std::string_view between) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : std::string(between)) + word;
  return text;
}

std::string help_command(const std::vector<std::string>& topic) {
  return "chapterd" + (topic.empty() ? "" : " " + joined(topic, " ")) + " --help";
}

// The CLI11 side of the table: one App a word of a path, one Option a flag.
class Line {
 public:
  explicit Line(const std::vector<Command>& table) : root_("", "chapterd") {
    prepare(root_);
    for (const Command& command : table) add(command);
    for (const Flag& flag : globals) add(root_, flag);
    for (const Setting& setting : settings()) {
      add(root_, Flag{.name = std::string(setting.name), .value = "VALUE", .help = ""});
    }
  }

  Result<Parsed> parse(std::vector<std::string> words) {
    std::reverse(words.begin(), words.end());
    try {
      root_.parse(std::move(words));
    } catch (const CLI::ArgumentMismatch& trouble) {
      const std::string told = trouble.what();  // "--title: 1 required TEXT missing"
      return usage("no-value", told.substr(0, told.find(':')) + " needs a value.",
                   "Give it behind the option, in quotes when it has spaces.");
    } catch (const CLI::ParseError& trouble) {
      return usage("bad-line", std::string(trouble.what()) + ".", "See: chapterd --help");
    }
    return read();
  }

 private:
  static void prepare(CLI::App& app) {
    app.set_help_flag();
    app.allow_extras();
    app.fallthrough();
    app.require_subcommand(0, 1);
    app.allow_windows_style_options(false);
  }

  void add(const Command& command) {
    CLI::App* app = &root_;
    for (const std::string& word : command.path) {
      CLI::App*& inner = inner_[app][word];
      if (inner == nullptr) {
        inner = app->add_subcommand(word);
        prepare(*inner);
      }
      app = inner;
    }
    commands_[app] = &command;
    for (const Flag& flag : command.flags) add(*app, flag);
    for (const Argument& argument : command.arguments) {
      CLI::Option* option = app->add_option(argument.name, strings_.emplace_back());
      option->expected(argument.many ? -1 : 1);
      option->allow_extra_args(argument.many);
      arguments_[app].emplace_back(option, argument.name);
    }
  }

  void add(CLI::App& app, const Flag& flag) {
    const std::string names =
        (flag.letter == 0 ? "" : std::string("-") + flag.letter + ",") + "--" + flag.name;
    CLI::Option* option = nullptr;
    if (flag.value.empty()) {
      option = app.add_flag(names);
    } else {
      option = app.add_option(names, strings_.emplace_back());
      option->expected(1);
      option->allow_extra_args(false);  // or "[a,b]" would become two values
      option->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    }
    flags_[&app].emplace_back(option, &flag_copies_.emplace_back(flag));
  }

  Result<Parsed> read() {
    Parsed parsed;
    CLI::App* app = &root_;
    while (!app->get_subcommands().empty()) {
      app = app->get_subcommands().front();
      parsed.topic.push_back(app->get_name());
    }
    const auto found = commands_.find(app);
    parsed.command = found == commands_.end() ? nullptr : found->second;

    const std::vector<std::string> extras = root_.remaining(true);
    if (!extras.empty()) return unknown(*app, parsed, extras.front());
    for (CLI::App* at : {&root_, app}) {
      auto taken = take_flags(*at, parsed.given);
      if (!taken) return forward(taken);
      if (app == &root_) break;
    }
    for (const auto& [option, name] : arguments_[app]) {
      for (const std::string& value : option->results()) parsed.given.add(name, value);
    }
    return judge(std::move(parsed));
  }

  Result<void> take_flags(CLI::App& app, Given& given) {
    for (const auto& [option, flag] : flags_[&app]) {
      if (option->count() > 1 && !flag->many && !flag->value.empty()) {
        return usage("given-twice", "--" + flag->name + " is given twice.", "Give it once.");
      }
      if (flag->value.empty()) {
        if (option->count() > 0) given.add(flag->name, "true");
        continue;
      }
      for (const std::string& value : option->results()) given.add(flag->name, value);
    }
    return {};
  }

  // Help comes before any complaint about what is missing.
  static Result<Parsed> judge(Parsed parsed) {
    parsed.want = Parsed::Want::run;
    if (parsed.given.has("version")) parsed.want = Parsed::Want::version;
    if (parsed.given.has("help")) parsed.want = Parsed::Want::help;
    if (parsed.topic.empty() && parsed.want == Parsed::Want::run) parsed.want = Parsed::Want::help;
    if (parsed.want != Parsed::Want::run) return parsed;
    if (parsed.command == nullptr) {
      return usage("no-command",
                   "“chapterd " + joined(parsed.topic, " ") + "” needs one word more.",
                   "See: " + help_command(parsed.topic));
    }
    auto complete = take_presets(parsed);
    if (!complete) return forward(complete);
    return parsed;
  }

  static Result<void> take_presets(Parsed& parsed) {
    const std::string see = "See: " + help_command(parsed.topic);
    for (const Argument& argument : parsed.command->arguments) {
      if (!argument.required || parsed.given.has(argument.name)) continue;
      return usage("missing-argument", argument.name + " is missing: " + argument.help, see);
    }
    for (const Flag& flag : parsed.command->flags) {
      if (parsed.given.has(flag.name)) continue;
      if (flag.required) {
        return usage("missing-option", "--" + flag.name + " is missing: " + flag.help, see);
      }
      if (!flag.preset.empty()) parsed.given.add(flag.name, flag.preset);
    }
    return {};
  }

  tl::unexpected<Error> unknown(CLI::App& app, const Parsed& parsed, const std::string& word) {
    if (word.starts_with('-') && word.size() > 1) return unknown_option(app, parsed, word);
    if (parsed.command == nullptr) return unknown_command(app, parsed, word);
    return usage("unexpected-word", "“" + word + "” is one word too many.",
                 "Put quotes around a text with spaces. See: " + help_command(parsed.topic));
  }

  tl::unexpected<Error> unknown_option(CLI::App& app,
                                       const Parsed& parsed,
                                       const std::string& word) {
    const std::string written = word.substr(0, word.find('='));
    std::vector<std::string> known;
    for (const CLI::App* at : {&app, &root_}) {
      for (const auto& [option, flag] : flags_[at]) known.push_back(flag->name);
    }
    const std::string meant =
        closest(written.substr(std::min(written.find_first_not_of('-'), written.size())), known);
    return usage("unknown-option", "There is no option “" + written + "” here.",
                 (meant.empty() ? std::string() : "Did you mean --" + meant + "? ") +
                     "See: " + help_command(parsed.topic));
  }

  static tl::unexpected<Error> unknown_command(CLI::App& app,
                                               const Parsed& parsed,
                                               const std::string& word) {
    std::vector<std::string> known;
    for (const CLI::App* inner : app.get_subcommands([](CLI::App*) { return true; })) {
      known.push_back(inner->get_name());
    }
    const std::string before = parsed.topic.empty() ? "" : joined(parsed.topic, " ") + " ";
    const std::string meant = closest(word, known);
    return usage(
        "unknown-command", "There is no command “" + before + word + "”.",
        (meant.empty() ? std::string() : "Did you mean “chapterd " + before + meant + "”? ") +
            "See: " + help_command(parsed.topic));
  }

  CLI::App root_;
  std::map<const CLI::App*, std::map<std::string, CLI::App*>> inner_;
  std::map<const CLI::App*, const Command*> commands_;
  std::map<const CLI::App*, std::vector<std::pair<CLI::Option*, const Flag*>>> flags_;
  std::map<const CLI::App*, std::vector<std::pair<CLI::Option*, std::string>>> arguments_;
  std::list<std::vector<std::string>> strings_;  // CLI11 writes here; results() is what is read
  std::list<Flag> flag_copies_;
};

}  // namespace

std::string Given::text(std::string_view name) const {
  const auto at = values_.find(name);
  return at == values_.end() ? std::string() : at->second.front();
}

std::vector<std::string> Given::all(std::string_view name) const {
  const auto at = values_.find(name);
  return at == values_.end() ? std::vector<std::string>() : at->second;
}

Result<std::uint64_t> Given::number(std::string_view name) const {
  const std::string written = text(name);
  std::uint64_t number = 0;
  const char* const end = written.data() + written.size();
  const auto [stopped, trouble] = std::from_chars(written.data(), end, number);
  if (trouble != std::errc{} || stopped != end) {
    return usage("not-a-number", "--" + std::string(name) + " is “" + written + "”.",
                 "Give a whole number that is not negative.");
  }
  return number;
}

std::string spoken(const Command& command) {
  return "chapterd " + joined(command.path, " ");
}

std::span<const Flag> global_flags() {
  return globals;
}

Result<Parsed> parse(const std::vector<Command>& table, const std::vector<std::string>& words) {
  for (const std::string& word : words) {
    if (is_utf8(word)) continue;
    return usage("bad-utf8", "One of the words on the line is not valid UTF-8.",
                 "Use a terminal that is set to UTF-8, or hand the text over by a file: @FILE");
  }
  // "chapterd help invite" is "chapterd invite --help".
  std::vector<std::string> line = words;
  if (!line.empty() && line.front() == "help") {
    line.erase(line.begin());
    line.emplace_back("--help");
  }
  return Line(table).parse(std::move(line));
}

}  // namespace chapterd
