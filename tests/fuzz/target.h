// The one function that libFuzzer calls, and what every target needs.
#pragma once

#include "base/bytes.h"
#include "base/contract.h"

#include <algorithm>

// Returns 0; a broken property aborts.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace chapterd {

[[nodiscard]] inline bool equal(ByteView a, ByteView b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

}  // namespace chapterd
