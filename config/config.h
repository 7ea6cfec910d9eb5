// The checked values that a node runs with. Made by load(); a plain Config{} holds the defaults.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace chapterd {

struct Setting;

// In the order of the words that settings.cpp allows.
enum class LogLevel { error, warn, info, debug };
enum class LogFormat { automatic, text, json };

// What each key means, its unit and its range stand in settings.cpp, a row a key.
struct Config {
  struct Node {
    std::string data;  // folder; never empty after load()
  } node;

  struct Sync {
    std::string listen = "127.0.0.1:7468";  // empty: do not listen
    std::vector<std::string> parents;       // host:port, tried in this order; key sync.parent
    std::vector<std::string> ancestors;     // host:port of nodes further up
    std::uint64_t retry_min_s = 5;
    std::uint64_t retry_max_s = 900;
    std::uint64_t budget_session_bytes = 0;  // 0: none
    std::uint64_t budget_day_bytes = 0;      // 0: none
    std::uint64_t ping_s = 15;
    std::uint64_t dead_s = 45;
  } sync;

  struct Store {
    std::uint64_t disk_low_bytes = std::uint64_t{64} << 20U;
  } store;

  struct Log {
    LogLevel level = LogLevel::info;
    LogFormat format = LogFormat::automatic;
  } log;

  struct Control {
    std::string socket;  // path; never empty after load()
  } control;
};

// A host and a port of "host:port" or "[v6]:port", as sync.listen and sync.parent hold them.
struct HostPort {
  std::string host;  // without brackets
  std::uint16_t port = 0;
};

// For a checked address; an unchecked one that is malformed gives an empty host.
[[nodiscard]] HostPort split_address(std::string_view address);

// Puts a value written as text into its place. False, and nothing changed, when the setting does
// not allow it. Several addresses are parted by commas.
[[nodiscard]] bool assign(const Setting& setting, std::string_view text, Config& into);

// The value as assign() would take it.
[[nodiscard]] std::string text_of(const Setting& setting, const Config& config);

}  // namespace chapterd
