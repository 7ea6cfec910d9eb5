// Structured log lines on stderr. A line is an event code and typed fields; there is no free text,
// so that no title, name or draft can get into a log.
#pragma once

#include "config/config.h"
#include "crypto/signature.h"

#include <chrono>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace chapterd::log {

// A field's value, already as text. Made only from what cannot hold anything personal.
class Value {
 public:
  template <std::integral T>
  Value(T number) : text_(std::to_string(number)), is_number_(true) {}  // NOLINT: wanted

  // Milliseconds.
  Value(std::chrono::milliseconds duration)  // NOLINT: wanted
      : text_(std::to_string(duration.count())), is_number_(true) {}

  // Fingerprint: the first eight hex digits.
  Value(const PublicKey& key);  // NOLINT: wanted

  [[nodiscard]] const std::string& text() const { return text_; }

  [[nodiscard]] bool is_number() const { return is_number_; }

 private:
  friend Value code(std::string_view text);
  friend Value chapter(std::string_view text);

  explicit Value(std::string text) : text_(std::move(text)) {}

  std::string text_;
  bool is_number_ = false;
};

// A stable code such as "store.disk-full". At most 60 characters; whatever is not a lower-case
// letter, digit, dot or dash becomes '?', since codes also come from peers.
[[nodiscard]] Value code(std::string_view text);

// A chapter's code such as "KE-17". At most 20 characters; whatever is not a letter, digit or dash
// becomes '?'.
[[nodiscard]] Value chapter(std::string_view text);

struct Field {
  const char* name;  // a literal
  Value value;
};

using Fields = std::initializer_list<Field>;

// Called once, before other threads start. Automatic format: text on a terminal, otherwise a JSON
// object a line.
void start(const Config::Log& config);

// One line each, written with one call; below the configured level nothing happens. Thread-safe.
// `event` is a literal such as "link.open".
void error(const char* event, Fields fields);
void warn(const char* event, Fields fields);
void info(const char* event, Fields fields);
void debug(const char* event, Fields fields);

// How a line looks, for tests: without a time when `time_ms` is negative.
[[nodiscard]] std::string line(
    LogLevel level, LogFormat format, std::int64_t time_ms, const char* event, Fields fields);

}  // namespace chapterd::log
