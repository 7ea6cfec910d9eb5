// Always-on assertions for programmer errors. Never used on input: bad input gets an Error.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace chapterd {

// Prints where and what, then aborts. Called only by CHECK and UNREACHABLE.
[[noreturn]] inline void contract_failed(const char* file, int line, const char* what) {
  std::fprintf(stderr, "chapterd: %s:%d: contract broken: %s\n", file, line, what);
  std::abort();
}

}  // namespace chapterd

#define CHECK(condition) \
  ((condition) ? static_cast<void>(0) : ::chapterd::contract_failed(__FILE__, __LINE__, #condition))
#define UNREACHABLE(why) ::chapterd::contract_failed(__FILE__, __LINE__, why)
