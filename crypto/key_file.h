// Secret keys at rest: the bytes of a key file. Reading and writing the file is the daemon's work.
//
// Version 1 is exactly 115 bytes; integers are big-endian:
//
//   offset length
//        0      8  magic "CHPTRKEY"
//        8      1  version: 1
//        9      1  purpose: 1 node, 2 authority, 3 chapter, 4 a backup
//       10      1  protection: 1 machine, 2 passphrase
//       11      4  Argon2id memory in KiB, 8 to 1048576; 0 when machine-bound
//       15      4  Argon2id passes, 1 to 16; 0 when machine-bound
//       19     16  salt, random
//       35     24  nonce, random
//       59     48  XChaCha20-Poly1305 of the 32-byte seed; associated data: bytes 0 to 58
//      107      8  the first bytes of BLAKE2b-256("chapterd/key-file-check/1\0" | bytes 0 to 106)
//
// The key that wraps the seed:
//   passphrase  Argon2id (RFC 9106, version 0x13, one lane, 32 bytes) of the passphrase's bytes
//   machine     BLAKE2b-256("chapterd/key-file-machine/1\0" | salt | the 32-byte machine secret)
// The check value secures nothing, since anyone can compute it: it tells a file that a bad disk
// changed from a passphrase that somebody mistyped. Newer versions keep the first nine bytes.
#pragma once

#include "base/bytes.h"
#include "base/random.h"
#include "base/result.h"

#include <cstdint>
#include <optional>
#include <string_view>

namespace chapterd {

enum class KeyPurpose : std::uint8_t { node = 1, authority = 2, chapter = 3, backup = 4 };

enum class Protection : std::uint8_t { machine = 1, passphrase = 2 };

// What one guess at a passphrase costs. The defaults (RFC 9106, section 4, second choice: 64 MiB
// and three passes) take about 0.1 s on the two-core build machine; only tests choose less.
struct Argon2Cost {
  std::uint32_t memory_kib = 64 * 1024;
  std::uint32_t passes = 3;
};

// A file that asks for more than this is refused before anything is allocated.
inline constexpr Argon2Cost most_argon2_cost = {1024 * 1024, 16};

inline constexpr std::size_t key_file_bytes = 115;
inline constexpr std::size_t machine_secret_bytes = 32;

// How to protect a new file. Borrows the secret handed in, which must outlive it.
class Wrapping {
 public:
  // The passphrase counts byte for byte: no trimming, no Unicode normalisation. Whether it is
  // long enough is the caller's to judge. A cost out of bounds is a broken contract.
  [[nodiscard]] static Wrapping with_passphrase(std::string_view passphrase, Argon2Cost cost);
  [[nodiscard]] static Wrapping with_passphrase(std::string_view passphrase);
  // 32 random bytes that stay on one machine; another length is a broken contract.
  [[nodiscard]] static Wrapping with_machine(ByteView machine_secret);

  [[nodiscard]] Protection protection() const { return protection_; }

  [[nodiscard]] ByteView secret() const { return secret_; }

  // Zeros when machine-bound.
  [[nodiscard]] Argon2Cost cost() const { return cost_; }

 private:
  Wrapping(Protection protection, ByteView secret, Argon2Cost cost)
      : protection_(protection), secret_(secret), cost_(cost) {}

  Protection protection_;
  ByteView secret_;
  Argon2Cost cost_;
};

// What the caller has at hand to open a file: either, or both. Borrowed.
struct Unwrapping {
  std::optional<std::string_view> passphrase;
  std::optional<ByteView> machine_secret;
};

// The file's bytes for a 32-byte seed (another length is a broken contract). Takes as long, and as
// much memory, as the cost says; throws std::bad_alloc when there is not that much.
[[nodiscard]] Bytes encode_key_file(KeyPurpose purpose,
                                    ByteView seed,
                                    const Wrapping& wrapping,
                                    Random& random);

// How the file is protected, so that the daemon knows whether to ask for a passphrase. Cheap.
// Errors: key.damaged, key.newer-version, key.wrong-purpose, key.too-costly.
[[nodiscard]] Result<Protection> key_file_protection(KeyPurpose purpose, ByteView file);

// The 32-byte seed; the caller moves it into a key and wipe()s it. Costs what the file says,
// up to most_argon2_cost. A passphrase also opens what was made of it with the end of a line that
// Windows writes behind it, as earlier releases took it from a file. Thread-safe. Errors, beside
// those of key_file_protection():
//   key.wrong-passphrase          the file is whole, but this passphrase does not open it
//   key.other-machine             the file is whole, but was bound to another machine secret
//   key.passphrase-needed         it is protected by a passphrase and none was handed in
//   key.machine-secret-needed     it is bound to a machine and no machine secret was handed in
//   key.no-memory                 not enough memory for Argon2id here and now
[[nodiscard]] Result<Bytes> decode_key_file(KeyPurpose purpose,
                                            ByteView file,
                                            const Unwrapping& unwrapping);

}  // namespace chapterd
