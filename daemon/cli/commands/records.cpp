// What every kind of record can do: add, edit, list, show, where, delete, and the verbs of its
// life. The rows are made from the kinds themselves.
#include "daemon/cli/answers.h"
#include "daemon/cli/commands.h"
#include "daemon/cli/context.h"
#include "daemon/cli/record_fields.h"
#include "daemon/cli/record_ids.h"
#include "daemon/cli/record_words.h"
#include "daemon/cli/waiting.h"
#include "domain/names.h"

#include <algorithm>
#include <iterator>

namespace chapterd {
namespace {

const Argument the_id{.name = "ID", .help = "Id of the record, or characters of one of its ends."};

Result<std::string> given_id(Context& context, const Kind& kind) {
  return find_record(context, context.given.text("ID"), {kind.name});
}

std::string audience_words(const Json& answer) {
  bool left = false;
  for (const Json& written : list(answer, "written")) {
    const std::string audience = text(written, "audience");
    left = left || (audience != "chapter" && !audience.empty());
  }
  return left ? "Others who may see it get it as soon as there is a connection."
              : "It stays in this chapter for now.";
}

// The id for scripts, a sentence for people.
void tell_written(Context& context, const Kind& kind, const std::string& verb, const Json& answer) {
  Output& output = context.output;
  if (output.answer(answer)) return;
  const std::string id = text(answer, "id");
  if (output.manner().quiet) return output.print(id);
  const std::string state = text(answer, "state");
  output.print(worded(kind.name) + " " + id + " " + verb +
               (state.empty() ? "." : "; it is now " + worded(state) + "."));
  output.say(audience_words(answer));
}

std::string underscored(std::string verb) {
  std::ranges::replace(verb, '-', '_');
  return verb;
}

// Of --wait and --then, before anything is written.
Result<void> check_what_follows(const Context& context, const Kind& kind) {
  for (const std::string& wanted : context.given.all("then")) {
    if (kind.transition(underscored(wanted)) != nullptr) continue;
    std::vector<std::string> known;
    for (const Transition& transition : kind.transitions) known.push_back(dashed(transition.verb));
    return fail(Errc::usage, "cli.unknown-verb",
                an(kind.name) + " has no step “" + wanted + "”." + did_you_mean(wanted, known),
                "Nothing was written.", "See: chapterd " + dashed(kind.name) + " --help");
  }
  return check_waiting(context);
}

// The steps of --then: the node takes all of them with what is written before, or writes nothing.
void put_steps(const Context& context, Json& args) {
  for (const std::string& step : context.given.all("then"))
    args["then"].push_back(underscored(step));
}

Result<void> finish(Context& context,
                    const Kind& kind,
                    const std::string& verb,
                    const Json& answer) {
  tell_written(context, kind, verb, answer);
  return wait_for(context, {text(answer, "id")});
}

Result<void> add(Context& context, const Kind& kind) {
  auto checked = check_what_follows(context, kind);
  if (!checked) return checked;
  const auto fields = given_fields(context, kind);
  if (!fields) return forward(fields);
  Json args = {{"kind", kind.name}, {"fields", *fields}};
  put_steps(context, args);
  const auto answer = context.call("record.add", args);
  if (!answer) return forward(answer);
  return finish(context, kind, "saved", *answer);
}

Result<void> edit(Context& context, const Kind& kind) {
  auto checked = check_what_follows(context, kind);
  if (!checked) return checked;
  const auto id = given_id(context, kind);
  if (!id) return forward(id);
  const auto changes = given_edit(context, kind);
  if (!changes) return forward(changes);
  Json args = {{"id", *id}, {"edit", *changes}};
  put_steps(context, args);
  const auto answer = context.call("record.edit", args);
  if (!answer) return forward(answer);
  return finish(context, kind, "changed", *answer);
}

Result<void> move(Context& context, const Kind& kind, const Transition& transition) {
  auto checked = check_what_follows(context, kind);
  if (!checked) return checked;
  const auto id = given_id(context, kind);
  if (!id) return forward(id);
  const auto fields = given_fields(context, kind);
  if (!fields) return forward(fields);
  const Json args = {{"id", *id}, {"verb", transition.verb}, {"fields", *fields}};
  const auto answer = context.call("record.move", args);
  if (!answer) return forward(answer);
  return finish(context, kind, "moved on", *answer);
}

Result<void> bury(Context& context, const Kind& kind) {
  auto checked = check_what_follows(context, kind);
  if (!checked) return checked;
  const auto id = given_id(context, kind);
  if (!id) return forward(id);
  const auto shown = context.call("record.show", {{"id", *id}});
  if (!shown) return forward(shown);
  auto sure = context.confirm("Delete “" + plain(text(*shown, "title")) + "”?");
  if (!sure) return sure;
  const auto answer = context.call("record.delete", {{"id", *id}});
  if (!answer) return forward(answer);
  return finish(context, kind, "deleted", *answer);
}

Result<void> list_records(Context& context, const Kind& kind) {
  const auto limit = context.given.number("limit");
  if (!limit) return forward(limit);
  Json args = {{"kind", kind.name}, {"limit", *limit}};
  if (context.given.has("state")) args["state"] = context.given.text("state");
  if (context.given.has("mine")) args["mine"] = true;
  if (context.given.has("after")) args["after"] = context.given.text("after");
  if (context.given.has("search")) args["search"] = context.given.text("search");
  const auto answer = context.call("record.list", args);
  if (!answer) return forward(answer);
  Output& output = context.output;
  if (output.answer(*answer)) return {};
  const Json& rows = list(*answer, "rows");
  if (output.manner().quiet) {
    for (const Json& row : rows) output.print(text(row, "id"));
    return {};
  }
  const std::uint64_t locked = count(*answer, "locked");
  if (locked > 0) {
    output.say(counted(locked, "record is", "records are") +
               " private and locked: " + context.command("unlock"));
  }
  if (rows.empty() && context.given.has("search")) {
    output.say("No " + kind.name + " here has all of these words.");
    return {};
  }
  if (rows.empty() && locked > 0) return {};
  if (rows.empty()) {
    output.say("No " + kind.name + " here yet. Begin with: chapterd " + dashed(kind.name) + " add");
    return {};
  }
  output.print(record_table(output, rows));
  if (const std::string next = text(*answer, "next"); !next.empty()) {
    output.say("There are more: chapterd " + dashed(kind.name) + " list --after " + next);
  }
  return {};
}

// "Goods (6a5c20aa)" for a link to a record that is held here.
std::string linked(Context& context, const std::string& link) {
  const std::string id = link.substr(0, link.find('@')).substr(link.find('/') + 1);
  const auto record = context.call("record.show", {{"id", id}});
  const std::string title = record ? text(*record, "title") : "";
  return (title.empty() ? "not on this node" : title) + " (" + short_id(id) + ")";
}

// Puts titles in place of the links, as far as a person would read.
void name_links(Context& context, const Kind& kind, Json& record) {
  constexpr std::size_t most_links = 50;
  std::size_t links = 0;
  for (const Field& field : kind.fields) {
    if (field.type != FieldType::link || !member(record, "fields").contains(field.name)) continue;
    Json& value = record["fields"][field.name];
    if (value.is_string()) value = linked(context, value.get<std::string>());
    if (!value.is_array()) continue;
    for (Json& item : value) {
      if (item.is_string() && ++links <= most_links) {
        item = linked(context, item.get<std::string>());
      }
    }
  }
}

Result<void> show(Context& context, const Kind& kind) {
  const auto id = given_id(context, kind);
  if (!id) return forward(id);
  auto record = context.call("record.show", {{"id", *id}});
  if (!record) return forward(record);
  if (context.output.answer(*record)) return {};
  name_links(context, kind, *record);
  context.output.print(record_page(context.output, &kind, *record));
  return {};
}

Result<void> where(Context& context, const Kind& kind) {
  const auto id = given_id(context, kind);
  if (!id) return forward(id);
  const auto answer = context.call("record.where", {{"id", *id}});
  if (!answer) return forward(answer);
  if (context.output.answer(*answer)) return {};
  context.output.print(where_page(context.output, *answer));
  return {};
}

using Run = Result<void> (*)(Context&, const Kind&);

// Rows of one kind.
class KindRows {
 public:
  explicit KindRows(const Kind& kind) : kind_(kind) {}

