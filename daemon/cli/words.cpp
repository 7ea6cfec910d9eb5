// Words, widths and tables: how answers are put so that people read them at a glance.
#include "daemon/cli/output.h"
#include "replication/format/cbor.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <span>

namespace chapterd {
namespace {

constexpr std::int64_t second_ms = 1000;
constexpr std::int64_t minute_ms = 60 * second_ms;
constexpr std::int64_t hour_ms = 60 * minute_ms;
constexpr std::int64_t day_ms = 24 * hour_ms;

struct Character {
  char32_t point = 0;
  std::size_t bytes = 1;
  bool good = false;
};

// How many bytes a character has whose first byte this is; 0 for none.
std::size_t bytes_behind(unsigned char first) {
  if (first < 0x80) return 1;
  if (first < 0xC2 || first > 0xF4) return 0;
  return first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
}

// A byte that begins no character is one of its own, and not good.
Character character_at(std::string_view text) {
  const auto first = static_cast<unsigned char>(text.front());
  const std::size_t bytes = bytes_behind(first);
  if (bytes == 0 || !is_utf8(text.substr(0, bytes))) return {};
  char32_t point = bytes == 1 ? first : first & (0x7FU >> bytes);
  for (const char next : text.substr(1, bytes - 1)) {
    point = (point << 6U) | (static_cast<unsigned char>(next) & 0x3FU);
  }
  return {point, bytes, true};
}

struct Range {
  char32_t first;
  char32_t last;
};

bool is_in(char32_t point, std::span<const Range> ranges) {
  return std::ranges::any_of(
      ranges, [point](const Range& range) { return point >= range.first && point <= range.last; });
}

// Marks that stand over or under the character before, and signs without a shape: those of Latin,
// Cyrillic, Hebrew, Arabic, Devanagari, Bengali and Thai (Unicode 15, categories Mn, Me and Cf).
constexpr std::array<Range, 24> no_columns{{
    {0x0300, 0x036F}, {0x0483, 0x0489}, {0x0591, 0x05BD}, {0x0610, 0x061A}, {0x064B, 0x065F},
    {0x0670, 0x0670}, {0x06D6, 0x06DC}, {0x0900, 0x0902}, {0x093A, 0x093A}, {0x093C, 0x093C},
    {0x0941, 0x0948}, {0x094D, 0x094D}, {0x0951, 0x0957}, {0x0962, 0x0963}, {0x0981, 0x0981},
    {0x09BC, 0x09BC}, {0x09C1, 0x09C4}, {0x09CD, 0x09CD}, {0x0E31, 0x0E31}, {0x0E34, 0x0E3A},
    {0x200B, 0x200F}, {0x20D0, 0x20FF}, {0xFE00, 0xFE0F}, {0xFEFF, 0xFEFF},
}};

// Characters of two columns (Unicode 15, East Asian Width W and F).
constexpr std::array<Range, 10> two_columns{{
    {0x1100, 0x115F},
    {0x2E80, 0x303E},
    {0x3041, 0xA4CF},
    {0xAC00, 0xD7A3},
    {0xF900, 0xFAFF},
    {0xFE30, 0xFE6F},
    {0xFF00, 0xFF60},
    {0xFFE0, 0xFFE6},
    {0x1F300, 0x1FAFF},
    {0x20000, 0x3FFFD},
}};

// Controls, and overrides, embeddings and isolates of direction; joiners stay, scripts need them.
constexpr std::array<Range, 4> steering{
    {{0x00, 0x1F}, {0x7F, 0x9F}, {0x202A, 0x202E}, {0x2066, 0x2069}}};

std::size_t width_of(const Character& character) {
  if (!character.good) return 1;
  if (is_in(character.point, no_columns)) return 0;
  return is_in(character.point, two_columns) ? 2 : 1;
}

// The length of an escape sequence that paint() wrote, or 0.
std::size_t escape_bytes(std::string_view text) {
  if (!text.starts_with("\033[")) return 0;
  const std::size_t end = text.find('m');
  return end == std::string_view::npos ? 0 : end + 1;
}

std::string duration(std::int64_t ms) {
  const auto told = [](std::int64_t count, const char* unit) {
    return std::to_string(count) + " " + unit + (unit[1] != '\0' && count != 1 ? "s" : "");
  };
  if (ms < minute_ms) return told(ms / second_ms, "s");
  if (ms < hour_ms) return std::to_string(ms / minute_ms) + " min";
  if (ms < 2 * day_ms) return told(ms / hour_ms, "h");
  return told(ms / day_ms, "day");
}

}  // namespace

std::string plain(std::string_view text, Keep lines) {
  std::string safe;
  while (!text.empty()) {
    const Character character = character_at(text);
    const bool line_end = character.point == '\n';
    if (line_end && lines == Keep::line_ends) {
      safe += '\n';
    } else if (line_end || character.point == '\t' || character.point == '\r') {
      safe += ' ';
    } else if (!character.good || is_in(character.point, steering)) {
      safe += "\uFFFD";
    } else {
      safe += text.substr(0, character.bytes);
    }
    text.remove_prefix(character.bytes);
  }
  return safe;
}

std::size_t columns_of(std::string_view text) {
  std::size_t columns = 0;
  while (!text.empty()) {
    if (const std::size_t escape = escape_bytes(text); escape > 0) {
      text.remove_prefix(escape);
      continue;
    }
    const Character character = character_at(text);
    columns += width_of(character);
    text.remove_prefix(character.bytes);
  }
  return columns;
}

std::string shortened(std::string_view text, std::size_t columns) {
  if (columns_of(text) <= columns) return std::string(text);
  std::string kept;
  std::size_t used = 1;  // of the "…"
  while (!text.empty()) {
    const Character character = character_at(text);
    const std::size_t width = width_of(character);
    if (used + width > columns) break;
    used += width;
    kept += text.substr(0, character.bytes);
    text.remove_prefix(character.bytes);
  }
  return kept + "…";
}

std::string wrapped(std::string_view text, std::size_t indent, std::size_t columns) {
  const std::string blanks(indent, ' ');
  std::string lines;
  std::string line;
  const auto end_line = [&] {
    lines += blanks + line + "\n";
    line.clear();
  };
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of(" \n"), text.size());
    const std::string_view word = text.substr(0, end);
    if (!line.empty() && indent + columns_of(line) + 1 + columns_of(word) > columns) end_line();
    if (!word.empty()) line += (line.empty() ? "" : " ") + std::string(word);
    if (end < text.size() && text[end] == '\n') end_line();
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  if (!line.empty()) end_line();
  return lines;
}

