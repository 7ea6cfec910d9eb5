// erase: takes words out for good, everywhere; says before what goes and where copies may exist,
// and after where that was done. report subject: all that is held of a person.
#include "daemon/cli/answers.h"
#include "daemon/cli/commands.h"
#include "daemon/cli/context.h"
#include "daemon/cli/record_ids.h"

#include <algorithm>
#include <map>

namespace chapterd {
namespace {

constexpr std::size_t columns = 80;
constexpr std::size_t chapters_named = 8;

std::string joined(const Json& names, std::size_t most) {
  std::string words;
  std::size_t shown = 0;
  for (const Json& name : names) {
    if (!name.is_string()) continue;
    if (shown++ == most) return words + " and " + std::to_string(names.size() - most) + " more";
    words += (words.empty() ? "" : ", ") + plain(name.get<std::string>());
  }
  return words;
}

// Which layer, in the words of people.
std::string where_words(const std::string& audience) {
  static const std::map<std::string, std::string> words{
      {"chapter", "In this chapter's own records"},
      {"up", "In what the chapters above hold"},
      {"down", "In what the chapters below hold"},
      {"to", "In what one other chapter was sent"},
      {"all", "In what everybody holds"}};
  const auto at = words.find(audience);
  return at == words.end() ? "In " + audience : at->second;
}

std::string holders_words(const Json& holders) {
  const std::uint64_t nodes = count(holders, "nodes");
  if (nodes == 0) return "No other machine may hold it.";
  return "Copies may exist at " + counted(nodes, "other machine", "other machines") + ": " +
         joined(list(holders, "chapters"), chapters_named) + ".";
}

std::string layer_words(const Json& layer) {
  std::string words = where_words(text(layer, "audience")) + ": " +
                      counted(count(layer, "entries"), "entry", "entries") + ", with " +
                      joined(list(layer, "fields"), 100) + ". " +
                      holders_words(member(layer, "holders"));
  if (const Json& kept = list(layer, "kept"); !kept.empty())
    words += " What stood beside it is written anew: " + joined(kept, 100) + ".";
  return words;
}

void show_linked(Output& output, const Json& linked) {
  if (linked.empty()) return;
  output.print("Not touched, because they are records of their own that point at it:");
  for (const Json& each : linked) {
    output.print("  " + plain(text(each, "kind")) + " " + plain(text(each, "id")) + " of " +
                 plain(text(each, "home")) + ": “" + plain(text(each, "title")) + "”" +
                 (is_true(each, "ours") ? "" : " (that chapter's to change)"));
  }
}

void show_preview(Output& output, const Json& preview) {
  const std::string field = text(preview, "field");
  const std::string title = plain(text(preview, "title"));
  output.print((field.empty() ? "All words of " : "The field " + plain(field) + " of ") +
               plain(text(preview, "kind")) + (title.empty() ? "" : " “" + title + "”") +
               " will be removed, with every earlier version of them:");
  for (const Json& layer : list(preview, "layers"))
    output.print(wrapped(layer_words(layer), 2, columns));
  show_linked(output, list(preview, "linked"));
  output.print(wrapped(
      "This cannot be undone. Every node that may hold it removes it when it next hears from the "
      "others; until then it keeps its copy. Files that people made themselves (bundles on sticks, "
      "exports, prints, backups) are not reached: a backup that is opened again removes it as soon "
      "as it hears of this.",
      0, columns));
}

Json wish_of(const Context& context, const std::string& id) {
  Json args = {{"id", id}};
  for (const char* name : {"field", "audience", "reason"}) {
    if (context.given.has(name)) args[name] = context.given.text(name);
  }
  return args;
}

// "contact_email" as the node knows it, also when it was given with dashes.
void underscore(Json& args) {
  if (!args.contains("field")) return;
  auto field = args["field"].get<std::string>();
  std::ranges::replace(field, '-', '_');
  args["field"] = field;
}

Result<void> erase(Context& context) {
  const auto id = find_record(context, context.given.text("ID"), kind_names(context.kinds));
  if (!id) return forward(id);
  Json args = wish_of(context, *id);
  underscore(args);
  const auto preview = context.call("erase.preview", args);
  if (!preview) return forward(preview);
  Output& output = context.output;
  if (!output.manner().json) show_preview(output, *preview);
  if (context.given.has("preview")) {
    output.answer(*preview);
    return {};
  }
  if (auto sure = context.confirm("Erase this for good?"); !sure) return sure;
  const auto answer = context.call("erase.record", args);
  if (!answer) return forward(answer);
  if (output.answer(*answer)) return {};
  output.print("Erased here: " + counted(count(*answer, "entries"), "entry", "entries") +
               ". See how far it has got with: " + context.command("erase report " + *id));
  return {};
}

Result<void> list_orders(Context& context) {
  const auto answer = context.call("erase.list", Json::object());
  if (!answer) return forward(answer);
  Output& output = context.output;
  if (output.answer(*answer)) return {};
  Table table({"When", "By", "Kind", "Record", "Audience", "Reason", "Entries"});
  table.right(6);
  for (const Json& order : list(*answer, "orders")) {
    table.row({date_of(number(order, "time_ms").value_or(0)), plain(text(order, "chapter")),
               plain(text(order, "kind")), plain(text(order, "record")),
               plain(text(order, "audience")), plain(text(order, "reason")),
               std::to_string(count(order, "entries"))});
  }
  if (table.empty()) {
    output.say("No order to erase anything is known here.");
  } else {
    output.print(table.text(output));
  }
  return {};
}

std::string node_words(const Json& node) {
  const std::string name =
      plain(text(node, "name")) + " (" + plain(text(node, "fingerprint")) + ")";
  const auto heard = number(node, "heard_ms");
  return heard ? name + ", last heard " + date_of(*heard) : name;
}

// "Erased at 3 of 5 nodes", and which are not known to have done it.
void show_order(Output& output, const Json& order) {
  const Json& nodes = list(order, "nodes");
  const auto done = std::count_if(nodes.begin(), nodes.end(),
                                  [](const Json& node) { return text(node, "state") == "erased"; });
  output.print(where_words(text(order, "audience")) + ", ordered " +
               date_of(number(order, "time_ms").value_or(0)) + " (" + plain(text(order, "reason")) +
               ", " + counted(count(order, "entries"), "entry", "entries") + "): erased at " +
               std::to_string(done) + " of " +
               counted(static_cast<std::uint64_t>(nodes.size()), "node", "nodes") +
               " that may hold it.");
  for (const Json& node : nodes) {
    if (text(node, "state") == "erased") continue;
    output.print((is_true(node, "can_come") ? "  Not known: " : "  No proof comes here from: ") +
                 node_words(node) + ".");
  }
}

Result<void> report(Context& context) {
  const auto answer = context.call("erase.report", {{"id", context.given.text("ID")}});
  if (!answer) return forward(answer);
  Output& output = context.output;
  if (output.answer(*answer)) return {};
  for (const Json& order : list(*answer, "orders")) show_order(output, order);
  show_linked(output, list(*answer, "linked"));
  output.say("“Not known” means that no proof has come back here yet, not that a copy is left.");
  return {};
}

Result<void> subject(Context& context) {
  const auto id = find_record(context, context.given.text("ID"), kind_names(context.kinds));
  if (!id) return forward(id);
  const std::string path = context.given.text("out");
  auto file = context.new_file(path);
  if (!file) return forward(file);
  const auto answer = context.call("report.subject", {{"id", *id}});
  if (!answer) return forward(answer);
  if (auto written = context.write_text(*file, answer->dump(2) + "\n"); !written) return written;
  if (path == "-") return {};
  Output& output = context.output;
  if (output.answer({{"id", *id},
                     {"file", path},
                     {"history", list(*answer, "history").size()},
                     {"linked", list(*answer, "linked").size()},
                     {"mentions", list(*answer, "mentions").size()}}))
    return {};
  output.print("Written to " + path + ": the record, " +
               counted(list(*answer, "history").size(), "entry", "entries") + " of its history, " +
               counted(list(*answer, "linked").size(), "record", "records") +
               " that point at it, and " +
               counted(list(*answer, "mentions").size(), "record", "records") +
               " in which the same name, address or number stands.");
  if (const std::size_t short_ones = list(*answer, "too_short").size(); short_ones > 0)
    output.say(counted(short_ones, "name was", "names were") +
               " too short to be looked for elsewhere; the file says which.");
  output.say("It holds confidential words: hand it to nobody but the person.");
  return {};
}

}  // namespace

std::vector<Command> erase_commands() {
  const Argument id{.name = "ID", .help = "Id, or characters of one of its ends."};
  Command erased{.path = {"erase"},
                 .help = "Remove the words of a record for good, at every node.",
                 .group = command_group::check,
                 .arguments = {id}};
  erased.flags = {Flag{.name = "field",
                       .value = "FIELD",
                       .help = "Only this field; what stands beside it stays."},
                  Flag{.name = "audience",
                       .value = "AUDIENCE",
                       .help = "Only from one layer: chapter, up, down, to or all."},
                  Flag{.name = "reason",
                       .value = "REASON",
                       .help = "request, withdrawn, mistake or duty; for the report."},
                  Flag{.name = "preview", .value = "", .help = "Only show what would be removed."},
                  Flag{.name = "yes", .value = "", .help = "Do not ask."}};
  erased.more =
      "It cannot be undone. Needs the chapter's authority key for what is older than the "
      "last 100 entries of this machine.";
  erased.run = erase;
  Command listed{.path = {"erase", "list"},
                 .help = "Orders to erase that are known here.",
                 .group = command_group::check};
  listed.run = list_orders;
  Command reported{.path = {"erase", "report"},
                   .help = "At which nodes it is proved that a record's words are gone.",
                   .group = command_group::check,
                   .arguments = {Argument{.name = "ID", .help = "The whole id of the record."}}};
  reported.run = report;
  Command told{.path = {"report", "subject"},
               .help = "Write down all that this node holds of a person, for that person.",
               .group = command_group::check,
               .arguments = {id}};
  told.flags = {Flag{.name = "out",
                     .value = "FILE",
                     .help = "Where to; “-” for the standard output.",
                     .required = true}};
  told.run = subject;
  return {erased, listed, reported, told};
}

}  // namespace chapterd
