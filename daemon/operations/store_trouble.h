// What the machine underneath did, as a four-part error: for callers that end with it.
#pragma once

#include "base/result.h"
#include "replication/store/store.h"

#include <exception>
#include <type_traits>

namespace chapterd {

// Bytes of one merged record are damaged: what else is stored can still be used, and a rebuild
// mends it.
class DamagedRecord final : public Broken {
 public:
  explicit DamagedRecord(Error what) : Broken(what.what), error(std::move(what)) {}

  Error error;
};

// DamagedRecord becomes the error of the decoder (check_failed), DiskFull store.disk-full
// (Errc::disk), a damaged file store.damaged (check_failed), anything else store.broken (failed).
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
