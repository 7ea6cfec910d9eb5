// What people and programs get to see: results on stdout, narration and errors on stderr, as text
// or as JSON; colour on a terminal only.
#pragma once

#include "base/result.h"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <iosfwd>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace chapterd {

// What the three streams are, found out once by main().
struct Terminal {
  bool in = false;  // a person can answer
  bool out = false;
  bool err = false;
  bool colour = true;  // false with NO_COLOR or TERM=dumb
};

// How the answer is wanted.
struct Manner {
  bool json = false;
  bool quiet = false;
  bool verbose = false;
};

enum class Shade { plain, strong, faint, good, waits, bad };

// 0 to 9, by what class of trouble it is (docs/operations.md).
[[nodiscard]] int exit_code(Errc kind);

class Output {
 public:
  // Both streams must outlive it.
  Output(std::ostream& out, std::ostream& err, Terminal terminal);

  void use(Manner manner) { manner_ = manner; }

  // From here on hints name this folder; `commands` are the first words of commands.
  void name_folder(std::string folder, std::set<std::string> commands);
  // A sentence with commands to give next, "See: chapterd status", as it must be typed for the
  // folder that this command worked on. What is for another place is worded "there: chapterd …".
  [[nodiscard]] std::string hint(std::string_view text) const;

  [[nodiscard]] const Manner& manner() const { return manner_; }

  [[nodiscard]] const Terminal& terminal() const { return terminal_; }

  // With --json: prints it and says true, so that the caller prints no table.
  bool answer(const nlohmann::json& answer);
  // A result: text as it is, with a line end.
  void print(std::string_view text);
  // Narration, whose hints name the folder; left out with --quiet and --json.
  void say(std::string_view text);
  // Narration that only -v shows.
  void detail(std::string_view text);
  // The four parts.
  void error(const Error& bare);
  // Asks on the terminal and reads a line; only where terminal().in.
  void ask(std::string_view question);

  // False when stdout did not take everything (a full disk).
  [[nodiscard]] bool flush();

  // Coloured for stdout, when it takes colour.
  [[nodiscard]] std::string paint(Shade shade, std::string_view text) const;

 private:
  std::ostream& out_;
  std::ostream& err_;
  const Terminal terminal_;
  Manner manner_;
  std::string folder_;  // in quotes; empty: nothing is named
  std::set<std::string> commands_;
};

// --- words ---

// Without what could steer a terminal or turn the direction of writing: synced text is anybody's.
// Line ends stay when `lines` says so.
enum class Keep { one_line, line_ends };
[[nodiscard]] std::string plain(std::string_view text, Keep lines = Keep::one_line);

// Columns of a terminal that the text takes; colours take none.
[[nodiscard]] std::size_t columns_of(std::string_view text);
// At most so many columns, with "…" where something is left out.
[[nodiscard]] std::string shortened(std::string_view text, std::size_t columns);
// Broken at spaces, each line behind so many blanks.
[[nodiscard]] std::string wrapped(std::string_view text, std::size_t indent, std::size_t columns);

// "just now", "6 h ago"
[[nodiscard]] std::string ago(std::int64_t ms);
// "in 3 days", "in 20 s"
[[nodiscard]] std::string ahead(std::int64_t ms);
// "2026-03-01 14:05 UTC"
[[nodiscard]] std::string date_of(std::int64_t since_1970_ms);
// "1.5 GiB"
[[nodiscard]] std::string bytes_of(std::uint64_t bytes);
// "1 entry", "3 entries"
[[nodiscard]] std::string counted(std::uint64_t count, std::string_view one, std::string_view many);
// "what_happened" → "What happened"
[[nodiscard]] std::string worded(std::string_view name);
// "An insight", "A review": to begin a sentence about a kind.
[[nodiscard]] std::string an(std::string_view kind);
// "what_happened" → "what-happened"
[[nodiscard]] std::string dashed(std::string_view name);

// Rows under a heading, as wide as they need.
class Table {
 public:
  explicit Table(std::vector<std::string> headings);

  // As many cells as headings; they may be painted.
  void row(std::vector<std::string> cells);
  // Aligns numbers.
  void right(std::size_t column);

  [[nodiscard]] bool empty() const { return rows_.empty(); }

  [[nodiscard]] std::string text(const Output& output) const;

 private:
  [[nodiscard]] std::string line(const std::vector<std::string>& cells,
                                 const std::vector<std::size_t>& widths) const;

  std::vector<std::string> headings_;
  std::vector<std::vector<std::string>> rows_;
  std::vector<bool> right_;
};

}  // namespace chapterd
