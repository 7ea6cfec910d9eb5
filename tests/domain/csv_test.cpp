// CSV as spreadsheets write it.
#include "domain/exchange/csv.h"

#include <gtest/gtest.h>

namespace chapterd {
namespace {

using Cells = std::vector<std::string>;

CsvTable table(std::string_view text) {
  auto read = read_csv(text);
  EXPECT_TRUE(read.has_value()) << read.error().what;
  return read ? *read : CsvTable{};
}

TEST(Csv, LineEndsAndAMarkAtTheBeginningMakeNoDifference) {
  for (const char* text : {"a,b\n1,2\n", "a,b\r\n1,2\r\n",
                           "\xEF\xBB\xBF"
                           "a,b\r\n1,2",
                           "a, b \n\n1,2\n\n"}) {
    const CsvTable read = table(text);
    EXPECT_EQ(read.header, (Cells{"a", "b"}));
    ASSERT_EQ(read.rows.size(), 1U);
    EXPECT_EQ(read.rows[0].cells, (Cells{"1", "2"}));
    EXPECT_TRUE(read.faults.empty());
  }
}

TEST(Csv, QuotesKeepSeparatorsLinesAndQuotes) {
  const CsvTable read = table("a,b\n\"1,5\",\"two\nlines\"\n\"say \"\"so\"\"\",\"\"\nx,y\n");
  ASSERT_EQ(read.rows.size(), 3U);
  EXPECT_EQ(read.rows[0].cells, (Cells{"1,5", "two\nlines"}));
  EXPECT_EQ(read.rows[1].cells, (Cells{"say \"so\"", ""}));
  EXPECT_EQ(read.rows[1].line, 4U);
  EXPECT_EQ(read.rows[2].line, 5U);
}

TEST(Csv, SemicolonsAndTabsAreSeparatorsWhenTheHeaderUsesThem) {
  EXPECT_EQ(table("a;b\n1,5;2\n").rows[0].cells, (Cells{"1,5", "2"}));
  EXPECT_EQ(table("a\tb\n1\t2\n").rows[0].cells, (Cells{"1", "2"}));
}

TEST(Csv, EmptyCellsAtTheEndAreCells) {
  EXPECT_EQ(table("a,b,c\n1,,").rows[0].cells, (Cells{"1", "", ""}));
  EXPECT_EQ(table("a,b,c\r\n1,,\r\n").rows[0].cells, (Cells{"1", "", ""}));
}

TEST(Csv, BadLinesAreNamedAndTheGoodOnesKept) {
  const CsvTable read = table("a,b\n1,2\n1,2,3\nx\"y,2\n\"x\"y,2\n3,\xFF\n4,5\n\"open,6\n7,8\n");
  ASSERT_EQ(read.rows.size(), 3U);
  EXPECT_EQ(read.rows[1].line, 7U);
  EXPECT_EQ(read.rows[2].cells, (Cells{"7", "8"}));
  std::vector<std::size_t> lines;
  for (const CsvFault& fault : read.faults) {
    lines.push_back(fault.line);
    EXPECT_FALSE(fault.reason.empty());
  }
  EXPECT_EQ(lines, (std::vector<std::size_t>{3, 4, 5, 6, 8}));
}

TEST(Csv, AFileWithoutAHeaderIsRefused) {
  EXPECT_EQ(read_csv("").error().code, "csv.empty");
  EXPECT_EQ(read_csv("\"a\nb").error().code, "csv.header");
  EXPECT_EQ(read_csv("a,a\n").error().code, "csv.header");
  EXPECT_EQ(read_csv("a,\n1,2\n").error().code, "csv.header");
}

TEST(Csv, ColumnsAreFoundByName) {
  const CsvTable read = table("b,a\n");
  EXPECT_EQ(read.column("a"), 1U);
  EXPECT_FALSE(read.column("c"));
}

}  // namespace
}  // namespace chapterd
