// Bundles as couriers carry them, for whoever else writes or reads one.
#pragma once

#include "replication/bundle.h"
#include "tests/sim/sim_node.h"

#include <optional>
#include <vector>

namespace chapterd::sim {

// The whole file; nothing when it may not be written: for a revoked machine, or one that is not
// known yet.
[[nodiscard]] std::optional<Bytes> write_bundle(SimNode& from, const BundlePlan& plan);

// A file taken apart.
struct BundleInParts {
  Bytes header;
  std::vector<std::vector<BundleChunk>> runs;
  std::optional<BundleTrailer> trailer;
};

[[nodiscard]] BundleInParts taken_apart(ByteView file);

}  // namespace chapterd::sim
