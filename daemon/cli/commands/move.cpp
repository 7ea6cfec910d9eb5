// move: a chapter goes below another parent.
#include "daemon/cli/answers.h"
#include "daemon/cli/commands.h"
#include "daemon/cli/context.h"
#include "daemon/cli/enrol_file.h"

namespace chapterd {
namespace {

Result<void> offer(Context& context) {
  const std::string code = context.given.text("CODE");
  const std::string path =
      context.given.has("out") ? context.given.text("out") : "move-offer-" + code + ".txt";
  Json args = {{"code", code}};
  if (context.given.has("address")) args["addresses"] = context.given.all("address");
  auto answer = context.call("move.offer", args);
  if (!answer) return forward(answer);
  auto file = context.new_file(path);
  if (!file) return forward(file);
  auto written = context.write_text(
      *file, enrol_text(EnrolKind::move_offer, text(*answer, "offer"),
                        "An offer to take the chapter " + code +
                            " in. Hand this file to a chapter above both parents. There: chapterd "
                            "move approve FILE"));
  if (!written) return written;
  (*answer)["file"] = path;
  Output& output = context.output;
  if (path == "-" || output.answer(*answer)) return {};
  output.print("The offer is in " + path +
               ". Hand it to the chapter that stands above both parents.");
  return {};
}

Result<void> approve(Context& context) {
  const auto letter = context.read_text(context.given.text("FILE"));
  if (!letter) return forward(letter);
  const auto offered = enrol_base32(EnrolKind::move_offer, *letter);
  if (!offered) return forward(offered);
  const auto seen = context.call("move.approve", {{"offer", *offered}, {"only_look", true}});
  if (!seen) return forward(seen);
  const std::string who = plain(text(*seen, "name")) + " (" + plain(text(*seen, "code")) + ")";
  const std::string parent = plain(text(*seen, "to"));
  auto sure = context.confirm(
      is_true(*seen, "moves")
          ? "Move " + who + " from " + plain(text(*seen, "from")) + " to " + parent + "?"
          : "Let " + who + " call another computer of " + parent + " from now on?");
  if (!sure) return sure;
  const auto answer = context.call("move.approve", {{"offer", *offered}});
  if (!answer) return forward(answer);
  Output& output = context.output;
  if (output.answer(*answer)) return {};
  output.print(is_true(*answer, "moves")
                   ? who + " stands below " + parent + " now."
                   : who + " calls another computer of " + parent + " from now on.");
  output.say(
      "Its node learns of it in its next exchange, and calls there from then on. Where it can call "
      "nobody any more, hand it a file: chapterd bundle write --to CODE --out FILE");
  return {};
}

Result<void> send(Context& context) {
  auto sure =
      context.confirm("Hand what did not arrive before the move to the chapters above now?");
  if (!sure) return sure;
  const auto answer = context.call("move.send", Json::object());
  if (!answer) return forward(answer);
  if (context.output.answer(*answer)) return {};
  context.output.print("Written anew for the chapters above: " +
                       counted(count(*answer, "sent"), "entry", "entries") + ".");
  return {};
}

Result<void> leave(Context& context) {
  auto sure = context.confirm("Leave what did not arrive before the move here?");
  if (!sure) return sure;
  const auto answer = context.call("move.leave", Json::object());
  if (!answer) return forward(answer);
  if (context.output.answer(*answer)) return {};
  context.output.print("Left here: " + counted(count(*answer, "left"), "entry", "entries") + ".");
  return {};
}

}  // namespace

std::vector<Command> move_commands() {
  const auto row = [](const char* verb, const char* help) {
    return Command{.path = {"move", verb}, .help = help, .group = command_group::others};
  };
  const Flag yes{.name = "yes", .value = "", .help = "Do not ask."};
  Command offered = row("offer", "Offer to take a chapter of another parent in below this one.");
  offered.arguments = {Argument{.name = "CODE", .help = "Code of the chapter that comes."}};
  offered.flags = {Flag{.name = "address",
                        .value = "HOST:PORT",
                        .help = "Where it reaches this node. Else where this node listens.",
                        .many = true},
                   Flag{.name = "out",
                        .value = "FILE",
                        .help = "Where the offer goes; - is stdout. Else move-offer-CODE.txt."}};
  offered.run = offer;
  Command approved = row("approve", "Carry out an offer, at a chapter above both parents.");
  approved.arguments = {Argument{.name = "FILE", .help = "The offer; - is stdin."}};
  approved.flags = {yes};
  approved.run = approve;
  Command sent =
      row("send", "Hand the chapters above now what did not reach those of before a move.");
  sent.flags = {yes};
  sent.run = send;
  Command left = row("leave", "Leave here what did not reach the chapters of before a move.");
  left.flags = {yes};
  left.run = leave;
  return {offered, approved, sent, left};
}

}  // namespace chapterd
