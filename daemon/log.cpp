// Wording and writing of log lines.
#include "daemon/log.h"

#include "daemon/system_clock.h"

#include <algorithm>
#include <atomic>
#include <ctime>
#include <mutex>
#include <unistd.h>

namespace chapterd::log {
namespace {

constexpr std::size_t most_code = 60;
constexpr std::size_t most_chapter = 20;
constexpr std::size_t fingerprint_bytes = 4;

std::atomic<LogLevel> wanted_level = LogLevel::info;
std::atomic<LogFormat> wanted_format = LogFormat::text;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}

bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}

template <class Allowed>
std::string cleaned(std::string_view text, std::size_t most, Allowed allowed) {
  std::string clean(text.substr(0, most));
  std::replace_if(
      clean.begin(), clean.end(), [&](char c) { return !allowed(c); }, '?');
  return clean;
}

const char* word_of(LogLevel level) {
  switch (level) {
    case LogLevel::error:
      return "error";
    case LogLevel::warn:
      return "warn";
    case LogLevel::info:
      return "info";
    case LogLevel::debug:
      return "debug";
  }
  return "error";
}

// RFC 3339 in UTC, with milliseconds.
std::string date_of(std::int64_t time_ms) {
  const std::time_t seconds = time_ms / 1000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[32];
  const std::size_t size = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S.", &parts);
  const std::string thousandths = std::to_string(1000 + time_ms % 1000);
  return std::string(text, size) + thousandths.substr(1) + "Z";
}

std::string json_line(LogLevel level, std::int64_t time_ms, const char* event, Fields fields) {
  // No value needs escaping: Value lets no such character in.
  std::string line = "{";
  if (time_ms >= 0) line += "\"time\":\"" + date_of(time_ms) + "\",";
  line += std::string("\"level\":\"") + word_of(level) + "\",\"event\":\"" + event + '"';
  for (const Field& field : fields) {
    const char* quote = field.value.is_number() ? "" : "\"";
    line += std::string(",\"") + field.name + "\":" + quote + field.value.text() + quote;
  }
  return line + "}\n";
}

std::string text_line(LogLevel level, std::int64_t time_ms, const char* event, Fields fields) {
  std::string line;
  if (time_ms >= 0) line += date_of(time_ms) + ' ';
  line += std::string(word_of(level)) + ' ' + event;
  for (const Field& field : fields)
    line += std::string(" ") + field.name + '=' + field.value.text();
  return line + '\n';
}

void put(LogLevel level, const char* event, Fields fields) {
  if (level > wanted_level.load(std::memory_order_relaxed)) return;
  const std::string text = line(level, wanted_format.load(std::memory_order_relaxed),
                                SystemClock().now().ms, event, fields);
  static std::mutex mutex;  // lines of two threads must not run into each other
  const std::lock_guard lock(mutex);
  std::string_view rest = text;
  while (!rest.empty()) {
    const ssize_t count = ::write(STDERR_FILENO, rest.data(), rest.size());
    if (count <= 0) return;  // nobody listens: there is no better place to say so
    rest.remove_prefix(static_cast<std::size_t>(count));
  }
}

}  // namespace

Value::Value(const PublicKey& key) : text_(to_hex(key.view().first(fingerprint_bytes))) {}

Value code(std::string_view text) {
  return Value(cleaned(text, most_code,
                       [](char c) { return is_lower(c) || is_digit(c) || c == '.' || c == '-'; }));
}

Value chapter(std::string_view text) {
  return Value(cleaned(text, most_chapter, [](char c) {
    return is_lower(c) || is_upper(c) || is_digit(c) || c == '-';
  }));
}

void start(const Config::Log& config) {
  LogFormat format = config.format;
  if (format == LogFormat::automatic)
    format = ::isatty(STDERR_FILENO) == 1 ? LogFormat::text : LogFormat::json;
  wanted_level = config.level;
  wanted_format = format;
}

std::string line(
    LogLevel level, LogFormat format, std::int64_t time_ms, const char* event, Fields fields) {
  return format == LogFormat::json ? json_line(level, time_ms, event, fields)
                                   : text_line(level, time_ms, event, fields);
}

void error(const char* event, Fields fields) {
  put(LogLevel::error, event, fields);
}

void warn(const char* event, Fields fields) {
  put(LogLevel::warn, event, fields);
}

void info(const char* event, Fields fields) {
  put(LogLevel::info, event, fields);
}

void debug(const char* event, Fields fields) {
  put(LogLevel::debug, event, fields);
}

}  // namespace chapterd::log
