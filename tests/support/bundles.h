// Bundles between test nodes: files as bytes, written and read as the daemon does it.
#pragma once

#include "replication/bundle.h"
#include "tests/support/node.h"

#include <string>
#include <vector>

namespace chapterd::testing {

// The parts of one bundle. Throws on an error.
[[nodiscard]] std::vector<Bytes> write_bundle(TestNode& from, const BundlePlan& plan);
// One part for the node `to`.
[[nodiscard]] Bytes write_bundle(TestNode& from,
                                 const TestNode& to,
                                 BundleKind kind = BundleKind::data);

struct BundleOutcome {
  std::string code;  // of the error that stopped it; empty
  bool complete = false;
  std::uint64_t entries = 0;  // news
  std::vector<std::string> refused;
  bool moved_cursor = false;
};

BundleOutcome read_bundle(TestNode& to, ByteView file);

// What a recipient sees inside: all frames, sealed no more. Packed content is unpacked.
[[nodiscard]] Bytes opened_bundle(TestNode& to, ByteView file);

// Ends of the items of a file: header, chunks, trailer.
[[nodiscard]] std::vector<std::size_t> item_ends(ByteView file);

}  // namespace chapterd::testing
