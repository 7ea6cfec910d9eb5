// Parses, finds the configuration, runs the command, and turns an error into an exit code.
#include "daemon/cli/program.h"

#include "config/settings.h"
#include "daemon/cli/commands.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <poll.h>
#include <set>
#include <unistd.h>

namespace chapterd {
namespace {

std::string variable(const Surroundings& around, const std::string& name) {
  const auto at = around.environment.find(name);
  return at == around.environment.end() ? "" : at->second;
}

// The folder before any file was read: what --data, CHAPTERD_DATA or the system's custom say.
std::string likely_folder(const Surroundings& around, const Given& given) {
  for (const char* flag : {"data", "node.data"}) {
    if (given.has(flag)) return given.text(flag);
  }
  for (const char* name : {"CHAPTERD_DATA", "CHAPTERD_NODE__DATA"}) {
    if (std::string data = variable(around, name); !data.empty()) return data;
  }
  const std::string shared = variable(around, "XDG_DATA_HOME");
  if (shared.starts_with('/')) return shared + "/chapterd";
  return variable(around, "HOME") + "/.local/share/chapterd";
}

// --config, or the first that there is: in the folder of the node, of the person, of the system.
std::string find_config_file(const Surroundings& around, const Given& given) {
  if (given.has("config")) return given.text("config");
  std::string own = variable(around, "XDG_CONFIG_HOME");
  if (!own.starts_with('/')) own = variable(around, "HOME") + "/.config";
  for (std::string path :
       {likely_folder(around, given) + "/chapterd.toml", own + "/chapterd/chapterd.toml",
        std::string("/etc/chapterd/chapterd.toml")}) {
    std::error_code trouble;
    if (std::filesystem::exists(path, trouble)) return path;
  }
  return "";
}

std::string whole_path(const std::string& path) {
  if (path.empty() || path.front() == '~') return path;
  std::error_code trouble;
  const auto whole = std::filesystem::absolute(path, trouble);
  return trouble ? path : whole.lexically_normal().string();
}

Result<void> configure(Context& context, Sources sources) {
  sources.environment = context.around.environment;
  for (const Setting& setting : settings()) {
    const std::string name(setting.name);
    if (context.given.has(name)) sources.flags[name] = context.given.text(name);
  }
  std::string data_origin;
  if (context.given.has("data")) {
    sources.flags["node.data"] = whole_path(context.given.text("data"));
    data_origin = "--data";
  } else if (!sources.flags.contains("node.data")) {
    const std::string data = variable(context.around, "CHAPTERD_DATA");
    if (!data.empty()) {
      sources.flags["node.data"] = whole_path(data);
      data_origin = "CHAPTERD_DATA";
    }
  }
  if (context.given.has("verbose")) sources.flags.try_emplace("log.level", "debug");
  auto loaded = load(sources);
  if (!loaded) return forward(loaded);
  context.loaded = std::move(*loaded);
  if (!data_origin.empty()) context.loaded.origins["node.data"].words = data_origin;
  return {};
}

Result<void> configure(Context& context) {
  Sources sources;
  context.config_file = find_config_file(context.around, context.given);
  if (!context.config_file.empty()) {
    auto text = context.read_text(context.config_file);
    if (!text) return forward(text);
    sources.toml_text = std::move(*text);
    sources.toml_name = context.config_file;
  }
  return configure(context, std::move(sources));
}

// What is left when the file cannot be read: the environment, flags and presets.
Result<void> configure_without_file(Context& context) {
  return configure(context, Sources());
}

// --json counts even where the line cannot be parsed.
Manner manner_of(const std::vector<std::string>& words) {
  const auto end = std::ranges::find(words, "--");
  const auto has = [&](std::string_view word) {
    return std::find(words.begin(), end, word) != end;
  };
  return {.json = has("--json"),
          .quiet = has("--quiet") || has("-q"),
          .verbose = has("--verbose") || has("-v")};
}

// The other end of a pipe has gone, as “head” does once it has seen enough.
bool has_no_reader(int descriptor) {
  pollfd pipe{descriptor, POLLOUT, 0};
  return ::poll(&pipe, 1, 0) == 1 && (pipe.revents & POLLERR) != 0;
}

void show_help(Output& output, const std::string& text) {
  const nlohmann::json answer = {{"help", text}};
  if (!output.answer(answer)) output.print(text);
}

Result<void> carry_out(Context& context, const Parsed& parsed) {
  switch (parsed.want) {
    case Parsed::Want::help:
      show_help(context.output, help_text(context.table, parsed));
      return {};
    case Parsed::Want::version:
      return version_commands().front().run(context);
    case Parsed::Want::run:
      break;
  }
  context.given = parsed.given;
  if (context.given.has("data")) {
    std::set<std::string> commands;
    for (const Command& command : context.table) commands.insert(command.path.front());
    context.output.name_folder(context.given.text("data"), std::move(commands));
  }
  if (parsed.command->needs_config) {
    auto configured = configure(context);
    if (!configured && !parsed.command->bears_config_error) return configured;
    if (!configured) {
      context.config_error = configured.error();
      if (auto bare = configure_without_file(context); !bare) return bare;
    }
  }
  return parsed.command->run(context);
}

}  // namespace

std::vector<Command> command_table(const Kinds& kinds) {
  std::vector<Command> table;
  const auto take = [&table](std::vector<Command> commands) {
    std::move(commands.begin(), commands.end(), std::back_inserter(table));
  };
  for (const auto& commands : {init_commands, join_commands, run_commands, unlock_commands})
    take(commands());
  take(status_commands());
  take(record_commands(kinds));
  take(where_commands());
  take(explain_commands());
  for (const auto& commands : {rollup_commands, jee_commands}) take(commands());
  for (const auto& commands : {invite_commands, peers_commands, quarantine_commands, fork_commands,
                               key_commands, move_commands, sync_commands, bundle_commands})
    take(commands());
  for (const auto& commands :
       {erase_commands, doctor_commands, verify_commands, backup_commands, restore_commands,
        kit_commands, rebuild_commands, views_commands, config_commands, version_commands}) {
    take(commands());
  }
  return table;
}

int run_program(const Doors& doors,
                const Surroundings& around,
                const std::vector<std::string>& words) {
  Output output(around.out, around.err, around.terminal);
  output.use(manner_of(words));
  const auto ended = [&output](const Error& error) {
    output.error(error);
    return exit_code(error.kind);
  };
  const auto kinds = Kinds::load();
  if (!kinds) return ended(kinds.error());
  const std::vector<Command> table = command_table(*kinds);
  const auto parsed = parse(table, words);
  if (!parsed) return ended(parsed.error());
  // A switch inside a text ("--title --json") is no switch: now it is known which it was.
  output.use({.json = parsed->given.has("json"),
              .quiet = parsed->given.has("quiet"),
              .verbose = parsed->given.has("verbose")});

  Context context(doors, around, output, *kinds, table);
  const auto done = carry_out(context, *parsed);
  if (!done) return ended(done.error());
  if (!output.flush() && !has_no_reader(STDOUT_FILENO)) {
    return ended(Error(Errc::disk, "cli.stdout", "The answer could not be written to stdout.",
                       "What the command did is done."));
  }
  return 0;
}

}  // namespace chapterd
