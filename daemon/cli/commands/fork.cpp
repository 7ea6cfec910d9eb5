// fork: computers whose folder was copied, so that two histories bear one key.
#include "daemon/cli/answers.h"
#include "daemon/cli/commands.h"
#include "daemon/cli/context.h"

namespace chapterd {
namespace {

constexpr std::size_t columns = 88;

std::string lines_of_feed(const Json& feed) {
  std::string lines = "  Entries for “" + plain(text(feed, "audience")) + "”, " +
                      counted(count(feed, "shared"), "entry", "entries") + " in common";
  lines += is_true(feed, "ended") ? ", ended:\n" : ":\n";
  for (const Json& branch : list(feed, "branches")) {
    lines += "    " + plain(text(branch, "branch")) + "  " +
             counted(count(branch, "entries"), "entry", "entries");
    if (number(branch, "since_ms").value_or(0) != 0)
      lines += " since " + date_of(number(branch, "since_ms").value_or(0)) + " by its own clock";
    if (const std::uint64_t aside = count(branch, "set_aside"); aside > 0)
      lines += ", of which " + std::to_string(aside) + " count for nothing";
    lines += "\n";
  }
  return lines;
}

std::string page_of(const Output& output, const Json& node) {
  std::string page = output.paint(Shade::strong, plain(text(node, "computer")) + " of " +
                                                     plain(text(node, "name")) + " (" +
                                                     plain(text(node, "code")) + ")") +
                     ", node " + plain(text(node, "fingerprint")) + "\n";
  for (const Json& feed : list(node, "feeds")) page += lines_of_feed(feed);
  return page;
}

Result<void> list_forks(Context& context) {
  Json args = Json::object();
  if (context.given.has("CODE")) args["code"] = context.given.text("CODE");
  const auto answer = context.call("fork.list", args);
  if (!answer) return forward(answer);
  Output& output = context.output;
  if (output.answer(*answer)) return {};
  const Json& nodes = list(*answer, "nodes");
  bool is_open = false;
  for (const Json& node : nodes) {
    output.print(page_of(output, node));
    is_open = is_open || is_true(node, "open");
  }
  if (nodes.empty()) {
    output.say("No computer has a second history.");
  } else if (is_open) {
    output.say(
        wrapped("A copy of a data folder was used on a second computer. Nothing is lost: "
                "everything counts until somebody says otherwise. Stop one of the two "
                "computers; the other one ends this by itself. Should it be gone, its "
                "chapter does: chapterd fork close CODE",
                0, columns));
  }
  return {};
}

Result<void> close_forks(Context& context) {
  const std::string code = context.given.text("CODE");
  Json args = {{"code", code}};
  const std::vector<std::string> keep = context.given.all("keep");
  if (!keep.empty()) args["keep"] = keep;
  auto sure =
      context.confirm(keep.empty() ? "End the forked feeds of " + code + " where they are now?"
                                   : "Let only what you named of " + code + " count, everywhere?");
  if (!sure) return sure;
  const auto answer = context.call("fork.close", args);
  if (!answer) return forward(answer);
  Output& output = context.output;
  if (output.answer(*answer)) return {};
  output.print("Ended: " + counted(count(*answer, "kept"), "history", "histories") + " of " + code +
               " count up to here.");
  if (const std::uint64_t aside = count(*answer, "set_aside"); aside > 0) {
    output.say(counted(aside, "entry counts", "entries count") +
               " for nothing and can be looked at: chapterd quarantine list " + code);
  }
  return {};
}

}  // namespace

std::vector<Command> fork_commands() {
  const auto row = [](const char* verb, const char* help) {
    return Command{.path = {"fork", verb}, .help = help, .group = command_group::others};
  };
  Command listed = row("list", "Computers whose folder was copied, and what each copy wrote.");
  listed.arguments = {
      Argument{.name = "CODE", .help = "Only of the chapter with this code.", .required = false}};
  listed.run = list_forks;
  Command closed = row("close", "Say what counts of such a computer's histories, and end them.");
  closed.arguments = {Argument{.name = "CODE", .help = "Code of the chapter."}};
  closed.flags = {Flag{.name = "keep",
                       .value = "HISTORY",
                       .help = "Let only this one count, as `fork list` names it; else all.",
                       .many = true},
                  Flag{.name = "yes", .value = "", .help = "Do not ask."}};
  closed.run = close_forks;
  return {listed, closed};
}

}  // namespace chapterd
