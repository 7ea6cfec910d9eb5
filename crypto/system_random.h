// The operating system's randomness, and what must run once before anything else of this floor.
#pragma once

#include "base/random.h"
#include "base/result.h"

#include <cstdint>
#include <span>

namespace chapterd {

// Cryptographic randomness (libsodium manual, randombytes_buf: getrandom(2) on Linux).
// Thread-safe. Aborts the process when the system has none to give, as libsodium does.
class SystemRandom : public Random {
 public:
  void fill(std::span<std::uint8_t> out) override;
};

// Starts libsodium and runs self_test(). Called once, before other threads start; again does no
// harm. Errors: crypto.start, crypto.self-test; the daemon must not go on after either.
[[nodiscard]] Result<void> start_crypto();

}  // namespace chapterd
