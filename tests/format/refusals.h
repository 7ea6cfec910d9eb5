// Bytes that every implementation must refuse, each with the rule that it breaks.
#pragma once

#include "tests/format/describe.h"
#include "tests/format/samples.h"

namespace chapterd {

// A list of {as, why, hex}; `as` names the decoder: genesis, statement, feed, piece, change,
// receipt, frame, segment.
[[nodiscard]] Json refusals_of(const samples::World& world);

}  // namespace chapterd
