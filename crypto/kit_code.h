// Secrets written on paper: the lines of a recovery kit, made to be copied by hand.
//
// A code is base32 of  version u8, 1 | part u8 | first 4 bytes of the federation's id | secret 32
// bytes | first 4 bytes of BLAKE2b-256("chapterd/kit-check/1\0" | all before), in groups of five.
#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/guarded.h"

#include <string>
#include <string_view>

namespace chapterd {

enum class KitPart : std::uint8_t {
  authority = 1,  // seed of the chapter's authority key
  chapter = 2,    // seed of the node's X25519 key, which opens the chapter's keys
  recovery = 3,   // what genesis keeps the hash of
};

inline constexpr std::size_t kit_secret_bytes = 32;

// "authority", "chapter", "recovery".
[[nodiscard]] std::string_view name_of(KitPart part);

// `federation` has 32 bytes, `secret` kit_secret_bytes; other lengths are a broken contract.
[[nodiscard]] std::string kit_code(KitPart part, ByteView federation, ByteView secret);

struct KitSecret {
  KitPart part = KitPart::authority;
  GuardedBytes secret{kit_secret_bytes};
};

// What a code holds, as somebody typed it: small letters, spaces and dashes as they like. Errors:
// kit.mistyped (malformed), kit.other-federation (not_allowed).
[[nodiscard]] Result<KitSecret> read_kit_code(std::string_view text, ByteView federation);

}  // namespace chapterd
