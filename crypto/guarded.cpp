// Memory for secrets.
#include "crypto/guarded.h"

#include "base/contract.h"

#include <sodium/core.h>
#include <sodium/utils.h>

#include <new>

namespace chapterd {

GuardedBytes::GuardedBytes(std::size_t size) : size_(size) {
  // sodium_malloc needs the page size that sodium_init() learns; a second call costs a lock.
  CHECK(sodium_init() >= 0);
  memory_.reset(static_cast<std::uint8_t*>(sodium_malloc(size)));
  if (!memory_) throw std::bad_alloc();
  sodium_memzero(memory_.get(), size);  // sodium_malloc fills with 0xDB
}

void GuardedBytes::Free::operator()(std::uint8_t* memory) const {
  sodium_free(memory);
}

void wipe(Bytes& secret) {
  sodium_memzero(secret.data(), secret.size());
  secret.clear();
}

void wipe(std::span<std::uint8_t> secret) {
  sodium_memzero(secret.data(), secret.size());
}

}  // namespace chapterd
