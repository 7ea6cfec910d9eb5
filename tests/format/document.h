// The document of vectors, tests/vectors/format.json, made from the samples.
#pragma once

#include "tests/format/describe.h"
#include "tests/format/samples.h"

namespace chapterd {

[[nodiscard]] Json make_document(const samples::World& world);

// As it stands in the file.
[[nodiscard]] std::string text_of(const Json& document);

}  // namespace chapterd
