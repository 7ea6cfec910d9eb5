// run: the daemon in the foreground.
#include "daemon/cli/commands.h"
#include "daemon/cli/context.h"
#include "daemon/cli/secret_input.h"
#include "daemon/cli/waiting.h"

namespace chapterd {
namespace {

constexpr std::uint64_t longest_command_s = 5;

Result<void> run(Context& context) {
  const Config& config = context.config();
  if (context.output.terminal().err) {
    context.output.say("Folder " + config.node.data + ". Stop with Ctrl-C.");
  }
  // A command that works without a daemon holds the folder for a moment; a second daemon does so
  // for good, and then its socket answers.
  auto ended = context.doors.run(config);
  if (!ended && asked_passphrase(context, ended.error())) ended = context.doors.run(config);
  const auto settled = poll(longest_command_s, [&]() -> Result<bool> {
    if (ended || ended.error().code != "folder.in-use") return true;
    if (context.doors.daemon_answers(config)) return true;
    ended = context.doors.run(config);
    return false;
  });
  if (!settled) return forward(settled);
  if (ended || ended.error().code != "net.listen") return ended;
  Error named = ended.error();
  named.what = "The address " + config.sync.listen + " to listen at cannot be used.";
  return fail(std::move(named));
}

}  // namespace

std::vector<Command> run_commands() {
  return {Command{.path = {"run"},
                  .help = "Run the daemon until it is told to stop.",
                  .group = command_group::start,
                  .run = run}};
}

}  // namespace chapterd
