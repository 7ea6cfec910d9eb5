// The rows of the table. Each builds its own nodes and measures its limits beside them.
#pragma once

#include "bench/figures.h"
#include "bench/workload.h"

#include <vector>

namespace chapterd::bench {

// Catch-up of an empty node over TLS loopback, and its bytes on the wire.
[[nodiscard]] std::vector<Figure> catch_up(const Lines& lines, int rounds);
// Nothing new, and 100 new, on what both hold of these lines.
[[nodiscard]] std::vector<Figure> little_new(const Lines& lines);
// 20,000 feeds held by both, 20 of them changed, and the cursor lost.
[[nodiscard]] std::vector<Figure> lost_cursor();
// Durable local writes, alone and by 64 writers.
[[nodiscard]] std::vector<Figure> local_writes();
// A single change from one node to the next, and up three levels.
[[nodiscard]] std::vector<Figure> live(int changes);

}  // namespace chapterd::bench
