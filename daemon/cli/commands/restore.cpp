// restore: what a person says of a node that was put back to an older state.
#include "daemon/cli/answers.h"
#include "daemon/cli/commands.h"
#include "daemon/cli/context.h"
#include "daemon/cli/secret_input.h"

#include <algorithm>
#include <array>

namespace chapterd {
namespace {

Result<void> recover(Context& context) {
  const auto answer = context.call("restore.recover", Json::object());
  if (!answer) return forward(answer);
  Output& output = context.output;
  if (output.answer(*answer)) return {};
  if (!is_true(*answer, "restored")) {
    output.print("This node was not put back to an older state, or all of it is back already.");
  } else if (is_true(*answer, "has_parent")) {
    output.print(
        "This node fetches back what others hold of it as soon as it has met the chapter "
        "above. Leave the daemon running.");
  } else {
    output.print(
        "Confirmed. This node now fetches back what the chapters below hold of it. Leave "
        "the daemon running until they have called.");
  }
  return {};
}

Result<void> reassert(Context& context) {
  auto sure = context.confirm(
      "Let what this global node holds now count as all there is, without waiting for others?");
  if (!sure) return sure;
  const auto answer = context.call("restore.reassert", Json::object());
  if (!answer) return forward(answer);
  Output& output = context.output;
  if (output.answer(*answer)) return {};
  output.print(is_true(*answer, "restored")
                   ? "Confirmed. This node goes on from here. What the chapters below still hold "
                     "of it comes back all the same when they call."
                   : "This node was not put back to an older state; nothing was changed.");
  return {};
}

Result<void> as_new_node(Context& context) {
  const bool take = context.given.has("with-unsent");
  if (take == context.given.has("without-unsent")) {
    return fail(Errc::usage, "cli.missing-flag",
                "Say whose the unsent work is: --with-unsent or --without-unsent.",
                "Nothing was done.",
                "If work was done on this copy, or the other computer is gone: --with-unsent. If "
                "the other one is alive and has all of it: --without-unsent");
  }
  auto sure = context.confirm("Give this copied folder a key and feeds of its own?");
  if (!sure) return sure;
  std::string name = context.given.text("node");
  if (name.empty()) name = context.around.host_name;
  Output& output = context.output;
  output.say("Checking the copy, and writing its own certificate …");
  const Json args = {{"name", name}, {"take_unsent", take}};
  auto answer = context.doors.folder_work(context.config(), "new-node", args);
  if (!answer && asked_passphrase(context, answer.error()))
    answer = context.doors.folder_work(context.config(), "new-node", args);
  if (!answer) return forward(answer);
  if (output.answer(*answer)) return {};
  const std::string before = plain(text(*answer, "before"));
  output.print("This is now a node of its own of " + plain(text(*answer, "chapter")) + ": " +
               plain(text(*answer, "node")) + "." +
               (before.empty() ? "" : " The copy was " + before + "."));
  if (const std::string kept = plain(text(*answer, "kept")); !kept.empty())
    output.say("The copied database and key lie in " + kept + ". Delete them once all is well.");
  output.say("Start it with: " + context.command("run"));
  return {};
}

// One row a way to go on.
struct Way {
  const char* flag;
  Result<void> (*go)(Context& context);
};

constexpr std::array ways{Way{"recover", recover}, Way{"reassert", reassert},
                          Way{"as-new-node", as_new_node}};

Result<void> restore(Context& context) {
  const auto is_given = [&](const Way& way) { return context.given.has(way.flag); };
  if (std::ranges::count_if(ways, is_given) != 1) {
    return fail(Errc::usage, "cli.missing-flag",
                "Say which one: --recover, --reassert or --as-new-node.", "Nothing was done.",
                "See: chapterd restore --help");
  }
  return std::ranges::find_if(ways, is_given)->go(context);
}

}  // namespace

std::vector<Command> restore_commands() {
  return {Command{
      .path = {"restore"},
      .help = "Go on after this node was put back to an older state, or copied.",
      .group = command_group::check,
      .flags = {Flag{.name = "recover",
                     .value = "",
                     .help = "Fetch back from the other chapters what they hold of this node."},
                Flag{.name = "reassert",
                     .value = "",
                     .help = "Global node: what is here counts as all there is."},
                Flag{.name = "as-new-node",
                     .value = "",
                     .help = "This folder is a copy: give it a key and feeds of its own."},
                Flag{.name = "with-unsent",
                     .value = "",
                     .help = "With --as-new-node: unsent work becomes this node's."},
                Flag{.name = "without-unsent",
                     .value = "",
                     .help = "With --as-new-node: unsent work stays the other computer's."},
                Flag{.name = "node", .value = "NAME", .help = "Name of this computer."},
                Flag{.name = "yes", .value = "", .help = "Do not ask."}},
      .run = restore,
      .more = "A node that was put back notices it and exchanges only certificates until it has "
              "met the chapter above. The global node has none above, so it waits for one of "
              "these. To put a backup in place: chapterd backup restore FILE"}};
}

}  // namespace chapterd
