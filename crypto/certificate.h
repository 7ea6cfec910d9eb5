// X.509 certificates as an envelope for a node's key: TLS wants one, nobody believes what it says.
#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/node_key.h"
#include "crypto/signature.h"

namespace chapterd {

// The longest certificate that certificate_key() looks at; ours have about 220 bytes.
inline constexpr std::size_t most_certificate_bytes = 4096;

// A minimal self-signed X.509 v3 certificate in DER (RFC 5280, RFC 8410): serial 1, subject and
// issuer CN=chapterd, valid from 1970-01-01 to 9999-12-31, no extensions. The same key always
// gives the same bytes. Errors: certificate.make, when OpenSSL does not read what was made
// (a wrong library, not a wrong key). Thread-safe.
[[nodiscard]] Result<Bytes> self_signed_certificate(const SigningKey& key);

// The Ed25519 key inside a peer's certificate. Strict about the envelope: at most 4 KiB, one
// certificate, nothing behind it, a key of Ed25519 written as RFC 8410 has it and no other
// algorithm. Judges nothing else: names, dates and the certificate's own signature are never looked
// at, because the TLS handshake proves possession of the key and the authority statements say whose
// it is. Errors: certificate.too-big, certificate.malformed, certificate.not-ed25519. Thread-safe.
[[nodiscard]] Result<PublicKey> certificate_key(ByteView der);

}  // namespace chapterd
