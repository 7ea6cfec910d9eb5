// Pages and tables of records. Everything synced goes through plain(): it may come from anybody.
#include "daemon/cli/record_words.h"

#include "daemon/cli/answers.h"
#include "daemon/cli/record_ids.h"

#include <algorithm>
#include <chrono>

namespace chapterd {
namespace {

constexpr std::size_t page_columns = 84;

std::int64_t now_ms() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

std::string in_words(const Json& value);

// "value 3, comment …", or "a, b"
std::string listed(const Json& values) {
  std::string words;
  for (const auto& item : values.items()) {
    if (!words.empty()) words += ", ";
    if (values.is_object()) words += plain(item.key()) + " ";
    words += in_words(item.value());
  }
  return words;
}

std::string in_words(const Json& value) {
  if (value.is_string()) return plain(value.get<std::string>(), Keep::line_ends);
  if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
  if (value.is_null()) return "–";
  return value.is_structured() ? listed(value) : value.dump();
}

std::string field_text(const Output& output,
                       const std::string& name,
                       const Json& value,
                       const std::string& remark) {
  std::string heading = output.paint(Shade::strong, worded(plain(name)));
  if (!remark.empty()) heading += "  " + output.paint(Shade::faint, remark);
  if (value.is_object()) {
    std::size_t widest = 0;
    for (const auto& item : value.items()) widest = std::max(widest, columns_of(item.key()));
    std::string lines;
    for (const auto& item : value.items()) {
      const std::string key = plain(item.key());
      lines += "  " + key + std::string(widest - std::min(widest, columns_of(key)) + 2, ' ') +
               shortened(plain(in_words(item.value())), page_columns) + "\n";
    }
    return heading + "\n" + lines;
  }
  return heading + "\n" + wrapped(in_words(value), 2, page_columns);
}

std::string remark_on(const Kind* kind, const Json& record, const std::string& name) {
  const Field* field = kind == nullptr ? nullptr : kind->field(name);
  if (member(member(record, "conflicts"), name).is_array()) {
    return "two versions: the newest is shown";
  }
  return field != nullptr && field->confidential ? "confidential, stays in this chapter" : "";
}

std::string conflicts(const Output& output, const Json& record) {
  const Json& differing = member(record, "conflicts");
  if (!differing.is_object() || differing.empty()) return "";
  std::string page =
      "\n" + output.paint(Shade::waits, "Changed in two places while apart; a person decides:") +
      "\n";
  for (const auto& item : differing.items()) {
    for (const Json& value : item.value()) {
      page += "  " + worded(plain(item.key())) + ": " +
              shortened(plain(in_words(value)), page_columns) + "\n";
    }
  }
  return page + "Settle it by writing the field anew: chapterd KIND edit ID --field VALUE\n";
}

std::string heading(const Output& output, const Json& record) {
  const std::string title = plain(text(record, "title"));
  const std::string kind = plain(text(record, "kind"));
  const std::string state = plain(text(record, "state"));
  std::string lines = output.paint(Shade::strong, title.empty() ? kind : title) + "\n";
  lines += kind + " of " + plain(text(record, "home_code")) + ", " +
           (state.empty() ? "" : worded(state) + ", ") + "changed " + since(record, "updated_ms") +
           "\n";
  if (is_true(record, "deleted")) lines += output.paint(Shade::bad, "Deleted.") + "\n";
  return lines +
         output.paint(Shade::faint, "id " + plain(text(record, "id")) + "\nrevision " +
                                        plain(text(record, "revision"))) +
         "\n\n";
}

std::string stage_name(const Json& stage) {
  const std::string name = plain(text(stage, "name"));
  return name.empty() ? "the chapter above" : name;
}

// "● Received by Kenya", "○ Not yet received by Global, written 2 min ago"
std::string stage_line(const Output& output, const Json& stage, const std::string& state) {
  const bool leaves = !stage.contains("leaves") || is_true(stage, "leaves");
  const std::string name = stage_name(stage);
  std::string line;
  std::string when = ", ";
  if (text(stage, "at") == "saved") {
    line = output.paint(Shade::good, "●") + " Saved at " + name;
  } else if (is_true(stage, "reached")) {
    line = output.paint(Shade::good, "●") + " Received by " + name;
  } else if (is_true(stage, "earlier")) {
    line = output.paint(Shade::waits, "○") + " An earlier version was received by " + name;
  } else if (leaves) {
    line = output.paint(Shade::waits, "○") + " Not yet received by " + name;
    when = ", written ";
  } else {
    line = output.paint(Shade::faint, "–") + " Does not go to " + name +
           (state.empty() ? "" : " as long as it is “" + worded(state) + "”");
  }
  if (number(stage, "since_ms").value_or(0) <= 0) return line;
  return line + output.paint(Shade::faint, when + since(stage, "since_ms"));
}

// "Title, Raw notes"
std::string fields_in_words(const Json& names) {
  std::string words;
  for (const Json& name : names) {
    if (!name.is_string()) continue;
    words += (words.empty() ? "" : ", ") + worded(plain(name.get<std::string>()));
  }
  return words;
}

// The commands that carry a record on, a line each.
std::string next_lines(const Output& output, const Json& where) {
  std::string lines;
  for (const Json& verb : list(where, "next")) {
    if (!verb.is_string()) continue;
    lines += "    " + output.hint("chapterd " + dashed(plain(text(where, "kind")))) + " " +
             dashed(plain(verb.get<std::string>())) + " " + plain(text(where, "id")) + "\n";
  }
  return lines;
}

// What waits for a step of somebody here, and which steps there are.
std::string steps_to_take(const Output& output, const Json& where) {
  const std::string steps = next_lines(output, where);
  if (const Json& waits = list(where, "waits"); !waits.empty()) {
    const std::string words = "Changed here since, and not carried on: " + fields_in_words(waits);
    return "  " + output.paint(Shade::waits, words) + "\n" +
           (steps.empty() ? "" : "  It goes on by:\n" + steps);
  }
  const bool all_leaves = std::ranges::none_of(list(where, "stages"), [](const Json& stage) {
    return stage.contains("leaves") && !is_true(stage, "leaves");
  });
  return steps.empty() || all_leaves ? "" : "  It goes on by:\n" + steps;
}

}  // namespace

std::string since(const Json& json, std::string_view member_name) {
  const auto when = number(json, member_name);
  return when && *when > 0 ? ago(std::max<std::int64_t>(0, now_ms() - *when)) : "–";
}

bool is_told_elsewhere(const Json& stations, const Json& station) {
  const std::string chapter = text(station, "chapter");
  if (chapter.empty() || &station == &stations.front()) return false;
  if (chapter == text(stations.front(), "chapter")) return true;
  return &station != &stations.back() && chapter == text(stations.back(), "chapter");
}

std::string record_page(const Output& output, const Kind* kind, const Json& record) {
  const Json& fields = member(record, "fields");
  std::vector<std::string> names;
  if (kind != nullptr) {
    for (const Field& field : kind->fields) names.push_back(field.name);
  }
  for (const auto& item : fields.items()) {
    if (std::ranges::find(names, item.key()) == names.end()) names.push_back(item.key());
  }
  const std::string title = plain(text(record, "title"));
  std::string page = heading(output, record);
  for (const std::string& name : names) {
    if (member(fields, name).is_null()) continue;
    if (fields[name].is_string() && in_words(fields[name]) == title) continue;  // is the heading
    page += field_text(output, name, fields[name], remark_on(kind, record, name));
  }
  return page + conflicts(output, record);
}

std::string record_table(const Output& output, const Json& rows) {
  constexpr std::size_t title_columns = 56;
  Table table({"Id", "Title", "State", "Home", "Changed"});
  for (const Json& row : rows) {
    const bool conflict = is_true(row, "conflict");
    table.row(
        {short_id(plain(text(row, "id"))), shortened(plain(text(row, "title")), title_columns),
         conflict ? output.paint(Shade::waits, "in conflict") : worded(plain(text(row, "state"))),
         plain(text(row, "home_code").empty() ? text(row, "home") : text(row, "home_code")),
         since(row, "updated_ms")});
  }
  return table.text(output);
}

std::string where_page(const Output& output, const Json& where) {
  const std::string title = plain(text(where, "title"));
  std::string page = title.empty() ? "" : output.paint(Shade::strong, title) + "\n";
  const Json& stages = list(where, "stages");
  for (const Json& stage : stages) {
    if (is_told_elsewhere(stages, stage)) continue;
    page += "  " + stage_line(output, stage, plain(text(where, "state")));
    page += '\n';
  }
  page += steps_to_take(output, where);
  if (const Json& confidential = list(where, "confidential"); !confidential.empty()) {
    const std::string home = stages.empty() ? "this chapter" : stage_name(stages.front());
    page += "  Never leaves " + home + ": " + fields_in_words(confidential) + "\n";
  }
  return page;
}

}  // namespace chapterd
