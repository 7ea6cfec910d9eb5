// Ed25519 signatures: their types and the one function of the project that verifies them.
#pragma once

#include "base/bytes.h"
#include "base/result.h"

#include <cstdint>

namespace chapterd {

using PublicKey = Fixed<32, struct PublicKeyTag>;
using Signature = Fixed<64, struct SignatureTag>;

// The algorithm byte that stands before every key and signature in the formats.
inline constexpr std::uint8_t algorithm_ed25519 = 1;

// True when `signature` is a pure Ed25519 signature (RFC 8032, 5.1: SHA-512, no context, no
// pre-hash) of `message` under `key`. Thread-safe; needs no start-up; about 50 microseconds.
//
// Implementations of Ed25519 disagree about odd inputs, and nodes that disagree would fork a
// feed, so the rules are written down. They are those of libsodium 1.0.18. With the signature
// being R | S and the key being A, all of these must hold:
//  1. S, little-endian, is below L = 2^252 + 27742317777372353535851937790883648493.
//  2. R is none of the encodings of the eight points of small order, canonical or not.
//  3. A is canonical (its y, without the sign bit, is below 2^255 - 19) and not of small order.
//  4. A decodes to a point of the curve (RFC 8032, 5.1.3).
//  5. The canonical encoding of [S]B - [h]A equals R byte for byte, h = SHA-512(R | A | message)
//     mod L. So a non-canonical R is refused, and the equation is the one *without* the
//     cofactor 8: what holds only after multiplying by 8 is refused.
// Not required: that A or R lie in the prime-order group. A key with a torsion component is
// accepted when rule 5 holds; such a key can be made only by its own holder, on purpose.
[[nodiscard]] bool verify(const PublicKey& key, ByteView message, const Signature& signature);

// Checks a known answer and known refusals (S + L, small order, flipped bits) of signing and
// verifying, so that a miscompiled or replaced libsodium stops the daemon instead of accepting
// forgeries. Errors: crypto.self-test. Takes about a millisecond; thread-safe.
[[nodiscard]] Result<void> self_test();

}  // namespace chapterd
