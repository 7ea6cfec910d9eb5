// Looks through the lists of the node; a whole id is taken as it is.
#include "daemon/cli/record_ids.h"

#include "daemon/cli/answers.h"

#include <algorithm>

namespace chapterd {
namespace {

constexpr std::size_t whole_length = 36;  // RFC 9562, section 4
constexpr std::size_t least_length = 4;
constexpr int page = 500;

struct Match {
  std::string id;
  std::string kind;
  std::string title;
};

std::string without_dots(const std::string& text) {
  for (const std::string_view dots : {"…", "..."}) {
    if (text.starts_with(dots)) return text.substr(dots.size());
  }
  return text;
}

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return text;
}

// Listed fields stand in the row itself or under "fields".
std::string code_of(const Json& row) {
  const std::string code = text(row, "code");
  return code.empty() ? text(member(row, "fields"), "code") : code;
}

Result<void> search(Context& context,
                    const std::string& kind,
                    const std::string& wanted,
                    std::vector<Match>& found) {
  const std::string part = lower(wanted);
  Json after;
  do {
    Json args = {{"kind", kind}, {"limit", page}};
    if (!after.is_null()) args["after"] = after;
    const auto rows = context.call("record.list", args);
    if (!rows) return forward(rows);
    for (const Json& row : list(*rows, "rows")) {
      const std::string id = text(row, "id");
      const bool by_id = is_id_or_part(part) && (id.starts_with(part) || id.ends_with(part));
      if (by_id || (!wanted.empty() && code_of(row) == wanted)) {
        found.push_back({id, kind, text(row, "title")});
      }
    }
    after = member(*rows, "next");
  } while (!after.is_null());
  return {};
}

tl::unexpected<Error> ambiguous(const std::string& wanted, const std::vector<Match>& found) {
  std::string list;
  constexpr std::size_t shown = 5;
  for (std::size_t i = 0; i < std::min(found.size(), shown); ++i) {
    list += "\n    " + found[i].id + "  " + found[i].kind + "  " + plain(found[i].title);
  }
  return fail(Errc::usage, "record.ambiguous",
              "“" + wanted + "” fits " + std::to_string(found.size()) + " records:" + list +
                  (found.size() > shown ? "\n    …" : ""),
              "Nothing was done.", "Give more of the id; its last characters tell most.");
}

std::string any_of(const std::vector<std::string>& kinds) {
  return kinds.size() == 1 ? kinds.front() : "record";
}

}  // namespace

std::string short_id(const std::string& id) {
  constexpr std::size_t length = 8;
  return id.size() > length ? id.substr(id.size() - length) : id;
}

bool is_id_or_part(std::string_view text) {
  return text.size() >= least_length && text.size() <= whole_length &&
         text.find_first_not_of("0123456789abcdefABCDEF-") == std::string_view::npos;
}

Result<std::string> find_record(Context& context,
                                const std::string& text,
                                const std::vector<std::string>& kinds) {
  const std::string wanted = without_dots(text);
  if (wanted.size() == whole_length && is_id_or_part(wanted)) return lower(wanted);
  std::vector<Match> found;
  for (const std::string& kind : kinds) {
    auto searched = search(context, kind, wanted, found);
    if (!searched) return forward(searched);
  }
  if (found.size() == 1) return found.front().id;
  if (found.size() > 1) return ambiguous(wanted, found);
  return fail(Errc::not_found, "record.unknown",
              "There is no " + any_of(kinds) + " “" + plain(text) + "” on this node.",
              "Nothing was changed.",
              "An id is given whole, or by at least four characters of one of its ends. See: "
              "chapterd " +
                  (kinds.size() == 1 ? kinds.front() : std::string("KIND")) + " list");
}

Result<std::string> link_to(Context& context, const Field& field, const std::string& text) {
  if (text.find('/') != std::string::npos) return text;  // already whole
  const std::size_t at = text.find('@');
  const auto id = find_record(context, text.substr(0, at), field.of);
  if (!id) return forward(id);
  const auto shown = context.call("record.show", {{"id", *id}});
  if (!shown) return forward(shown);
  std::string link = chapterd::text(*shown, "home") + "/" + *id;
  if (at != std::string::npos) return link + text.substr(at);
  return field.exact ? link + "@" + chapterd::text(*shown, "revision") : link;
}

std::vector<std::string> kind_names(const Kinds& kinds) {
  std::vector<std::string> names;
  for (const Kind* kind : kinds.records()) names.push_back(kind->name);
  return names;
}

}  // namespace chapterd
