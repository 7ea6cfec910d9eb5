// quarantine: what a revoked node wrote beyond its cut, or a copied one after its feed was ended,
// to look at, to take back in, or to drop.
#include "daemon/cli/answers.h"
#include "daemon/cli/commands.h"
#include "daemon/cli/context.h"

namespace chapterd {
namespace {

constexpr std::size_t columns = 88;

// "title: “Boats”, notes (taken out)"
std::string fields_in_words(const Json& entry) {
  constexpr std::size_t value_columns = 60;
  std::string words;
  const Json& fields = member(entry, "fields");
  if (!fields.is_object()) return "cannot be read here";
  for (const auto& item : fields.items()) {
    words += (words.empty() ? "" : ", ") + plain(item.key());
    if (item.value().is_null()) {
      words += " (taken out)";
    } else {
      const Json& value = item.value();
      const std::string shown = value.is_string() ? value.get<std::string>() : value.dump();
      words += ": “" + shortened(plain(shown), value_columns) + "”";
    }
  }
  return words;
}

std::string page_of(const Output& output, const Json& node) {
  const std::uint64_t dropped = count(node, "dropped");
  const std::uint64_t entries = count(node, "entries") + dropped;
  std::string page = output.paint(Shade::strong, plain(text(node, "name")) + " (" +
                                                     plain(text(node, "code")) + ")") +
                     ", node " + plain(text(node, "fingerprint")) +
                     (is_true(node, "revoked")
                          ? ", revoked: " + plain(text(node, "reason"))
                          : ", a second history that nobody listed when the first was ended") +
                     "\n";
  for (const Json& entry : list(node, "shown")) {
    page += "  " + date_of(number(entry, "time_ms").value_or(0)) + ", audience " +
            plain(text(entry, "audience")) + ", " + plain(text(entry, "kind")) + " " +
            plain(text(entry, "record")) + "\n" + wrapped(fields_in_words(entry), 4, columns);
  }
  const std::size_t shown = list(node, "shown").size();
  if (shown < entries) page += "  … and " + std::to_string(entries - shown) + " more.\n";
  if (dropped > 0) page += "  " + counted(dropped, "entry was", "entries were") + " dropped.\n";
  return page;
}

Result<void> list_set_aside(Context& context) {
  Json args = Json::object();
  if (context.given.has("CODE")) args["code"] = context.given.text("CODE");
  if (context.given.has("dropped")) args["dropped"] = true;
  const auto answer = context.call("quarantine.list", args);
  if (!answer) return forward(answer);
  Output& output = context.output;
  if (output.answer(*answer)) return {};
  const Json& nodes = list(*answer, "nodes");
  for (const Json& node : nodes) output.print(page_of(output, node));
  output.say(
      nodes.empty()
          ? "Nothing is set aside."
          : "None of this counts. To let it count: chapterd quarantine admit CODE. To leave it "
            "out for good: chapterd quarantine drop CODE");
  return {};
}

Result<void> admit(Context& context) {
  const std::string code = context.given.text("CODE");
  auto sure = context.confirm("Let all that is set aside of " + code + " count, everywhere?");
  if (!sure) return sure;
  const auto answer = context.call("quarantine.admit", {{"code", code}});
  if (!answer) return forward(answer);
  Output& output = context.output;
  if (output.answer(*answer)) return {};
  output.print("Admitted: " + counted(count(*answer, "admitted"), "entry", "entries") + " of " +
               code + ".");
  if (const std::uint64_t left = count(*answer, "left"); left > 0) {
    output.say(
        counted(left, "entry stays", "entries stay") +
        " set aside: only the chapter that revoked the node, one above that, or for feeds that "
        "those may not hold the node's own chapter, can admit them.");
  }
  return {};
}

Result<void> drop(Context& context) {
  const std::string code = context.given.text("CODE");
  auto sure = context.confirm("Leave all that is set aside of " + code + " out?");
  if (!sure) return sure;
  const auto answer = context.call("quarantine.drop", {{"code", code}});
  if (!answer) return forward(answer);
  Output& output = context.output;
  if (output.answer(*answer)) return {};
  output.print("Dropped: " + counted(count(*answer, "dropped"), "entry", "entries") + " of " +
               code + ".");
  output.say(
      "They are kept, and can still be admitted. See them with: chapterd quarantine list "
      "--dropped");
  return {};
}

}  // namespace

std::vector<Command> quarantine_commands() {
  const auto row = [](const char* verb, const char* help) {
    return Command{.path = {"quarantine", verb}, .help = help, .group = command_group::others};
  };
  Command listed = row("list", "What revoked or copied nodes wrote that does not count.");
  listed.arguments = {
      Argument{.name = "CODE", .help = "Only of the chapter with this code.", .required = false}};
  listed.flags = {Flag{.name = "dropped", .value = "", .help = "Also what was dropped."}};
  listed.run = list_set_aside;
  Command admitted = row("admit", "Let it count after all, once somebody looked at it.");
  admitted.arguments = {Argument{.name = "CODE", .help = "Code of the chapter."}};
  admitted.flags = {Flag{.name = "yes", .value = "", .help = "Do not ask."}};
  admitted.run = admit;
  Command dropped = row("drop", "Leave it out, and show it no more as something to decide.");
  dropped.arguments = {Argument{.name = "CODE", .help = "Code of the chapter."}};
  dropped.flags = {Flag{.name = "yes", .value = "", .help = "Do not ask."}};
  dropped.run = drop;
  return {listed, admitted, dropped};
}

}  // namespace chapterd
