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

// "value 3, comment …", "a, b", "yes"
std::string in_words(const Json& value) {
  if (value.is_string()) return plain(value.get<std::string>(), Keep::line_ends);
  if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
  if (value.is_null()) return "–";
  std::string words;
  if (value.is_array()) {
    for (const Json& item : value) words += (words.empty() ? "" : ", ") + in_words(item);
    return words;
  }
  if (value.is_object()) {
    for (const auto& item : value.items()) {
      words += (words.empty() ? "" : ", ") + plain(item.key()) + " " + in_words(item.value());
    }
    return words;
  }
  return value.dump();
}

std::string field_text(const Output& output,
                       const std::string& name,
                       const Json& value,
                       const std::string& remark) {
  std::string heading = output.paint(Shade::strong, worded(plain(name)));
  if (!remark.empty()) heading += "  " + output.paint(Shade::faint, remark);
  if (value.is_object()) {
    Table table({"", ""});
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
  const std::string title = plain(text(record, "title"));
  const std::string kind_name = plain(text(record, "kind"));
  std::string page = output.paint(Shade::strong, title.empty() ? kind_name : title) + "\n";
  page += kind_name + " of " + plain(text(record, "home_code")) + ", " +
          (text(record, "state").empty() ? "" : worded(plain(text(record, "state"))) + ", ") +
          "changed " + since(record, "updated_ms") + "\n";
  if (is_true(record, "deleted")) page += output.paint(Shade::bad, "Deleted.") + "\n";
  page += output.paint(Shade::faint, "id " + plain(text(record, "id")) + "\nrevision " +
                                         plain(text(record, "revision"))) +
          "\n\n";

  const Json& fields = member(record, "fields");
  std::vector<std::string> told;
  const auto tell = [&](const std::string& name) {
    if (!fields.is_object() || !fields.contains(name)) return;
    if (std::ranges::find(told, name) != told.end()) return;
    told.push_back(name);
    page += field_text(output, name, fields[name], remark_on(kind, record, name));
  };
  if (kind != nullptr) {
    for (const Field& field : kind->fields) tell(field.name);
  }
  if (fields.is_object()) {
    for (const auto& item : fields.items()) tell(item.key());
  }
  return page + conflicts(output, record);
}

std::string record_table(const Output& output, const Json& rows) {
  constexpr std::size_t title_columns = 56;
  Table table({"Id", "Title", "State", "Home", "Changed"});
  for (const Json& row : rows) {
    const bool conflict = is_true(row, "conflict");
    table.row({short_id(plain(text(row, "id"))),
               shortened(plain(text(row, "title")), title_columns),
               conflict ? output.paint(Shade::waits, "in conflict")
                        : worded(plain(text(row, "state"))),
               plain(text(row, "home_code").empty() ? text(row, "home") : text(row, "home_code")),
               since(row, "updated_ms")});
  }
  return table.text(output);
}

std::string where_page(const Output& output, const Json& where) {
  const std::string title = plain(text(where, "title"));
  std::string page = title.empty() ? "" : output.paint(Shade::strong, title) + "\n";
  std::string home;
  const Json& stages = list(where, "stages");
  for (const Json& stage : stages) {
    const std::string at = text(stage, "at");
    if (is_told_elsewhere(stages, stage)) continue;
    const bool reached = is_true(stage, "reached");
    std::string name = plain(text(stage, "name"));
    if (at == "global") name = "Global";  // below it only the name of the federation is known
    if (name.empty()) name = "the chapter above";
    if (at == "saved") home = name;
    const bool leaves = !stage.contains("leaves") || is_true(stage, "leaves");
    const std::string verb = at == "saved" ? "Saved at "
                             : reached     ? "Received by "
                             : leaves      ? "Not yet received by "
                                           : "Does not go to ";
    const std::string mark = reached  ? output.paint(Shade::good, "●")
                             : leaves ? output.paint(Shade::waits, "○")
                                      : output.paint(Shade::faint, "–");
    page += "  " + mark + " " + verb + name;
    if (number(stage, "since_ms").value_or(0) > 0) {
      page += output.paint(Shade::faint, (reached ? ", " : ", written ") + since(stage, "since_ms"));
    }
    page += "\n";
  }
  const Json& stays = list(where, "stays");
  if (!stays.empty()) {
    page += "  Part of it never leaves " + (home.empty() ? "this chapter" : home) + ".\n";
  }
  return page;
}

}  // namespace chapterd
