// The bundle of the vectors: two runs, three chunks, sealed to one node, with everything that opens
// it.
#pragma once

#include "replication/format/bundle_file.h"
#include "tests/format/describe.h"
#include "tests/format/samples.h"

#include <vector>

namespace chapterd {

struct SampleChunk {
  ChunkEnd end = ChunkEnd::none;
  Bytes plain;
  BundleState before;
};

struct SampleBundle {
  BundleHeader header;
  Bytes header_bytes;
  Bytes key;  // of the part
  std::vector<SampleChunk> chunks;
  BundleState last;
  BundleTrailer trailer;
  Bytes file;
};

[[nodiscard]] SampleBundle make_sample_bundle(const samples::World& world);

// The same as JSON, and files that break one rule each.
[[nodiscard]] Json make_bundle_document(const samples::World& world);

}  // namespace chapterd
