// Reads CSV.
#include "domain/exchange/csv.h"

#include "replication/format/cbor.h"
#include "replication/format/limits.h"

#include <algorithm>
#include <set>

namespace chapterd {
namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
constexpr std::size_t cell_most = limits::payload_bytes;  // more could not be stored anyway

char separator_of(std::string_view text) {
  const std::string_view first = text.substr(0, text.find_first_of("\r\n"));
  char best = ',';
  for (const char candidate : {',', ';', '\t'}) {
    if (std::count(first.begin(), first.end(), candidate) >
        std::count(first.begin(), first.end(), best)) {
      best = candidate;
    }
  }
  return best;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

// Reads rows one after another. After a fault it goes on behind the line where the row began, so
// that one forgotten quote costs one line and not the rest of the file.
class CsvReader {
 public:
  explicit CsvReader(std::string_view text) : text_(text), separator_(separator_of(text)) {}

  [[nodiscard]] bool at_end() const { return at_ >= text_.size(); }

  [[nodiscard]] std::size_t line() const { return line_; }

  // Empty reason: the row is good.
  std::string read(CsvRow& row) {
    row = {line_, {}};
    const std::size_t start = at_;
    std::string reason = read_cells(row.cells);
    if (!reason.empty()) {
      at_ = start;
      line_ = row.line;
      skip_line();
    }
    return reason;
  }

 private:
  std::string read_cells(std::vector<std::string>& cells) {
    while (true) {
      std::string cell;
      std::string reason = peek() == '"' ? read_quoted(cell) : read_plain(cell);
      if (reason.empty() && cell.find('\0') != std::string::npos) reason = "It has a zero byte.";
      if (reason.empty() && !is_utf8(cell)) reason = "It is not valid UTF-8.";
      if (!reason.empty()) return reason;
      cells.push_back(std::move(cell));
      if (at_end() || skip_line_end()) return {};
      ++at_;  // the separator
    }
  }

  std::string read_plain(std::string& cell) {
    const std::size_t start = at_;
    while (!at_end() && !ends_cell()) {
      if (text_[at_] == '"') return "A quote stands inside a cell that does not begin with one.";
      ++at_;
    }
    cell = text_.substr(start, at_ - start);
    return {};
  }

  std::string read_quoted(std::string& cell) {
    ++at_;
    while (!at_end()) {
      const char c = text_[at_++];
      if (c == '"' && peek() != '"') {
        return at_end() || ends_cell() ? "" : "Something stands behind a closing quote.";
      }
      if (c == '"') ++at_;
      if (c == '\n') ++line_;
      cell += c;
      if (cell.size() > cell_most) break;
    }
    return "A quote is opened and not closed.";
  }

  [[nodiscard]] int peek() const { return at_end() ? -1 : static_cast<unsigned char>(text_[at_]); }

  [[nodiscard]] bool ends_cell() const {
    return text_[at_] == separator_ || text_[at_] == '\n' || text_.substr(at_, 2) == "\r\n";
  }

  bool skip_line_end() {
    if (text_.substr(at_, 2) == "\r\n") ++at_;
    if (peek() != '\n') return false;
    ++at_;
    ++line_;
    return true;
  }

  void skip_line() {
    at_ = std::min(text_.find('\n', at_), text_.size() - 1) + 1;
    ++line_;
  }

  std::string_view text_;
  char separator_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
};

bool is_blank(const CsvRow& row) {
  return row.cells.size() == 1 && trimmed(row.cells.front()).empty();
}

tl::unexpected<Error> bad_header(std::string code, std::string what) {
  return fail(Errc::malformed, std::move(code), std::move(what), "Nothing was imported.",
              "The first line must name the columns, separated by commas.");
}

}  // namespace

std::optional<std::size_t> CsvTable::column(std::string_view name) const {
  const auto at = std::find(header.begin(), header.end(), name);
  if (at == header.end()) return std::nullopt;
  return static_cast<std::size_t>(at - header.begin());
}

Result<CsvTable> read_csv(std::string_view text) {
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  CsvReader reader(text);
  CsvRow row;
  if (reader.at_end()) return bad_header("csv.empty", "The file is empty.");
  if (const std::string reason = reader.read(row); !reason.empty()) {
    return bad_header("csv.header", "The first line cannot be read. " + reason);
  }
  CsvTable table;
  for (const std::string& name : row.cells) table.header.emplace_back(trimmed(name));
  const std::set<std::string> names(table.header.begin(), table.header.end());
  if (names.size() != table.header.size() || names.contains("")) {
    return bad_header("csv.header", "The first line names a column twice, or not at all.");
  }
  while (!reader.at_end()) {
    std::string reason = reader.read(row);
    if (reason.empty() && is_blank(row)) continue;
    if (reason.empty() && row.cells.size() != table.header.size()) {
      reason = "It has " + std::to_string(row.cells.size()) + " cells instead of " +
               std::to_string(table.header.size()) + ".";
    }
    if (reason.empty()) {
      table.rows.push_back(std::move(row));
    } else {
      table.faults.push_back({row.line, std::move(reason)});
    }
  }
  return table;
}

}  // namespace chapterd
