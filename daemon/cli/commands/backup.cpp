// backup: keep a copy of the node, look at it, try it out, put it back.
#include "crypto/passphrase.h"
#include "daemon/cli/answers.h"
#include "daemon/cli/commands.h"
#include "daemon/cli/context.h"
#include "daemon/cli/protection.h"
#include "daemon/cli/secret_input.h"

#include <algorithm>

namespace chapterd {
namespace {

Result<Json> with_passphrase(Context& context, Json args) {
  if (!context.given.has("passphrase-file")) return args;
  const auto words = context.read_text(context.given.text("passphrase-file"));
  if (!words) return forward(words);
  auto passphrase = passphrase_in(*words);
  if (!passphrase) return forward(passphrase);
  args["passphrase"] = std::move(*passphrase);
  return args;
}

Result<Json> work(Context& context, std::string_view name, Json args) {
  const auto asked = with_passphrase(context, std::move(args));
  if (!asked) return asked;
  auto answer = context.doors.folder_work(context.config(), name, *asked);
  if (!answer && asked_passphrase(context, answer.error()))
    answer = context.doors.folder_work(context.config(), name, *asked);
  return answer;
}

std::string holds(const Json& backup) {
  return counted(count(backup, "entries"), "entry", "entries") + " and " +
         counted(count(backup, "records"), "record", "records") + " of " +
         plain(text(backup, "chapter")) + ", computer " + plain(text(backup, "node_name"));
}

std::string made(const Json& backup) {
  return date_of(number(backup, "made_ms").value_or(0));
}

Result<void> create(Context& context) {
  Json args = Json::object();
  if (context.given.has("out")) args["out"] = context.given.text("out");
  Output& output = context.output;
  output.say("Copying the database …");
  const auto answer = work(context, "backup.create", std::move(args));
  if (!answer) return forward(answer);
  if (output.answer(*answer)) return {};
  output.print(plain(text(*answer, "file")) + ": " + bytes_of(count(*answer, "bytes")) + " in " +
               std::to_string(count(*answer, "ms")) + " ms");
  output.say("It holds " + holds(*answer) + ".");
  output.say(is_true(*answer, "keys")
                 ? "The keys of the node are in it, and all of it is sealed with the passphrase: "
                   "without that, nobody can read it, you neither."
                 : "The keys of the node are not in it: put back on this computer it needs nothing "
                   "else, on another one it does. With --passphrase-file they are kept too, and "
                   "all of it is sealed. Without, whoever has the file can read it.");
  if (is_true(*answer, "same_disk")) {
    output.say("It lies on the same disk as the node: copy it to another one.");
  }
  return {};
}

Result<void> show_list(Context& context) {
  Json args = Json::object();
  if (context.given.has("DIR")) args["folder"] = context.given.text("DIR");
  const auto answer = work(context, "backup.list", std::move(args));
  if (!answer) return forward(answer);
  Output& output = context.output;
  if (output.answer(*answer)) return {};
  Table table({"Made", "Chapter", "Computer", "Entries", "Size", "Keys", "File"});
  table.right(3);
  for (const Json& backup : list(*answer, "backups")) {
    table.row({made(backup), plain(text(backup, "chapter")), plain(text(backup, "node_name")),
               std::to_string(count(backup, "entries")), bytes_of(count(backup, "bytes")),
               is_true(backup, "keys") ? "sealed" : "no", plain(text(backup, "file"))});
  }
  if (table.empty()) {
    output.say("There is no backup in " + plain(text(*answer, "folder")) + ".");
  } else {
    output.print(table.text(output));
  }
  return {};
}

Error faults(const Json& check) {
  return {Errc::check_failed, "backup.faults",
          "The backup is not sound: " + counted(count(check, "found"), "fault", "faults") + ".",
          "The node was not touched.", "Take another backup, and check that one too."};
}

Result<void> verify(Context& context) {
  context.output.say("Unpacking it and checking every piece, signature and page …");
  const auto answer = work(context, "backup.verify", {{"file", context.given.text("FILE")}});
  if (!answer) return forward(answer);
  Output& output = context.output;
  const Json& check = member(*answer, "check");
  const bool good = is_true(check, "ok");
  if (!output.answer(*answer)) {
    output.print("Made " + made(*answer) + ": " + holds(*answer) + ", federation " +
                 plain(text(*answer, "federation")) + ".");
    for (const Json& fault : list(check, "faults")) output.print("  " + plain(text(fault, "what")));
    if (good) output.print(output.paint(Shade::good, "Everything in it is as it was signed."));
  }
  if (good) return {};
  return fail(faults(check));
}

Result<void> restore(Context& context) {
  const bool replace = context.given.has("replace");
  if (replace) {
    auto sure = context.confirm(
        "Put this backup in the place of the database that is there now? "
        "That one is kept aside.");
    if (!sure) return sure;
  }
  context.output.say("Unpacking and checking it …");
  const auto answer =
      work(context, "backup.restore", {{"file", context.given.text("FILE")}, {"replace", replace}});
  if (!answer) return forward(answer);
  Output& output = context.output;
  if (output.answer(*answer)) return {};
  output.print("Restored: " + counted(count(*answer, "entries"), "entry", "entries") + " of " +
               plain(text(*answer, "chapter")) + ", as of " + made(*answer) + ".");
  if (const std::string kept = plain(text(*answer, "kept")); !kept.empty())
    output.say("The database from before lies in " + kept + ".");
  if (!is_true(*answer, "has_keys")) {
    output.say(
        "The keys are not here: put node.key (and authority.key, chapter.key) of this node into "
        "the folder before you start it.");
  }
  tell_protection(context, *answer);
  output.say("Start it with: " + context.command("run") +
             ". It takes itself for restored, and "
             "fetches back what others hold. See: " +
             context.command("status"));
  return {};
}

std::string drill_words(const Json& answer) {
  const std::string when = "The newest backup, of " + made(answer) + ", ";
  if (!is_true(answer, "own")) return when + "is of another node.";
  if (!is_true(answer, "ok")) return when + "could not be restored: it is not sound.";
  std::string words =
      when + "would restore " + counted(count(answer, "entries"), "entry", "entries");
  if (!number(answer, "live")) {
    return words + "; the database of now cannot be read, so what would be missing is not known.";
  }
  const std::uint64_t since = count(answer, "since");
  if (since == 0) return words + ", and nothing of yours would be lost.";
  words += ". Written since: " + std::to_string(since) + "; of these " +
           std::to_string(count(answer, "elsewhere")) +
           " would come back from other chapters, and ";
  const std::uint64_t lost = count(answer, "lost");
  return words + (lost == 0 ? "nothing would be lost." : std::to_string(lost) + " would be lost.");
}

Result<void> drill(Context& context) {
  Json args = Json::object();
  if (context.given.has("DIR")) args["folder"] = context.given.text("DIR");
  context.output.say("Restoring the newest backup into a temporary folder …");
  const auto answer = work(context, "backup.drill", std::move(args));
  if (!answer) return forward(answer);
  if (!context.output.answer(*answer)) context.output.print(drill_words(*answer));
  if (is_true(*answer, "ok")) return {};
  return fail(faults(member(*answer, "check")));
}

Flag passphrase_flag(const char* help) {
  return Flag{.name = "passphrase-file", .value = "FILE", .help = help};
}

}  // namespace

std::vector<Command> backup_commands() {
  const auto row = [](const char* verb, const char* help) {
    return Command{.path = {"backup", verb}, .help = help, .group = command_group::check};
  };
  const Flag opens = passphrase_flag("File whose first line opens a sealed backup.");
  const Argument folder{.name = "DIR",
                        .help = "Where backups are; else “backups” in the data folder.",
                        .required = false};
  const Argument file{.name = "FILE", .help = "The backup."};
  Command created = row("create", "Keep a copy of the node, also while the daemon runs.");
  created.flags = {
      Flag{.name = "out", .value = "FILE|DIR", .help = "Where; else “backups” in the data folder."},
      passphrase_flag("Keep the keys too, sealed with the first line of this file.")};
  created.run = create;
  Command listed = row("list", "Backups in a folder, the newest first.");
  listed.arguments = {folder};
  listed.run = show_list;
  Command verified = row("verify", "Whose it is, and whether all of it is sound.");
  verified.arguments = {file};
  verified.flags = {opens};
  verified.run = verify;
  Command restored =
      row("restore", "Put a backup into the data folder; the daemon must be stopped.");
  restored.arguments = {file};
  restored.flags = {opens,
                    Flag{.name = "replace",
                         .value = "",
                         .help = "Instead of the database that is there, which is kept aside."},
                    Flag{.name = "yes", .value = "", .help = "Do not ask."}};
  restored.run = restore;
  Command drilled =
      row("drill", "Say whether the newest backup would restore, and what would be lost.");
  drilled.arguments = {folder};
  drilled.flags = {opens};
  drilled.run = drill;
  return {created, listed, verified, restored, drilled};
}

}  // namespace chapterd
