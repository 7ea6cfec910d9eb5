// A first line that names the kind, "#" lines for people, then groups of five.
#include "daemon/cli/enrol_file.h"

#include <algorithm>

namespace chapterd {
namespace {

constexpr std::string_view request_line = "chapterd join request";
constexpr std::string_view answer_line = "chapterd join answer";

std::string_view first_line(EnrolKind kind) {
  return kind == EnrolKind::request ? request_line : answer_line;
}

std::string_view next_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  while (line.ends_with('\r') || line.ends_with(' ')) line.remove_suffix(1);
  return line;
}

}  // namespace

EnrolKind enrol_kind(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);  // written by some editors
  const std::string_view line = next_line(text);
  if (line == request_line) return EnrolKind::request;
  return line == answer_line ? EnrolKind::answer : EnrolKind::none;
}

std::string enrol_text(EnrolKind kind, std::string_view base32, std::string_view sentences) {
  constexpr std::size_t group = 5;
  constexpr std::size_t groups_a_line = 12;
  std::string text = std::string(first_line(kind)) + "\n";
  while (!sentences.empty()) text += "# " + std::string(next_line(sentences)) + "\n";
  std::size_t groups = 0;
  std::string bare;
  for (const char c : base32) {
    if (c != ' ' && c != '\n' && c != '-') bare += c;
  }
  for (std::size_t at = 0; at < bare.size(); at += group) {
    if (groups > 0) text += groups % groups_a_line == 0 ? "\n" : " ";
    text += bare.substr(at, group);
    ++groups;
  }
  return text + "\n";
}

Result<std::string> enrol_base32(EnrolKind kind, std::string_view text) {
  if (enrol_kind(text) != kind) {
    return fail(Errc::usage, "enrol.other-file",
                "This file is no " + std::string(first_line(kind)).substr(9) + ".",
                "Nothing was done.",
                "It should begin with the line: " + std::string(first_line(kind)));
  }
  next_line(text);
  std::string base32;
  while (!text.empty()) {
    const std::string_view line = next_line(text);
    if (line.starts_with('#')) continue;
    for (const char c : line) {
      if (c != ' ') base32 += c;
    }
  }
  return base32;
}

}  // namespace chapterd