  std::vector<Command> rows() {
    const bool by_people = kind_.writers != std::vector<std::string>{"node"};
    const Flag then{.name = "then",
                    .value = "VERB",
                    .help = "A step to take right afterwards, such as submit.",
                    .many = true};
    if (by_people) {
      put("add", kind_.help, {}, field_flags(kind_, {}) + std::vector{then} + waiting_flags(), add);
      rows_.back().more = texts_from_files;
      put("edit", "Change it.", {the_id},
          field_flags(kind_, {}) + edit_flags() + std::vector{then} + waiting_flags(), edit);
      rows_.back().more = texts_from_files;
    }
    put("list", "List them, newest first.", {}, list_flags() + search_flags(), list_records);
    put("show", "All that this node holds of it.", {the_id}, {}, show);
    put("where", "How far it has got.", {the_id}, {}, where);
    if (by_people) {
      put("delete", "Delete it. Copies may exist where it has been.", {the_id},
          std::vector{Flag{.name = "yes", .value = "", .help = "Do not ask."}} + waiting_flags(),
          bury);
      for (const Transition& transition : kind_.transitions) put(transition);
    }
    return std::move(rows_);
  }

 private:
  std::vector<Flag> list_flags() const {
    std::string states;
    for (const State& state : kind_.states) states += (states.empty() ? "" : ", ") + state.name;
    return {Flag{.name = "limit", .value = "N", .help = "At most so many.", .preset = "50"},
            Flag{.name = "after", .value = "TOKEN", .help = "Go on behind an earlier list."},
            Flag{.name = "state", .value = "STATE", .help = "Only those: " + states + "."},
            Flag{.name = "mine", .value = "", .help = "Only those of this chapter."}};
  }

