// join: takes a place below a parent, over the network or by files.
#include "base/bytes.h"
#include "daemon/cli/answers.h"
#include "daemon/cli/commands.h"
#include "daemon/cli/context.h"
#include "daemon/cli/enrol_file.h"
#include "daemon/cli/kit_words.h"
#include "daemon/cli/listen_setting.h"
#include "daemon/cli/protection.h"
#include "daemon/cli/secret_input.h"
#include "daemon/cli/waiting.h"

#include <filesystem>

namespace chapterd {
namespace {

constexpr std::uint64_t starting_s = 5;

// A word of the line is a file when there is one of that name; several words are one invite.
Result<std::string> what_was_handed_in(const Context& context) {
  const std::vector<std::string> words = context.given.all("CODE");
  std::error_code trouble;
  const bool one = words.size() == 1;
  if (one && (words.front() == "-" || std::filesystem::exists(words.front(), trouble))) {
    return context.read_text(words.front());
  }
  std::string text;
  for (const std::string& word : words) text += word + " ";
  if (text.find_first_of("./") != std::string::npos) return context.read_text(words.front());
  return text;
}

Result<void> tell_joined(Context& context, std::optional<NewFile>& kit, const Json& answer) {
  Output& output = context.output;
  const KitOwner owner{text(answer, "federation_name"),
                       text(answer, "name") + " (" + text(answer, "chapter") + ")"};
  auto kept = keep_kit(kit, owner, member(answer, "kit"));
  if (output.answer(for_json(kit, answer))) return kept;
  const Json& parent = member(answer, "parent");
  const std::string above =
      plain(parent.is_string() ? parent.get<std::string>() : text(parent, "name"));
  output.print(output.paint(Shade::good, "Joined: ") + "this node is now " +
               plain(text(answer, "name")) + " (" + plain(text(answer, "chapter")) + ")" +
               (above.empty() ? "" : ", below " + above) + ".");
  tell_kit(context, kit, owner, member(answer, "kit"));
  if (is_true(answer, "replaces")) {
    output.say(
        "This chapter was there before. What it had shared comes back by itself. What only "
        "it could read (members, drafts, notes) is not with the others: it is where the "
        "earlier computer's folder or a backup with keys is.");
  }
  tell_protection(context, answer);
  output.say("Next: " + context.command("run"));
  return kept;
}

Result<void> finish(Context& context, const std::string& letter) {
  const auto base32 = enrol_base32(EnrolKind::answer, letter);
  if (!base32) return forward(base32);
  auto kit = kit_file(context);
  if (!kit) return forward(kit);
  auto answer = context.doors.finish_join(context.config(), *from_base32(*base32));
  if (!answer && asked_passphrase(context, answer.error()))
    answer = context.doors.finish_join(context.config(), *from_base32(*base32));
  if (!answer) return forward(answer);
  return tell_joined(context, *kit, *answer);
}

Result<void> write_request(Context& context, const std::string& invite, const std::string& node) {
  Output& output = context.output;
  const std::string path = context.given.text("out");
  auto file = context.new_file(path);
  if (!file) return forward(file);
  auto prepared = context.doors.prepare_join(context.config(), invite, node);
  if (!prepared) return forward(prepared);
  auto kept = keep_listen(context);
  if (!kept) return kept;
  const std::string words = text(*prepared, "words");
  auto written = context.write_text(
      *file,
      enrol_text(EnrolKind::request, text(*prepared, "request"),
                 "Hand this file to whoever invited you. There: chapterd peers approve FILE\n"
                 "Compare by voice: " +
                     words));
  if (!written) return written;
  (*prepared)["file"] = path;
  if (path == "-" || output.answer(*prepared)) return {};
  output.print("Request written to " + path);
  output.print("Compare these words by voice with whoever approves it: " +
               output.paint(Shade::strong, words));
  output.say("Next: hand the file over; what comes back goes in by: " +
             context.command("join ANSWERFILE"));
  return {};
}

// The daemon above may be starting just now; the keys stay the same however often it is tried.
Result<Json> ask_online(Context& context, const std::string& invite, const std::string& node) {
  auto answer = context.doors.join_online(context.config(), invite, node);
  const auto settled = poll(starting_s, [&]() -> Result<bool> {
    if (answer || answer.error().kind != Errc::unreachable) return true;
    answer = context.doors.join_online(context.config(), invite, node);
    return false;
  });
  return settled ? answer : Result<Json>(forward(settled));
}

Result<void> join(Context& context) {
  const auto handed = what_was_handed_in(context);
  if (!handed) return forward(handed);
  if (enrol_kind(*handed) == EnrolKind::answer) return finish(context, *handed);
  if (enrol_kind(*handed) == EnrolKind::request) {
    return fail(Errc::usage, "enrol.request-here", "This is a request to join, not an invite.",
                "Nothing was done.",
                "Hand it to the chapter that invited; there: chapterd peers approve FILE");
  }
  auto listen = take_listen(context, "");  // nobody is below a chapter that has just joined
  if (!listen) return listen;
  if (auto chosen = choose_protection(context); !chosen) return chosen;
  const std::string node =
      context.given.has("node") ? context.given.text("node") : context.around.host_name;
  if (context.given.has("offline")) return write_request(context, *handed, node);
  auto kit = kit_file(context);
  if (!kit) return forward(kit);
  context.output.say("Asking the chapter above …");
  const auto answer = ask_online(context, *handed, node);
  if (!answer) return forward(answer);
  auto kept = keep_listen(context);
  auto told = tell_joined(context, *kit, *answer);
  return told ? kept : told;
}

}  // namespace

std::vector<Command> join_commands() {
  return {Command{
      .path = {"join"},
      .help = "Join below a parent, with the invite that it gave you.",
      .group = command_group::start,
      .arguments = {Argument{.name = "CODE",
                             .help = "The invite, a file that holds it, an answer file, or - for "
                                     "what comes in on stdin.",
                             .many = true}},
      .flags =
          std::vector{
              Flag{.name = "offline",
                   .value = "",
                   .help = "Write a request file instead of asking over the network."},
              Flag{.name = "out",
                   .value = "FILE",
                   .help = "Where --offline writes it; - is stdout.",
                   .preset = "join-request.txt"},
              Flag{.name = "node",
                   .value = "NAME",
                   .help = "Name of this computer; else what the system calls it."},
              Flag{.name = "listen",
                   .value = "HOST:PORT",
                   .help = "Where chapters below will reach this node; kept in chapterd.toml."}} +
          protection_flags(),
      .run = join,
      .more = "Without a network: “join CODE --offline” writes a request file, the parent answers\n"
              "it with “peers approve FILE”, and “join ANSWERFILE” finishes.\n" +
              std::string(protection_help)}};
}

}  // namespace chapterd
