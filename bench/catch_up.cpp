// Catch-up: verified, durable and merged, over TLS loopback.
#include "bench/limits.h"
#include "bench/proxy.h"
#include "bench/rows.h"
#include "bench/stage.h"

#include <fstream>
#include <sys/resource.h>

namespace chapterd::bench {
namespace {

struct Transfer {
  double seconds = 0;
  std::size_t changes = 0;
  double wire_bytes = 0;          // a change
  double packed_bytes = 0;        // a change: zstd-3 over the bare payloads
  double lines_packed_bytes = 0;  // a change: zstd-3 over the lines as they were given
};

enum class Counted { no, yes };

Transfer transfer(const Lines& lines, Counted counted) {
  Stage stage;
  LineWriter writer;
  Transfer transfer;
  transfer.changes = write_lines(*stage.kenya, writer, lines);
  const auto changes = static_cast<double>(transfer.changes);
  testing::LiveNode global(std::move(stage.global), listens());
  Growth growth;
  growth.watch(global);
  global.start();
  const std::uint64_t before = global.arrival();
  const CountingProxy proxy(global.address());
  testing::LiveNode kenya(std::move(stage.kenya),
                          dials(counted == Counted::yes ? proxy.address() : global.address()));
  kenya.follow(global.id());
  const Stopwatch watch;
  kenya.start();
  growth.wait_for(before + transfer.changes, 600);
  transfer.seconds = watch.seconds();
  wait_until_caught_up(kenya);
  transfer.wire_bytes = static_cast<double>(proxy.bytes()) / changes;
  transfer.packed_bytes = static_cast<double>(zstd3_bytes(writer.payloads())) / changes;
  Bytes plain;
  for (const std::string& line : lines) append(plain, as_bytes(line + "\n"));
  transfer.lines_packed_bytes = static_cast<double>(zstd3_bytes(plain)) / changes;
  return transfer;
}

double peak_megabytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

}  // namespace

std::vector<Figure> catch_up(const Lines& lines, int rounds) {
  const testing::TempFolder folder;
  std::vector<double> rates;
  std::vector<double> limits;
  std::vector<double> ratios;
  for (int i = 0; i < rounds; ++i) {
    limits.push_back(sqlite_two_rows(folder.path(), lines));
    const Transfer done = transfer(lines, Counted::no);
    rates.push_back(static_cast<double>(done.changes) / done.seconds);
    ratios.push_back(rates.back() / limits.back());
  }
  const std::string count = std::to_string(lines.size()) + " changes";
  std::vector<Figure> figures;
  figures.push_back({"catch-up, verified + durable + merged, " + count, quantile(rates, 0.5),
                     "changes/s", quantile(limits, 0.5), "plain SQLite writing the same two rows",
                     "≥ 60,000 and ≥ 0.5 of the limit",
                     "median of " + std::to_string(rounds) + "; ratio " +
                         std::to_string(quantile(ratios, 0.5)) +
                         "; both ends in one process, peak " +
                         std::to_string(static_cast<int>(peak_megabytes())) + " MB"});
  const Transfer counted = transfer(lines, Counted::yes);
  figures.push_back(
      {"bytes on the wire, " + count, counted.wire_bytes, "B/change", counted.packed_bytes,
       "zstd-3 over the bare payloads", "≤ 1.15 × limit + 8",
       "zstd-3 over the lines as given: " + std::to_string(counted.lines_packed_bytes)});
  return figures;
}

}  // namespace chapterd::bench
