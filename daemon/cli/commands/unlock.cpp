// unlock, lock: the chapter's private data on this computer.
#include "daemon/cli/answers.h"
#include "daemon/cli/commands.h"
#include "daemon/cli/context.h"
#include "daemon/cli/secret_input.h"

namespace chapterd {
namespace {

void tell(Context& context, const Json& answer) {
  if (context.output.answer(answer)) return;
  if (is_true(answer, "locked")) {
    context.output.print(
        "Locked. Private data lies sealed on the disk; what is shared goes on being "
        "exchanged.");
    return;
  }
  context.output.print("Unlocked: the private data of this chapter can be read and written.");
  if (const std::uint64_t waiting = count(answer, "waiting"); waiting > 0) {
    context.output.print(counted(waiting, "entry waits", "entries wait") +
                         " for a key that another computer of the chapter has still to hand over.");
  }
}

Result<void> unlock(Context& context) {
  const auto status = context.call("status", Json::object());
  if (!status) return forward(status);
  Json args = Json::object();
  if (is_true(*status, "daemon") &&
      text(member(*status, "private"), "protection") == "passphrase") {
    const auto passphrase = given_passphrase(context);
    if (!passphrase) return forward(passphrase);
    args["passphrase"] = *passphrase;
  }
  const auto answer = context.call("unlock", args);
  if (!answer) return forward(answer);
  tell(context, *answer);
  return {};
}

Result<void> lock(Context& context) {
  const auto answer = context.call("lock", Json::object());
  if (!answer) return forward(answer);
  tell(context, *answer);
  return {};
}

}  // namespace

std::vector<Command> unlock_commands() {
  return {Command{.path = {"unlock"},
                  .help = "Open the chapter's private data in the running daemon.",
                  .group = command_group::start,
                  .run = unlock,
                  .more = "Asks for the passphrase on a terminal; else takes it from the variable\n"
                          "CHAPTERD_PASSPHRASE or the file that CHAPTERD_PASSPHRASE_FILE names."},
          Command{.path = {"lock"},
                  .help = "Forget the keys of the private data until it is unlocked again.",
                  .group = command_group::start,
                  .run = lock}};
}

}  // namespace chapterd
