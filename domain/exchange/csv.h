// Reads CSV as spreadsheets write it: RFC 4180, with or without BOM, CRLF or LF, comma, semicolon
// or tab. Bad lines are named by number; the good ones are still there.
#pragma once

#include "base/result.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace chapterd {

struct CsvRow {
  std::size_t line = 0;  // of the file, from 1, where the row begins
  std::vector<std::string> cells;
};

struct CsvFault {
  std::size_t line = 0;
  std::string reason;  // a sentence
};

struct CsvTable {
  std::vector<std::string> header;  // spaces around the names are dropped
  std::vector<CsvRow> rows;         // each with as many cells as the header
  std::vector<CsvFault> faults;     // by line

  // Place of a column, by name.
  [[nodiscard]] std::optional<std::size_t> column(std::string_view name) const;
};

// The separator is the one that the header line has most of. Errors (Errc::malformed): csv.empty,
// and csv.header when the first line cannot be read or names a column twice.
[[nodiscard]] Result<CsvTable> read_csv(std::string_view text);

}  // namespace chapterd
