// What the machine underneath did, as a four-part error: for callers that end with it.
#pragma once

#include "base/result.h"
#include "replication/store/store.h"

#include <exception>
#include <type_traits>

namespace chapterd {

// Damaged becomes its own error (check_failed), DiskFull store.disk-full (Errc::disk), anything
// else store.broken (failed).
[[nodiscard]] Error store_trouble(const std::exception& thrown);

// What `work` returns, a Result; what it throws becomes its error.
template <class Work>
[[nodiscard]] std::invoke_result_t<Work> without_throwing(Work work) {
  try {
    return work();
  } catch (const std::exception& thrown) {
    return fail(store_trouble(thrown));
  }
}

}  // namespace chapterd
