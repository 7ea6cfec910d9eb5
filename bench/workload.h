// The changes that the benchmarks write: made up, or read from any JSON-lines file.
#pragma once

#include "replication/replica.h"

#include <string>
#include <unordered_map>
#include <vector>

namespace chapterd::bench {

// One JSON object a line, as text: what another system would be given.
using Lines = std::vector<std::string>;

// `count` objects of about 300 bytes, 30 % of them edits of earlier ones; the same for the same
// seed.
[[nodiscard]] Lines make_lines(std::size_t count, std::uint64_t seed);
// Throws std::runtime_error naming the line that is no JSON object with an "id".
[[nodiscard]] Lines read_lines(const std::string& path);

// Turns lines into changes of the open kind "bench" and stages them: the record is a hash of the
// line's "id"; a line with an id seen before is an edit that writes the members that differ and
// clears those that are gone. Writer thread only.
class LineWriter {
 public:
  // Returns false when the line changes nothing. Payload bytes are added to `payload_bytes`.
  bool write(Replica& replica, const std::string& line);

  [[nodiscard]] const Bytes& payloads() const { return payloads_; }

 private:
  struct Member {
    Bytes value;
    ValueName name;
  };

  std::unordered_map<RecordId, std::unordered_map<std::string, Member>, FixedHash> records_;
  Bytes payloads_;  // of all changes, one behind the other: what zstd is measured on
};

}  // namespace chapterd::bench
