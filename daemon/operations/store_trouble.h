// What the machine underneath did, as a four-part error: for callers that end with it.
#pragma once

#include "base/result.h"

#include <exception>

namespace chapterd {

// DiskFull becomes store.disk-full (Errc::disk), anything else store.broken (failed).
[[nodiscard]] Error store_trouble(const std::exception& thrown);

}  // namespace chapterd
