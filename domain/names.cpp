// Names of fields, and guessing what a mistyped one meant.
#include "domain/names.h"

#include <algorithm>
#include <numeric>

namespace chapterd {
namespace {

constexpr std::size_t name_most = 40;

bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_letter(char c) {
  return is_lower(c) || (c >= 'A' && c <= 'Z');
}

// Levenshtein distance, one row at a time; neighbouring letters swapped count as two.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

bool is_snake_case(std::string_view name) {
  if (name.empty() || name.size() > name_most || !is_lower(name.front())) return false;
  return std::all_of(name.begin(), name.end(),
                     [](char c) { return is_lower(c) || is_digit(c) || c == '_'; });
}

bool is_code(std::string_view text) {
  if (text.empty() || text.size() > name_most) return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return is_letter(c) || is_digit(c) || c == '.' || c == '-' || c == '_';
  });
}

bool is_language(std::string_view text) {
  const std::size_t first = std::min(text.find('-'), text.size());
  if (first < 2 || first > 3) return false;
  if (!std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(first), is_lower)) {
    return false;
  }
  std::size_t at = first;
  while (at < text.size()) {
    const std::size_t end = std::min(text.find('-', at + 1), text.size());
    const std::string_view subtag = text.substr(at + 1, end - at - 1);
    if (subtag.size() < 2 || subtag.size() > 8) return false;
    if (!std::all_of(subtag.begin(), subtag.end(),
                     [](char c) { return is_letter(c) || is_digit(c); })) {
      return false;
    }
    at = end;
  }
  return true;
}

FieldName split_name(std::string_view stored) {
  const std::size_t slash = stored.find('/');
  if (slash == std::string_view::npos) return {stored, {}};
  return {stored.substr(0, slash), stored.substr(slash + 1)};
}

std::string keyed_name(std::string_view field, std::string_view key) {
  return std::string(field) + "/" + std::string(key);
}

std::string closest(std::string_view name, const std::vector<std::string>& candidates) {
  if (name.size() > 2 * name_most) return {};  // a whole sentence is no misspelt name
  std::string best;
  std::size_t least = std::max<std::size_t>(2, name.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    const std::size_t differs = distance(name, candidate);
    if (differs < least && differs < candidate.size()) {
      least = differs;
      best = candidate;
    }
  }
  return best;
}

std::string did_you_mean(std::string_view name, const std::vector<std::string>& candidates) {
  const std::string meant = closest(name, candidates);
  return meant.empty() ? std::string() : " Did you mean “" + meant + "”?";
}

}  // namespace chapterd
