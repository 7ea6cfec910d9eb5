// BLAKE2b-256 over a label and a message: the only hash of the project.
#pragma once

#include "base/bytes.h"

#include <sodium/crypto_generichash_blake2b.h>

#include <cstdint>
#include <span>
#include <string_view>

namespace chapterd {

using Digest = Fixed<32, struct DigestTag>;

// Hashes a message given in parts (RFC 7693, unkeyed). Every message begins with a label and one
// zero byte, so that bytes hashed for one purpose never mean anything for another; labels are
// constants such as "chapterd/entry/1" and hold no zero byte themselves. Parts are not delimited:
// callers add a length before whatever can vary in length. Allocates nothing; one object belongs
// to one thread.
class Hasher {
 public:
  explicit Hasher(std::string_view label);

  Hasher& add(ByteView part);

  template <std::size_t N, class Tag>
  Hasher& add(const Fixed<N, Tag>& part) {
    return add(part.view());
  }

  Hasher& u8(std::uint8_t value);
  // Eight bytes, big endian.
  Hasher& u64(std::uint64_t value);

  // The digest of everything added. Ends the object: nothing may be added or asked for after it.
  [[nodiscard]] Digest finish();

  // The same 32 bytes as finish(), under another name of type.
  template <class F>
  [[nodiscard]] F finish_as() {
    static_assert(F::size == Digest::size);
    F value;
    value.bytes = finish().bytes;
    return value;
  }

 private:
  crypto_generichash_blake2b_state state_;
};

// Hasher(label).add(message).finish() in one call. Thread-safe.
[[nodiscard]] Digest hash(std::string_view label, ByteView message);

// BLAKE2b with 16 to 64 bytes of output over label, zero byte, message. An output of another
// length is another hash, not a piece of this one. Thread-safe.
void hash_into(std::span<std::uint8_t> out, std::string_view label, ByteView message);

// hash_into() for a Fixed of any tag, 16 to 64 bytes long.
template <class F>
[[nodiscard]] F hash_as(std::string_view label, ByteView message) {
  static_assert(F::size >= crypto_generichash_blake2b_BYTES_MIN);
  static_assert(F::size <= crypto_generichash_blake2b_BYTES_MAX);
  F value;
  hash_into(value.bytes, label, message);
  return value;
}

}  // namespace chapterd
