// init: founds a federation, with this node as its top.
#include "daemon/cli/answers.h"
#include "daemon/cli/commands.h"
#include "daemon/cli/context.h"
#include "daemon/cli/kit_words.h"
#include "daemon/cli/listen_setting.h"
#include "daemon/cli/protection.h"

namespace chapterd {
namespace {

Result<void> tell(Context& context,
                  std::optional<NewFile>& kit,
                  const FoundingWords& words,
                  const Json& answer) {
  Output& output = context.output;
  const KitOwner owner{words.federation, words.chapter + " (" + words.code + ")"};
  auto kept = keep_kit(kit, owner, member(answer, "kit"));
  if (output.answer(for_json(kit, answer))) return kept;
  output.print(output.paint(Shade::good, "Founded: ") + words.federation);
  output.print("  This node is " + owner.chapter + ", in the folder " + context.config().node.data);
  tell_kit(context, kit, owner, member(answer, "kit"));
  tell_protection(context, answer);
  output.say("Next, start the daemon and invite a chapter:\n  " + context.command("run") + "\n  " +
             context.command("invite create CODE --name NAME"));
  return kept;
}

Result<void> init(Context& context) {
  const FoundingWords words{
      .federation = context.given.text("federation"),
      .code = context.given.text("code"),
      .chapter = context.given.text("name"),
      .node = context.given.has("node") ? context.given.text("node") : context.around.host_name};
  auto listen = take_listen(context, nullptr);
  if (!listen) return listen;
  if (auto chosen = choose_protection(context); !chosen) return chosen;
  auto kit = kit_file(context);
  if (!kit) return forward(kit);
  const auto answer = context.doors.found(context.config(), words);
  if (!answer) return forward(answer);
  auto kept = keep_listen(context);
  auto told = tell(context, *kit, words, *answer);
  return told ? kept : told;
}

}  // namespace

std::vector<Command> init_commands() {
  return {Command{
      .path = {"init"},
      .help = "Found a federation; this node becomes its top.",
      .group = command_group::start,
      .flags =
          std::vector{
              Flag{.name = "federation",
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
                   .help = "Where chapters below reach this node; kept in chapterd.toml."}} +
          protection_flags(),
      .run = init,
      .more = protection_help}};
}

}  // namespace chapterd
