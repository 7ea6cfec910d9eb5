// key: which authority key is in use, a new one, and getting back from a lost or stolen one.
#include "daemon/cli/answers.h"
#include "daemon/cli/commands.h"
#include "daemon/cli/context.h"
#include "daemon/cli/enrol_file.h"
#include "daemon/cli/kit_words.h"

namespace chapterd {
namespace {

Result<void> show_keys(Context& context) {
  const auto answer = context.call("key.show", Json::object());
  if (!answer) return forward(answer);
  Output& output = context.output;
  if (output.answer(*answer)) return {};
  output.print("Authority key  " + plain(text(*answer, "authority")) +
               (is_true(*answer, "here") ? "  (here)" : "  (not in this folder)"));
  output.print("Node key       " + plain(text(*answer, "node")));
  if (!is_true(*answer, "here"))
    output.say(
        "Without it nobody can be invited or revoked here. If it is lost: chapterd key "
        "request");
  return {};
}

Result<void> rotate_key(Context& context) {
  auto sure = context.confirm("Give this chapter a new authority key?");
  if (!sure) return sure;
  const auto answer = context.call("key.rotate", Json::object());
  if (!answer) return forward(answer);
  Output& output = context.output;
  if (output.answer(*answer)) return {};
  output.print("The authority key of this chapter is now " + plain(text(*answer, "authority")) +
               ". What the one before signed stands.");
  output.say(
      "Make a new backup, and print the recovery kit again (chapterd kit show): the old ones hold "
      "the old key.");
  return {};
}

Result<void> request(Context& context) {
  const std::string path = context.given.text("out");
  auto file = context.new_file(path);
  if (!file) return forward(file);
  auto answer = context.call("key.request", Json::object());
  if (!answer) return forward(answer);
  const std::string words = text(*answer, "words");
  auto written = context.write_text(
      *file, enrol_text(EnrolKind::key_request, text(*answer, "request"),
                        plain(text(*answer, "code")) +
                            " asks for a new authority key. Hand this file to the chapter above. "
                            "There: chapterd key recover FILE\nCompare by voice: " +
                            words));
  if (!written) return written;
  (*answer)["file"] = path;
  Output& output = context.output;
  if (path == "-" || output.answer(*answer)) return {};
  output.print("The request is in " + path + ". Hand it to the chapter above.");
  output.print("Compare these words by voice: " + output.paint(Shade::strong, words));
  output.say("The new key is kept here, and is used once the answer has come.");
  return {};
}

Result<void> recover_below(Context& context) {
  const auto letter = context.read_text(context.given.text("FILE"));
  if (!letter) return forward(letter);
  const auto request = enrol_base32(EnrolKind::key_request, *letter);
  if (!request) return forward(request);
  Json args = {{"request", *request}, {"only_look", true}};
  args["stolen"] = context.given.has("stolen");
  const auto seen = context.call("key.recover", args);
  if (!seen) return forward(seen);
  const std::string who = plain(text(*seen, "name")) + " (" + plain(text(*seen, "code")) + ")";
  Output& output = context.output;
  output.say("The words of " + who + ": " + text(*seen, "words"));
  auto sure = context.confirm("Have you compared the four words by voice, and does " + who +
                              " get this key?");
  if (!sure) return sure;
  args["only_look"] = false;
  const auto answer = context.call("key.recover", args);
  if (!answer) return forward(answer);
  if (output.answer(*answer)) return {};
  output.print(who + " has a new authority key.");
  output.say(context.given.has("stolen")
                 ? "Of what the key before signed, only what is known here now still counts."
                 : "What the key before signed stands. If it was stolen, say so: --stolen");
  return {};
}

Result<void> recover_global(Context& context) {
  const auto kit = context.read_text(context.given.text("recovery-key"));
  if (!kit) return forward(kit);
  // On the page of a kit the recovery key is the last code.
  const auto codes = kit_codes_in(*kit);
  const std::string code = codes.empty() ? kit->substr(0, kit->find('\n')) : codes.back();
  auto sure = context.confirm("Replace the authority key of the global chapter?");
  if (!sure) return sure;
  const auto answer = context.call(
      "key.recover_root", {{"recovery_key", code}, {"stolen", context.given.has("stolen")}});
  if (!answer) return forward(answer);
  if (context.output.answer(*answer)) return {};
  context.output.print("The authority key of the global chapter is now " +
                       plain(text(*answer, "authority")) + ".");
  return {};
}

Result<void> recover(Context& context) {
  if (context.given.has("FILE") != context.given.has("recovery-key"))
    return context.given.has("FILE") ? recover_below(context) : recover_global(context);
  return fail(Errc::usage, "cli.missing-argument",
              "Give either the request of a chapter below, or the recovery key.",
              "Nothing was changed.",
              "chapterd key recover FILE, or at the global chapter: chapterd key recover "
              "--recovery-key FILE");
}

}  // namespace

std::vector<Command> key_commands() {
  const auto row = [](const char* verb, const char* help) {
    return Command{.path = {"key", verb}, .help = help, .group = command_group::others};
  };
  const Flag yes{.name = "yes", .value = "", .help = "Do not ask."};
  const Flag stolen{.name = "stolen",
                    .value = "",
                    .help =
                        "The key before may be in wrong hands: of what it signed, only what is "
                        "known here now counts."};
  Command shown = row("show", "Fingerprints of the keys of this chapter and node.");
  shown.run = show_keys;
  Command rotated = row("rotate", "Give this chapter a new authority key, as planned.");
  rotated.flags = {yes};
  rotated.run = rotate_key;
  Command requested = row("request", "Ask the chapter above for a new key: the old one is lost.");
  requested.flags = {Flag{.name = "out",
                          .value = "FILE",
                          .help = "Where the request goes; - is stdout.",
                          .preset = "key-request.txt"}};
  requested.run = request;
  Command recovered = row("recover", "Give a chapter below, or the global one, its new key.");
  recovered.arguments = {
      Argument{.name = "FILE", .help = "The request; - is stdin.", .required = false}};
  recovered.flags = {Flag{.name = "recovery-key",
                          .value = "FILE",
                          .help = "File with the printed recovery key, or the whole recovery "
                                  "kit; - is stdin. At the global chapter."},
                     stolen, yes};
  recovered.run = recover;
  return {shown, rotated, requested, recovered};
}

}  // namespace chapterd
