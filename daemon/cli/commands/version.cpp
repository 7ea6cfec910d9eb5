// version: of this program and of what it speaks.
#include "daemon/cli/answers.h"
#include "daemon/cli/commands.h"
#include "daemon/cli/context.h"

namespace chapterd {
namespace {

Result<void> version(Context& context) {
  const Json answer = {{"version", CHAPTERD_VERSION}, {"protocol", "chapterd/1"}};
  if (context.output.answer(answer)) return {};
  context.output.print("chapterd " CHAPTERD_VERSION " (protocol chapterd/1)");
  return {};
}

}  // namespace

std::vector<Command> version_commands() {
  return {Command{.path = {"version"},
                  .help = "Version of the program.",
                  .group = command_group::check,
                  .run = version,
                  .needs_config = false}};
}

}  // namespace chapterd
