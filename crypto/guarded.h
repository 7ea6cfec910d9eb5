// Secret bytes in memory that is kept apart from everything else.
#pragma once

#include "base/bytes.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace chapterd {

// A fixed number of secret bytes from sodium_malloc (libsodium manual, "Secure memory"): guard
// pages around it, kept out of core dumps, kept from swap where the system allows that much
// locked memory, zeroed when freed. It stays readable all the time: two system calls for each of
// ten thousand signatures a second would cost more than they protect. Move-only; a moved-from
// object is empty. Reading is thread-safe. Throws std::bad_alloc when there is no memory.
class GuardedBytes {
 public:
  // All zeros.
  explicit GuardedBytes(std::size_t size);

  [[nodiscard]] ByteView view() const { return {memory_.get(), size_of()}; }

  [[nodiscard]] std::span<std::uint8_t> writable() { return {memory_.get(), size_of()}; }

 private:
  struct Free {
    void operator()(std::uint8_t* memory) const;
  };

  [[nodiscard]] std::size_t size_of() const { return memory_ ? size_ : 0; }

  std::unique_ptr<std::uint8_t[], Free> memory_;
  std::size_t size_;
};

// Overwrites a secret in ordinary memory in a way that no compiler removes, and empties it.
void wipe(Bytes& secret);
// The same for a piece of memory of fixed size, which is left zeroed.
void wipe(std::span<std::uint8_t> secret);

}  // namespace chapterd
