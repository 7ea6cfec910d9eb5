// What this machine can do without us: measured in the same run as the figures that it is the limit
// of.
#pragma once

#include "base/bytes.h"
#include "bench/workload.h"

#include <string>

namespace chapterd::bench {

// Median seconds of appending 4 KiB to a file and fsyncing it, in this folder.
[[nodiscard]] double fsync_seconds(const std::string& folder);

// Changes a second of plain SQLite (WAL, FULL, 1,000 a transaction) writing for each line one row
// of a log and one row of a table keyed by 16 bytes, replaced when it is there: the two rows that a
// change is.
[[nodiscard]] double sqlite_two_rows(const std::string& folder, const Lines& lines);

// Durable commits a second of plain SQLite with one row each.
[[nodiscard]] double sqlite_single_commits(const std::string& folder, std::size_t count);

// Bytes of zstd level 3 over all of it at once.
[[nodiscard]] std::size_t zstd3_bytes(ByteView bytes);

}  // namespace chapterd::bench
