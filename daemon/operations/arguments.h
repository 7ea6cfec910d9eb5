// Reads a verb's arguments strictly: what is missing, of another type or unknown is an error.
#pragma once

#include "base/result.h"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace chapterd {

// The first fault is remembered, and what is read after it is empty: read all, then ask done().
// null counts as absent.
class Arguments {
 public:
  // `args` must outlive it and be an object.
  explicit Arguments(const nlohmann::json& args) : args_(args) {}

  [[nodiscard]] std::string text(std::string_view name);
  [[nodiscard]] std::string text_or(std::string_view name, std::string_view otherwise);
  [[nodiscard]] std::uint64_t number_or(std::string_view name,
                                        std::uint64_t otherwise,
                                        std::uint64_t least,
                                        std::uint64_t most);
  [[nodiscard]] bool flag(std::string_view name);
  // Empty optional when absent.
  [[nodiscard]] std::optional<std::vector<std::string>> texts(std::string_view name);
  // An empty object when absent.
  [[nodiscard]] nlohmann::json object(std::string_view name);

  // Errors (Errc::usage): argument.missing, argument.type, argument.range, argument.unknown.
  [[nodiscard]] Result<void> done();

 private:
  [[nodiscard]] const nlohmann::json* find(std::string_view name);
  void complain(const char* code, std::string what, std::string next);
  void wrong_type(std::string_view name, std::string_view wanted);

  const nlohmann::json& args_;
  std::vector<std::string> known_;
  std::optional<Error> fault_;
};

// For a text shown in an error: short, one line.
[[nodiscard]] std::string shown(std::string_view text);

}  // namespace chapterd
