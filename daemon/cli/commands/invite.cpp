// invite: what a chapter below needs to join.
#include "daemon/cli/answers.h"
#include "daemon/cli/commands.h"
#include "daemon/cli/context.h"
#include "daemon/cli/record_words.h"

#include <array>
#include <chrono>

namespace chapterd {
namespace {

constexpr std::array<std::string_view, 3> levels{"national", "subnational", "field"};

Result<int> level_of(const std::string& word) {
  for (std::size_t i = 0; i < levels.size(); ++i) {
    if (word == levels[i] || word == std::to_string(i + 1)) return static_cast<int>(i + 1);
  }
  return fail(Errc::usage, "invite.level", "--level is “" + word + "”.", "Nothing was done.",
              "Choose one of: national, subnational, field");
}

// Of a chapter that is there: which of its computers may still speak for it.
void tell_replaced(Output& output, const Json& invite) {
  output.say(
      "It makes a new computer the one that speaks for this chapter. What the chapter had "
      "shared comes back to it. What only the chapter could read does not, and no invite "
      "opens it to anybody.");
  for (const Json& node : list(invite, "nodes")) {
    output.say("Not revoked: “" + plain(text(node, "name")) + "” (" +
               plain(text(node, "fingerprint")) +
               "). If it is lost, stolen or out of use: chapterd peers revoke " +
               plain(text(node, "fingerprint")));
  }
}

// What stands in the way of joining with it, as far as it is known here.
void warn(Output& output, const Json& invite) {
  if (!is_true(invite, "authority")) {
    output.say(
        "Warning: this node's authority.key is not here, so nobody can join with the invite until "
        "it is put back and the daemon is started again.");
  }
  if (is_true(invite, "reachable")) return;
  const Json& addresses = list(invite, "addresses");
  output.say("Warning: " +
             (addresses.empty() ? std::string("the invite names no address")
                                : "only this computer reaches " + plain(addresses[0].dump())) +
             ", so others can join by file only (join --offline). To let them join over the "
             "network, let the node listen where they reach it (sync.listen) and name that place: "
             "--address HOST:PORT");
}

Result<void> create(Context& context) {
  const auto hours = context.given.number("hours");
  if (!hours) return forward(hours);
  const bool replace = context.given.has("replace");
  if (replace == context.given.has("name")) {
    return fail(Errc::usage, "invite.name",
                replace ? "The chapter keeps its name." : "A new chapter needs a name.",
                "Nothing was done.", replace ? "Leave --name out." : "Give it with: --name NAME");
  }
  Json args = {{"code", context.given.text("CODE")}, {"hours", *hours}, {"replace", replace}};
  if (!replace) args["name"] = context.given.text("name");
  if (context.given.has("level")) {
    const auto level = level_of(context.given.text("level"));
    if (!level) return forward(level);
    args["level"] = *level;
  }
  if (context.given.has("address")) args["addresses"] = context.given.all("address");
  const std::string path = context.given.has("out") ? context.given.text("out") : "-";
  auto file = context.new_file(path);
  if (!file) return forward(file);
  const auto answer = context.call("invite.create", args);
  if (!answer) return forward(answer);
  Output& output = context.output;
  const std::string invite = text(*answer, "invite");
  if (*file) {
    auto written = context.write_text(*file, invite + "\n");
    if (!written) {
      written.error().safe = "The invite was made, but its text is nowhere.";
      written.error().next = "Withdraw it: chapterd invite revoke " + text(*answer, "code") +
                             ", then make another one.";
      return written;
    }
  }
  if (output.answer(*answer)) return {};
  output.say("Invite for " + plain(replace ? text(*answer, "name") : context.given.text("name")) +
             ", good once and for " + counted(*hours, "hour", "hours") +
             ". Keep it secret; there: chapterd join CODE");
  if (replace) tell_replaced(output, *answer);
  warn(output, *answer);
  output.print(path == "-" ? invite : "Written to " + path);
  return {};
}

Result<void> list_invites(Context& context) {
  const auto answer = context.call("invite.list", Json::object());
  if (!answer) return forward(answer);
  Output& output = context.output;
  if (output.answer(*answer)) return {};
  const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(
                       std::chrono::system_clock::now().time_since_epoch())
                       .count();
  Table table({"Id", "Chapter", "Name", "State", "Ends"});
  for (const Json& invite : list(*answer, "invites")) {
    constexpr std::size_t shown_id = 8;
    const std::int64_t left = number(invite, "expires_ms").value_or(now) - now;
    const bool open = text(invite, "state") == "open";
    table.row({plain(text(invite, "id")).substr(0, shown_id), plain(text(invite, "code")),
               plain(text(invite, "name")),
               open && left < 0 ? "expired" : plain(text(invite, "state")),
               open ? (left < 0 ? ago(-left) : ahead(left)) : "–"});
  }
  if (table.empty()) {
    output.say("No invites yet. Make one: chapterd invite create CODE --name NAME");
    return {};
  }
  output.print(table.text(output));
  return {};
}

// The whole id, from four or more of its first characters or the code of an open invite.
Result<std::string> find_invite(Context& context, const std::string& wanted) {
  const auto answer = context.call("invite.list", Json::object());
  if (!answer) return forward(answer);
  std::vector<std::string> found;
  for (const Json& invite : list(*answer, "invites")) {
    const std::string id = text(invite, "id");
    const bool by_code = text(invite, "code") == wanted && text(invite, "state") == "open";
    if (by_code || (wanted.size() >= 4 && id.starts_with(wanted))) found.push_back(id);
  }
  if (found.size() == 1) return found.front();
  if (found.empty()) {
    return fail(Errc::not_found, "invite.unknown", "There is no open invite “" + wanted + "”.",
                "Nothing was changed.", "See: chapterd invite list");
  }
  return fail(Errc::usage, "invite.ambiguous", "“" + wanted + "” fits several invites.",
              "Nothing was changed.", "Give more of the id. See: chapterd invite list");
}

Result<void> revoke(Context& context) {
  const auto id = find_invite(context, context.given.text("ID"));
  if (!id) return forward(id);
  const auto answer = context.call("invite.revoke", {{"id", *id}});
  if (!answer) return forward(answer);
  if (context.output.answer(*answer)) return {};
  context.output.print("Revoked. Nobody can join with it any more.");
  return {};
}

}  // namespace

std::vector<Command> invite_commands() {
  Command made{.path = {"invite", "create"},
               .help = "Make an invite; whoever has it can join once, as this chapter.",
               .group = command_group::others,
               .arguments = {Argument{.name = "CODE", .help = "Code of the chapter: KE."}},
               .flags = {Flag{.name = "name", .value = "NAME", .help = "Name of the new chapter."},
                         Flag{.name = "replace",
                              .value = "",
                              .help = "A new computer for a chapter that is there, and that has "
                                      "lost its own."},
                         Flag{.name = "level",
                              .value = "LEVEL",
                              .help = "national, subnational or field; else one below this one."},
                         Flag{.name = "address",
                              .value = "HOST:PORT",
                              .help = "Where this node is reached; else where it listens.",
                              .many = true},
                         Flag{.name = "hours",
                              .value = "N",
                              .help = "How long it is good for.",
                              .preset = "72"},
                         Flag{.name = "out",
                              .value = "FILE",
                              .help = "Write it into a new file that only you can read."}},
               .run = create};
  Command listed{.path = {"invite", "list"},
                 .help = "Invites that were made, and what became of them.",
                 .group = command_group::others,
                 .run = list_invites};
  Command revoked{
      .path = {"invite", "revoke"},
      .help = "Make an invite useless that was not used yet.",
      .group = command_group::others,
      .arguments = {Argument{.name = "ID", .help = "Beginning of its id, or the chapter's code."}},
      .run = revoke};
  return {made, listed, revoked};
}

}  // namespace chapterd
