// Notices accidents to bytes that nobody but this node reads.
#pragma once

#include "base/bytes.h"

#include <cstdint>

namespace chapterd {

// SipHash-2-4 (Aumasson and Bernstein, 2012) under a fixed key, at a tenth of the price of a hash.
// No seal: anybody can compute it. Thread-safe.
[[nodiscard]] std::uint64_t accident_check(ByteView bytes);

}  // namespace chapterd
