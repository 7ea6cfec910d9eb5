// A value or a four-part error: what happened, what is safe, what to do next, a code to quote.
#pragma once

#include <tl/expected.hpp>

#include <string>
#include <utility>

namespace chapterd {

// What class of trouble an error belongs to. Upper floors map these to exit codes and HTTP
// statuses.
enum class Errc {
  failed,          // it was tried and did not work
  usage,           // the request itself makes no sense
  malformed,       // bytes that break a written format
  not_found,       // no such record, feed, file, peer
  not_allowed,     // known, but this caller or peer may not
  needs_person,    // a decision that software must not take
  check_failed,    // verification found something wrong
  gave_up,         // waiting ended before the answer came; the work is safe
  not_compatible,  // versions do not fit
  unreachable,     // no daemon, no peer, no network
  disk,            // disk full, read-only or otherwise refusing
};

// A fault described where it was found. `code` is stable and never translated; the three
// sentences are for people and may be empty when a lower floor cannot know them.
struct Error {
  Error(Errc kind_,
        std::string code_,
        std::string what_,
        std::string safe_ = {},
        std::string next_ = {})
      : kind(kind_),
        code(std::move(code_)),
        what(std::move(what_)),
        safe(std::move(safe_)),
        next(std::move(next_)) {}

  Errc kind;
  std::string code;  // "store.newer-schema"
  std::string what;  // what happened
  std::string safe;  // what is still safe
  std::string next;  // what to do now
};

// The only file that knows which expected<> stands behind Result.
template <class T>
using Result = tl::expected<T, Error>;

// Makes the error side of any Result.
[[nodiscard]] inline tl::unexpected<Error> fail(Error error) {
  return tl::unexpected<Error>(std::move(error));
}

[[nodiscard]] inline tl::unexpected<Error> fail(
    Errc kind, std::string code, std::string what, std::string safe = {}, std::string next = {}) {
  return tl::unexpected<Error>(
      Error(kind, std::move(code), std::move(what), std::move(safe), std::move(next)));
}

// Re-wraps the error of one Result for another value type.
template <class T>
[[nodiscard]] tl::unexpected<Error> forward(const Result<T>& result) {
  return tl::unexpected<Error>(result.error());
}

}  // namespace chapterd
