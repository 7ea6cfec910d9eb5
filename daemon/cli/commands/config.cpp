// config: what is set, from where, and what each setting means.
#include "daemon/cli/answers.h"
#include "daemon/cli/commands.h"
#include "daemon/cli/context.h"

namespace chapterd {
namespace {

Result<void> show_settings(Context& context) {
  Output& output = context.output;
  Json answer = {{"file", context.config_file}, {"settings", Json::array()}};
  Table table({"Setting", "Value", "From"});
  for (const ShownSetting& setting : show(context.loaded)) {
    answer["settings"].push_back(
        {{"key", setting.key}, {"value", setting.value}, {"origin", setting.origin}});
    table.row({setting.key, setting.value.empty() ? "(empty)" : plain(setting.value),
               output.paint(Shade::faint, plain(setting.origin))});
  }
  if (!output.answer(answer)) output.print(table.text(output));
  return {};
}

Result<void> check(Context& context) {
  const Json answer = {{"ok", true}, {"file", context.config_file}};
  if (context.output.answer(answer)) return {};
  context.output.print(context.config_file.empty()
                           ? "Good: there is no configuration file, and none is needed."
                           : "Good: " + context.config_file);
  return {};
}

Result<void> explain_setting(Context& context) {
  const auto text = explain(context.given.text("KEY"));
  if (!text) return forward(text);
  const Json answer = {{"key", context.given.text("KEY")}, {"text", *text}};
  if (!context.output.answer(answer)) context.output.print(*text);
  return {};
}

}  // namespace

std::vector<Command> config_commands() {
  const auto row = [](const char* verb, const char* help, Result<void> (*run)(Context&)) {
    return Command{
        .path = {"config", verb}, .help = help, .group = command_group::check, .run = run};
  };
  Command explained = row("explain", "What one setting means and allows.", explain_setting);
  explained.arguments = {Argument{.name = "KEY", .help = "Name of the setting: sync.listen."}};
  explained.needs_config = false;
  return {row("show", "Every setting, its value and where that comes from.", show_settings),
          row("check", "Whether the configuration is right; changes nothing.", check), explained};
}

}  // namespace chapterd
