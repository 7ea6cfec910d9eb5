// What travels over the control socket: JSON in frames of a 4-byte big-endian length and a body.
//
//   call    {"verb": text, "args": object}
//   answer  {"ok": value} or {"error": {"kind", "code", "what", "safe", "next"}}
#pragma once

#include "base/bytes.h"
#include "base/result.h"

#include <nlohmann/json_fwd.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace chapterd::control {

inline constexpr std::size_t length_bytes = 4;
inline constexpr std::size_t most_body_bytes = 8 * 1024 * 1024;
inline constexpr std::size_t most_depth = 64;  // nesting of JSON

// The word that stands for a kind of error on the socket and in --json, and back: an unknown word
// is `failed`.
[[nodiscard]] std::string_view name_of(Errc kind);
[[nodiscard]] Errc errc_from(std::string_view name);

// Errors (Errc::usage): argument.utf8, argument.depth. Every text of it, names included.
[[nodiscard]] Result<void> check_texts(const nlohmann::json& value);

// The length that a frame begins with; `prefix` has length_bytes.
[[nodiscard]] std::size_t body_bytes(ByteView prefix);

// Whole frames. A call that is too large or holds bad text is an error (control.too-large,
// argument.utf8, argument.depth); an answer that is too large becomes answer.too-large.
[[nodiscard]] Result<Bytes> encode_call(std::string_view verb, const nlohmann::json& args);
[[nodiscard]] Bytes encode_answer(const Result<nlohmann::json>& answer);

// Bodies without their length. Error: control.malformed.
[[nodiscard]] Result<nlohmann::json> decode_body(ByteView body);
// What an answer says; Errc::malformed (control.malformed) when it is none.
[[nodiscard]] Result<nlohmann::json> decode_answer(ByteView body);

// {"kind", "code", "what", "safe", "next"}.
[[nodiscard]] nlohmann::json to_json(const Error& error);

}  // namespace chapterd::control
