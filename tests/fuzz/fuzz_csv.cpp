// CSV: every row has the cells of the header, every fault a line, and a table that was read is read
// the same when it is written plainly.
#include "domain/exchange/csv.h"
#include "tests/fuzz/target.h"

#include <string>

namespace chapterd {
namespace {

std::string quoted(const std::string& cell) {
  std::string out = "\"";
  for (const char letter : cell) {
    if (letter == '"') out += '"';
    out += letter;
  }
  return out + "\"";
}

std::string line_of(const std::vector<std::string>& cells) {
  std::string line;
  for (const std::string& cell : cells) line += (line.empty() ? "" : ",") + quoted(cell);
  return line + "\n";
}

void check(std::string_view text) {
  const auto table = read_csv(text);
  if (!table) return;
  std::size_t line = 0;
  for (const CsvRow& row : table->rows) {
    CHECK(row.cells.size() == table->header.size());
    CHECK(row.line > line);
    line = row.line;
  }
  for (const CsvFault& fault : table->faults) CHECK(fault.line > 0 && !fault.reason.empty());
  std::string plain = line_of(table->header);
  for (const CsvRow& row : table->rows) plain += line_of(row.cells);
  const auto again = read_csv(plain);
  if (!again) return;  // a header cell with what a header may not have once it is alone in its line
  if (!again->faults.empty() || again->header != table->header) return;
  std::size_t at = 0;
  for (const CsvRow& row : again->rows) {
    while (at < table->rows.size() && table->rows[at].cells != row.cells) ++at;
    CHECK(at < table->rows.size());
  }
}

}  // namespace
}  // namespace chapterd

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  chapterd::check(chapterd::as_text({data, size}));
  return 0;
}
