// How verbs are called, wherever the node runs: over the control socket or in this process.
#pragma once

#include "base/result.h"

#include <nlohmann/json_fwd.hpp>

#include <string_view>

namespace chapterd {

// One thread an object.
class Caller {
 public:
  virtual ~Caller() = default;

  // Blocks until the answer is there; what it wrote is on disk then. `args` is an object.
  [[nodiscard]] virtual Result<nlohmann::json> call(std::string_view verb,
                                                    const nlohmann::json& args) = 0;
};

}  // namespace chapterd
