// Checks of codes and names.
#include "daemon/operations/chapter_names.h"

#include "daemon/operations/arguments.h"
#include "domain/field_text.h"
#include "replication/format/cbor.h"
#include "replication/format/limits.h"

#include <algorithm>
#include <string>

namespace chapterd {
namespace {

constexpr std::size_t code_characters = 20;

bool is_code_character(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
}

}  // namespace

Result<void> check_code(std::string_view code) {
  const bool good = !code.empty() && code.size() <= code_characters && code.front() >= 'A' &&
                    code.front() <= 'Z' && std::ranges::all_of(code, is_code_character);
  if (good) return {};
  return fail(Errc::usage, "chapter.code", shown(code) + " is no code of a chapter.",
              "Nothing was changed.",
              "Use 1 to 20 upper-case letters, digits and dashes, such as KE or IN-KA.");
}

Result<void> check_name(std::string_view what, std::string_view name) {
  const bool good = !trimmed(name).empty() && name.size() <= limits::name_bytes && is_utf8(name) &&
                    is_printable(name, Lines::one);
  if (good) return {};
  return fail(Errc::usage, "argument.name",
              shown(what) + " must be one line of text with at most " +
                  std::to_string(limits::name_bytes) + " bytes.",
              "Nothing was changed.", "Correct it and try again.");
}

}  // namespace chapterd
