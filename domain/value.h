// JSON as people and programs hand it over ↔ deterministic CBOR as changes carry it.
#pragma once

#include "base/bytes.h"
#include "base/result.h"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <optional>

namespace chapterd {

// One item. Keys are sorted as the format wants. {"$bytes": "hex"} becomes a byte string. Refused
// (Errc::usage): text that is not UTF-8, numbers that are not finite, integers beyond 63 bits, more
// than limits::depth levels.
[[nodiscard]] Result<Bytes> to_cbor(const nlohmann::json& json);

// Exactly one item, strictly read; the inverse of to_cbor. Errc::malformed for anything else, also
// for what is CBOR but would not come back the same: infinite numbers, a map that looks like
// {"$bytes"}.
[[nodiscard]] Result<nlohmann::json> from_cbor(ByteView item);

// The integer that a number is; nothing when it is none, or lies beyond 2^53, where doubles skip
// integers.
[[nodiscard]] std::optional<std::int64_t> whole_number(double value);
// Whole numbers as integers: 3, not 3.0.
[[nodiscard]] nlohmann::json json_number(double value);

}  // namespace chapterd
