// A first line that names the kind, "#" lines for people, then groups of five.
#include "daemon/cli/enrol_file.h"

#include "base/bytes.h"
#include "crypto/hash.h"

#include <algorithm>
#include <array>

namespace chapterd {
namespace {

// What is known of each kind.
struct Letter {
  EnrolKind kind;
  std::string_view first_line;
  const char* name;
  const char* next;  // when it is damaged
};

constexpr std::array letters{
    Letter{EnrolKind::request, "chapterd join request", "request",
           "Have it made again, there: chapterd join CODE --offline"},
    Letter{EnrolKind::answer, "chapterd join answer", "answer", "Ask for the file once more."},
    Letter{EnrolKind::key_request, "chapterd key request", "request",
           "Have it made again, there: chapterd key request"},
    Letter{EnrolKind::move_offer, "chapterd move offer", "offer",
           "Have it made again, there: chapterd move offer CODE"},
};

const Letter& letter_of(EnrolKind kind) {
  return *std::ranges::find(letters, kind, &Letter::kind);
}

std::string_view first_line(EnrolKind kind) {
  return letter_of(kind).first_line;
}

std::string_view next_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  while (line.ends_with('\r') || line.ends_with(' ')) line.remove_suffix(1);
  return line;
}

// Ends the file as a line for people, so that a letter that was changed on the way is not taken for
// a key or a federation of somebody else.
constexpr std::string_view check_line = "# Check: ";

std::string check_of(std::string_view base32) {
  constexpr std::size_t bytes = 5;
  return to_base32(hash("chapterd/enrol-check/1", as_bytes(base32)).view().first(bytes));
}

tl::unexpected<Error> damaged(EnrolKind kind) {
  const Letter& letter = letter_of(kind);
  return fail(Errc::malformed, "enrol.damaged",
              std::string("This ") + letter.name + " was damaged on its way.",
              "Nothing was changed; keys and invites are as they were.", letter.next);
}

}  // namespace

EnrolKind enrol_kind(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);  // written by some editors
  const std::string_view line = next_line(text);
  const auto letter = std::ranges::find(letters, line, &Letter::first_line);
  return letter == letters.end() ? EnrolKind::none : letter->kind;
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
  return text + "\n" + std::string(check_line) + check_of(bare) + "\n";
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
  std::string_view check;
  while (!text.empty()) {
    const std::string_view line = next_line(text);
    if (line.starts_with(check_line)) check = line.substr(check_line.size());
    if (line.starts_with('#')) continue;
    for (const char c : line) {
      if (c != ' ') base32 += c;
    }
  }
  if (!check.empty() && check != check_of(base32)) return damaged(kind);
  if (!from_base32(base32)) return damaged(kind);
  return base32;
}

}  // namespace chapterd