std::string ago(std::int64_t ms) {
  return ms < 2 * second_ms ? "just now" : duration(ms) + " ago";
}

std::string ahead(std::int64_t ms) {
  return ms < second_ms ? "now" : "in " + duration(ms);
}

std::string date_of(std::int64_t since_1970_ms) {
  const std::chrono::sys_time<std::chrono::milliseconds> time{
      std::chrono::milliseconds(since_1970_ms)};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{std::chrono::floor<std::chrono::minutes>(time - day)};
  std::array<char, 40> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02u %02d:%02d UTC",
                static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()), static_cast<int>(clock.hours().count()),
                static_cast<int>(clock.minutes().count()));
  return text.data();
}

std::string bytes_of(std::uint64_t bytes) {
  constexpr std::array units{"B", "KiB", "MiB", "GiB", "TiB"};
  auto size = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (size >= 1024 && unit + 1 < units.size()) {
    size /= 1024;
    ++unit;
  }
  std::array<char, 40> text{};
  std::snprintf(text.data(), text.size(), unit == 0 ? "%.0f %s" : "%.1f %s", size, units[unit]);
  return text.data();
}

std::string counted(std::uint64_t count, std::string_view one, std::string_view many) {
  return std::to_string(count) + " " + std::string(count == 1 ? one : many);
}

std::string worded(std::string_view name) {
  std::string words(name);
  std::ranges::replace(words, '_', ' ');
  if (!words.empty() && words[0] >= 'a' && words[0] <= 'z') {
    words[0] = static_cast<char>(words[0] - 'a' + 'A');
  }
  return words;
}

std::string an(std::string_view kind) {
  const bool vowel =
      !kind.empty() && std::string_view("aeiou").find(kind.front()) != std::string_view::npos;
  return (vowel ? "An " : "A ") + dashed(kind);
}

std::string dashed(std::string_view name) {
  std::string words(name);
  std::ranges::replace(words, '_', '-');
  return words;
}

Table::Table(std::vector<std::string> headings)
    : headings_(std::move(headings)), right_(headings_.size(), false) {}

void Table::row(std::vector<std::string> cells) {
  cells.resize(headings_.size());
  rows_.push_back(std::move(cells));
}

void Table::right(std::size_t column) {
  right_[column] = true;
}

std::string Table::line(const std::vector<std::string>& cells,
                        const std::vector<std::size_t>& widths) const {
  std::string text;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const std::string blanks(widths[i] - columns_of(cells[i]), ' ');
    if (i > 0) text += "  ";
    text += right_[i] ? blanks + cells[i] : cells[i] + blanks;
  }
  text.erase(text.find_last_not_of(' ') + 1);
  return text + "\n";
}

std::string Table::text(const Output& output) const {
  std::vector<std::size_t> widths(headings_.size(), 0);
  std::vector<std::string> headings = headings_;
  const auto widen = [&widths](const std::vector<std::string>& cells) {
    for (std::size_t i = 0; i < cells.size(); ++i) {
      widths[i] = std::max(widths[i], columns_of(cells[i]));
    }
  };
  widen(headings_);
  std::ranges::for_each(rows_, widen);
  for (std::string& heading : headings) {
    if (!heading.empty()) heading = output.paint(Shade::faint, heading);
  }
  std::string text = line(headings, widths);
  for (const auto& row : rows_) text += line(row, widths);
  return text;
}

}  // namespace chapterd
