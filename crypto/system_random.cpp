// Chance from the operating system, and the start of libsodium.
#include "crypto/system_random.h"

#include "crypto/signature.h"

#include <sodium/core.h>
#include <sodium/randombytes.h>

namespace chapterd {

void SystemRandom::fill(std::span<std::uint8_t> out) {
  if (!out.empty()) randombytes_buf(out.data(), out.size());
}

Result<void> start_crypto() {
  if (sodium_init() < 0) {
    return fail(Errc::failed, "crypto.start",
                "The cryptography library libsodium did not start on this machine.",
                "Nothing was read, changed or sent.",
                "Check that /dev/urandom exists and can be read, then start chapterd again.");
  }
  return self_test();
}

}  // namespace chapterd
