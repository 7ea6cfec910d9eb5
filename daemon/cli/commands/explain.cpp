// explain: which entries a record is made of, whose they are, and who acknowledged them.
#include "daemon/cli/answers.h"
#include "daemon/cli/commands.h"
#include "daemon/cli/context.h"
#include "daemon/cli/record_ids.h"

#include <map>

namespace chapterd {
namespace {

// "title, places (added to)"
std::string operations_in_words(const Json& entry) {
  if (is_true(entry, "erased")) return "(erased)";
  if (is_true(entry, "erases")) return "(an order to erase earlier entries)";
  std::string words;
  for (const Json& operation : list(entry, "operations")) {
    const std::string action = text(operation, "action");
    words += (words.empty() ? "" : ", ") + plain(text(operation, "field"));
    if (action != "set") words += " (" + plain(action) + ")";
  }
  return words;
}

std::string holders(const Json& entry) {
  std::string words;
  for (const Json& code : list(entry, "acknowledged_by")) {
    if (code.is_string()) words += (words.empty() ? "" : ", ") + plain(code.get<std::string>());
  }
  return words.empty() ? "nobody yet" : words;
}

std::string page_of(const Output& output, const Json& answer) {
  constexpr std::size_t columns = 88;
  std::string page = output.paint(Shade::strong, "Entries it is made of") + "\n";
  for (const Json& entry : list(answer, "entries")) {
    page += "  " + plain(text(entry, "chapter")) + ", " +
            date_of(number(entry, "time_ms").value_or(0)) + ", audience " +
            plain(text(entry, "audience")) + ", number " + std::to_string(count(entry, "seq")) +
            "\n" + wrapped("wrote: " + operations_in_words(entry), 4, columns) +
            wrapped("acknowledged by: " + holders(entry), 4, columns) +
            output.paint(Shade::faint, "    entry " + plain(text(entry, "hash")).substr(0, 16) +
                                           ", node " + plain(text(entry, "author")).substr(0, 8)) +
            "\n";
  }
  const Json& fields = member(answer, "fields");
  if (!fields.is_object() || fields.empty()) return page;
  // Most fields owe their value to the same entry.
  std::map<std::string, std::string> fields_by_reason;
  for (const auto& item : fields.items()) {
    std::string why;
    for (const Json& reason : item.value()) {
      why += (why.empty() ? "" : "; ") +
             plain(reason.is_string() ? reason.get<std::string>() : reason.dump());
    }
    std::string& names = fields_by_reason[why];
    names += (names.empty() ? "" : ", ") + plain(item.key());
  }
  page += "\n" + output.paint(Shade::strong, "Why the fields have their values") + "\n";
  for (const auto& [why, names] : fields_by_reason) {
    page += wrapped(why + ":", 2, columns) + wrapped(names, 4, columns);
  }
  return page;
}

Result<void> explain_record(Context& context) {
  const auto id = find_record(context, context.given.text("ID"), kind_names(context.kinds));
  if (!id) return forward(id);
  const auto answer = context.call("record.explain", {{"id", *id}});
  if (!answer) return forward(answer);
  if (context.output.answer(*answer)) return {};
  context.output.print(page_of(context.output, *answer));
  return {};
}

}  // namespace

std::vector<Command> explain_commands() {
  return {Command{
      .path = {"explain"},
      .help = "Which entries a record is made of, whose, and why these values.",
      .group = command_group::work,
      .arguments = {Argument{.name = "ID", .help = "Id, or characters of one of its ends."}},
      .run = explain_record}};
}

}  // namespace chapterd
