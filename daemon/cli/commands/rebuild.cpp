// rebuild: drops the merged records and makes them again from the log.
#include "daemon/cli/answers.h"
#include "daemon/cli/commands.h"
#include "daemon/cli/context.h"

namespace chapterd {
namespace {

Result<void> rebuild(Context& context) {
  context.output.say("Making the records again from the log …");
  const auto answer = context.call("rebuild", Json::object());
  if (!answer) return forward(answer);
  if (context.output.answer(*answer)) return {};
  context.output.print("Made again from " + counted(count(*answer, "entries"), "entry", "entries") +
                       ", of this chapter and of others.");
  return {};
}

}  // namespace

std::vector<Command> rebuild_commands() {
  return {Command{.path = {"rebuild"},
                  .help = "Make all records again from the log; nothing is lost by it.",
                  .group = command_group::check,
                  .run = rebuild}};
}

}  // namespace chapterd
