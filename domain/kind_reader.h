// Reads one kind file: its form and everything that can be checked without the other kinds.
#pragma once

#include "base/result.h"
#include "domain/kind.h"

namespace chapterd {

// Errc::malformed (kind.file), naming the file and the place in it.
[[nodiscard]] Result<Kind> read_kind(const KindFile& file);

// What is wrong inside a kind that was read, empty when nothing is: names that point nowhere,
// transitions that would narrow a record's audience, confidential fields in places where others
// would see them.
[[nodiscard]] std::string fault_of(const Kind& kind);

}  // namespace chapterd
