// init: founds a federation, with this node as its top.
#include "daemon/cli/answers.h"
#include "daemon/cli/commands.h"
#include "daemon/cli/context.h"
#include "daemon/cli/listen_setting.h"

namespace chapterd {
namespace {

void tell(Context& context, const FoundingWords& words, const Json& answer) {
  Output& output = context.output;
  if (output.answer(answer)) return;
  output.print(output.paint(Shade::good, "Founded: ") + words.federation);
  output.print("  This node is " + words.chapter + " (" + words.code + "), in the folder " +
               context.config().node.data);
  output.print("\nRecovery key, shown this once. Write it on paper and lock it away:\n\n  " +
               output.paint(Shade::strong, text(answer, "recovery_key")) + "\n");
  output.say("Next, start the daemon and invite a chapter:\n  " + context.command("run") + "\n  " +
             context.command("invite create CODE --name NAME"));
}

Result<void> init(Context& context) {
  const FoundingWords words{
      .federation = context.given.text("federation"),
      .code = context.given.text("code"),
      .chapter = context.given.text("name"),
      .node = context.given.has("node") ? context.given.text("node") : context.around.host_name};
  auto listen = take_listen(context, nullptr);
  if (!listen) return listen;
  const auto answer = context.doors.found(context.config(), words);
  if (!answer) return forward(answer);
  auto kept = keep_listen(context);
  tell(context, words, *answer);
  return kept;
}

}  // namespace

std::vector<Command> init_commands() {
  return {Command{
      .path = {"init"},
      .help = "Found a federation; this node becomes its top.",
      .group = command_group::start,
      .flags = {Flag{.name = "federation",
                     .value = "NAME",
                     .help = "What all chapters together are called.",
                     .required = true},
                Flag{.name = "code",
                     .value = "CODE",
                     .help = "Short name of this chapter.",
                     .preset = "GLOBAL"},
                Flag{.name = "name",
                     .value = "NAME",
                     .help = "Name of this chapter.",
                     .preset = "Global"},
                Flag{.name = "node",
                     .value = "NAME",
                     .help = "Name of this computer; else what the system calls it."},
                Flag{.name = "listen",
                     .value = "HOST:PORT",
                     .help = "Where chapters below reach this node; kept in chapterd.toml."}},
      .run = init}};
}

}  // namespace chapterd