  // Only members are searched: by an index in memory.
  std::vector<Flag> search_flags() const {
    if (kind_.name != "member") return {};
    return {Flag{.name = "search",
                 .value = "TEXT",
                 .help = "Only those with all of these words in name, expertise, place or such."}};
  }

  void put(const std::string& verb,
           const std::string& help,
           std::vector<Argument> arguments,
           std::vector<Flag> flags,
           Run run) {
    rows_.push_back(
        Command{.path = {dashed(kind_.name), verb},
                .help = help,
                .group = command_group::work,
                .arguments = std::move(arguments),
                .flags = std::move(flags),
                .run = [&kind = kind_, run](Context& context) { return run(context, kind); }});
  }

  void put(const Transition& transition) {
    std::string more = "From " + joined(transition.from, " or ") + " to " + transition.to + ".";
    if (!transition.needs.empty()) {
      more += "\nNeeded, unless filled in before: " + joined(transition.needs, ", ") + ".";
    }
    rows_.push_back(Command{
        .path = {dashed(kind_.name), dashed(transition.verb)},
        .help = transition.help,
        .group = command_group::work,
        .arguments = {the_id},
        .flags = field_flags(kind_, {transition.needs.empty() ? std::vector<std::string>{"-"}
                                                              : transition.needs}) +
                 waiting_flags(),
        .run = [&kind = kind_,
                &transition](Context& context) { return move(context, kind, transition); },
        .more = std::move(more)});
  }

  static std::string joined(const std::vector<std::string>& words, const std::string& between) {
    std::string text;
    for (const std::string& word : words) text += (text.empty() ? "" : between) + dashed(word);
    return text;
  }

  const Kind& kind_;
  std::vector<Command> rows_;
};

}  // namespace

std::vector<Command> record_commands(const Kinds& kinds) {
  std::vector<Command> rows;
  for (const Kind* kind : kinds.records()) {
    std::vector<Command> of_kind = KindRows(*kind).rows();
    std::move(of_kind.begin(), of_kind.end(), std::back_inserter(rows));
  }
  return rows;
}

}  // namespace chapterd
