// Checks of values that are texts with a form.
#include "domain/field_text.h"

#include <algorithm>
#include <array>

namespace chapterd {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool all_digits(std::string_view text) {
  return std::all_of(text.begin(), text.end(), is_digit);
}

int number(std::string_view digits) {
  int value = 0;
  for (const char c : digits) value = value * 10 + (c - '0');
  return value;
}

int days_in(int year, int month) {
  constexpr std::array<int, 12> days{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return month == 2 && leap ? 29 : days[static_cast<std::size_t>(month - 1)];
}

bool has_blank(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7F; });
}

char lower(char c) {
  return is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string lowered(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), lower);
  return out;
}

}  // namespace

std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  }));
}

bool is_printable(std::string_view text, Lines lines) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const bool line_end = text[i] == '\n' || text[i] == '\t';
    if (byte < 0x20 && !(lines == Lines::several && line_end)) return false;
    if (byte == 0x7F) return false;
    // U+0080 to U+009F are control characters too.
    if (byte == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0) {
      return false;
    }
  }
  return true;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

bool is_date(std::string_view text) {
  if (text.size() != 4 && text.size() != 7 && text.size() != 10) return false;
  const std::string_view year = text.substr(0, 4);
  if (!all_digits(year) || number(year) == 0) return false;
  if (text.size() == 4) return true;
  const std::string_view month = text.substr(5, 2);
  if (text[4] != '-' || !all_digits(month) || number(month) < 1 || number(month) > 12) return false;
  if (text.size() == 7) return true;
  const std::string_view day = text.substr(8, 2);
  if (text[7] != '-' || !all_digits(day) || number(day) < 1) return false;
  return number(day) <= days_in(number(year), number(month));
}

bool is_period(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return is_date(text);
  const std::string_view from = text.substr(0, slash);
  const std::string_view to = text.substr(slash + 1);
  if (!is_date(from) || !is_date(to)) return false;
  const std::size_t shared = std::min(from.size(), to.size());
  return from.substr(0, shared) <= to.substr(0, shared);
}

bool is_place(std::string_view text) {
  if (text.size() < 2 || !is_upper(text[0]) || !is_upper(text[1])) return false;
  if (text.size() == 2) return true;
  const std::string_view part = text.substr(2);
  if (part.front() != '-' || part.size() < 2 || part.size() > 4) return false;
  return std::all_of(part.begin() + 1, part.end(),
                     [](char c) { return is_upper(c) || is_digit(c); });
}

bool is_email(std::string_view text) {
  const std::size_t at = text.find('@');
  if (at == 0 || at == std::string_view::npos || at + 1 >= text.size()) return false;
  if (text.size() > 254 || has_blank(text)) return false;  // RFC 5321, 4.5.3.1.3
  return text.find('@', at + 1) == std::string_view::npos;
}

bool is_url(std::string_view text) {
  if (text.size() > 2000 || has_blank(text)) return false;
  constexpr std::array<std::string_view, 3> schemes{"https://", "http://", "mailto:"};
  const std::string low = lowered(text);
  return std::any_of(schemes.begin(), schemes.end(), [&](std::string_view scheme) {
    return low.starts_with(scheme) && low.size() > scheme.size();
  });
}

std::optional<std::string> bare_doi(std::string_view text) {
  std::string low = lowered(trimmed(text));
  for (const std::string_view prefix : {"https://doi.org/", "http://doi.org/",
                                        "https://dx.doi.org/", "http://dx.doi.org/", "doi:"}) {
    if (low.starts_with(prefix)) low.erase(0, prefix.size());
  }
  const std::size_t slash = low.find('/');
  if (slash == std::string::npos || slash + 1 >= low.size() || has_blank(low)) return std::nullopt;
  const std::string_view registrant = std::string_view(low).substr(0, slash);
  if (!registrant.starts_with("10.") || registrant.size() < 7) return std::nullopt;
  return low;
}

}  // namespace chapterd
