// kit: the recovery kit, shown again, checked, and made into keys again.
#include "daemon/cli/answers.h"
#include "daemon/cli/commands.h"
#include "daemon/cli/context.h"
#include "daemon/cli/kit_words.h"
#include "daemon/cli/secret_input.h"

namespace chapterd {
namespace {

Result<std::vector<std::string>> typed_codes(Context& context) {
  std::string all;
  if (context.given.has("FILE")) {
    auto text = context.read_text(context.given.text("FILE"));
    if (!text) return forward(text);
    all = std::move(*text);
  } else if (context.output.terminal().in) {
    context.output.say("Type the codes from the paper, and an empty line at the end.");
    for (std::string line; !(line = ask_secret(context, "> ")).empty();) all += line + "\n";
  } else {
    auto text = context.read_text("-");
    if (!text) return forward(text);
    all = std::move(*text);
  }
  auto codes = kit_codes_in(all);
  if (!codes.empty()) return codes;
  return fail(Errc::usage, "kit.no-codes", "There is no code of a recovery kit in this.",
              "Nothing was changed.",
              "A code is fourteen groups of letters and digits, joined by dashes.");
}

std::string worded_part(const std::string& part) {
  if (part == "authority") return "The authority key";
  return part == "chapter" ? "The chapter key" : "The recovery key of the federation";
}

Result<void> check(Context& context) {
  const auto codes = typed_codes(context);
  if (!codes) return forward(codes);
  const auto answer = context.call("kit.check", {{"codes", *codes}});
  if (!answer) return forward(answer);
  std::size_t wrong = 0;
  const Json& checked = list(*answer, "checked");
  for (const Json& each : checked) wrong += is_true(each, "right") ? 0 : 1;
  if (!context.output.answer(*answer)) {
    std::size_t number = 0;
    for (const Json& each : checked) {
      ++number;
      context.output.print(is_true(each, "right")
                               ? worded_part(text(each, "part")) + " is copied right."
                               : "Code " + std::to_string(number) + ": " +
                                     plain(text(each, "why")) + " " +
                                     context.output.hint(plain(text(each, "next"))));
    }
  }
  if (wrong == 0) return {};
  return fail(Errc::check_failed, "kit.wrong",
              counted(wrong, "code of the kit is", "codes of the kit are") + " wrong.",
              "The keys of this computer are as they were.",
              "Correct the paper, or print the kit again: " + context.command("kit show"));
}

Result<void> show_again(Context& context) {
  auto sure = context.confirm("The kit is as good as the keys themselves. Show it here?");
  if (!sure) return sure;
  auto kit = kit_file(context);
  if (!kit) return forward(kit);
  const auto facts = context.call("kit.facts", Json::object());
  if (!facts) return forward(facts);
  auto codes = context.doors.show_kit(context.config(), *facts);
  if (!codes && asked_passphrase(context, codes.error()))
    codes = context.doors.show_kit(context.config(), *facts);
  if (!codes) return forward(codes);
  const KitOwner owner{text(*facts, "federation_name"),
                       text(*facts, "name") + " (" + text(*facts, "chapter") + ")"};
  auto kept = keep_kit(*kit, owner, *codes);
  if (context.output.answer(*kit ? Json{{"file", context.given.text("kit")}} : *codes)) return kept;
  tell_kit(context, *kit, owner, *codes);
  return kept;
}

Result<void> restore(Context& context) {
  if (context.given.has("passphrase")) {
    auto chosen = choose_passphrase(context);
    if (!chosen) return chosen;
  }
  const auto codes = typed_codes(context);
  if (!codes) return forward(codes);
  const auto answer = context.doors.restore_kit(context.config(), *codes);
  if (!answer) return forward(answer);
  if (context.output.answer(*answer)) return {};
  for (const Json& part : list(*answer, "restored")) {
    context.output.print(worded_part(part.is_string() ? part.get<std::string>() : "") +
                         " is back in the folder.");
  }
  context.output.say("Next: " + context.command("run"));
  return {};
}

}  // namespace

std::vector<Command> kit_commands() {
  const Argument file{.name = "FILE",
                      .help = "A file with the codes, or - for stdin; else they are asked for.",
                      .required = false};
  const Flag kit{.name = "kit", .value = "FILE", .help = "Write the kit into this new file."};
  const Flag yes{.name = "yes", .value = "", .help = "Do not ask."};
  return {
      Command{.path = {"kit", "show"},
              .help = "Print the recovery kit again.",
              .group = command_group::check,
              .flags = {kit, yes},
              .run = show_again,
              .more = "The recovery key of the federation is not in it: that was shown once, by "
                      "init."},
      Command{.path = {"kit", "check"},
              .help = "Say whether the kit was copied right.",
              .group = command_group::check,
              .arguments = {file},
              .run = check},
      Command{.path = {"kit", "restore"},
              .help = "Make lost key files again from the kit; the daemon must not be running.",
              .group = command_group::check,
              .arguments = {file},
              .flags = {Flag{.name = "passphrase",
                             .value = "",
                             .help = "Ask for a new passphrase to protect them with."}},
              .run = restore}};
}

}  // namespace chapterd
