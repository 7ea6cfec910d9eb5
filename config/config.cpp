// From text to checked values and back.
#include "config/config.h"

#include "config/settings.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>
#include <variant>

namespace chapterd {
namespace {

template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};
template <class... F>
Overloaded(F...) -> Overloaded<F...>;  // clang 14 cannot deduce it

// The whole of the text as a decimal number; empty for signs, spaces and anything else.
std::optional<std::uint64_t> number_in(std::string_view text) {
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, trouble] = std::from_chars(text.data(), end, number);
  if (trouble != std::errc{} || stopped != end) return std::nullopt;
  return number;
}

bool is_host(std::string_view host, bool bracketed) {
  constexpr std::string_view in_names = "-._";
  constexpr std::string_view in_v6 = ":.%";
  constexpr std::size_t longest = 253;  // RFC 1035 2.3.4, written out
  const std::string_view marks = bracketed ? in_v6 : in_names;
  return !host.empty() && host.size() <= longest && std::ranges::all_of(host, [&](char c) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const bool digit = c >= '0' && c <= '9';
    return letter || digit || marks.find(c) != std::string_view::npos;
  });
}

std::optional<HostPort> parse_address(std::string_view address, std::uint16_t least_port) {
  const std::size_t colon = address.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = address.substr(0, colon);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  const auto port = number_in(address.substr(colon + 1));
  if (!port || *port < least_port || *port > 65535 || !is_host(host, bracketed)) {
    return std::nullopt;
  }
  return HostPort{std::string(host), static_cast<std::uint16_t>(*port)};
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

// Empty when one of them is malformed; no text is no addresses.
std::optional<std::vector<std::string>> parse_addresses(std::string_view text) {
  std::vector<std::string> found;
  if (trimmed(text).empty()) return found;
  for (;;) {
    const std::size_t comma = text.find(',');
    const std::string_view one = trimmed(text.substr(0, comma));
    if (!parse_address(one, 1)) return std::nullopt;
    found.emplace_back(one);
    if (comma == std::string_view::npos) return found;
    text.remove_prefix(comma + 1);
  }
}

bool assign_number(const Setting& setting, std::string_view text, std::uint64_t& into) {
  const auto number = number_in(text);
  if (!number || *number < setting.least || *number > setting.most) return false;
  into = *number;
  return true;
}

bool assign_text(const Setting& setting, std::string_view text, std::string& into) {
  if (setting.type == SettingType::path) {
    if (text.find('\0') != std::string_view::npos) return false;
    if (text.starts_with('~') && !text.starts_with("~/")) return false;  // ~somebody, or ~ alone
  } else if (!text.empty() && !parse_address(text, 0)) {
    return false;
  }
  into = text;
  return true;
}

template <class Enum>
bool assign_choice(const Setting& setting, std::string_view text, Enum& into) {
  const auto chosen = std::ranges::find(setting.choices, text);
  if (chosen == setting.choices.end()) return false;
  into = static_cast<Enum>(chosen - setting.choices.begin());
  return true;
}

}  // namespace

HostPort split_address(std::string_view address) {
  return parse_address(address, 0).value_or(HostPort{});
}

bool assign(const Setting& setting, std::string_view text, Config& into) {
  return std::visit(
      Overloaded{
          [&](std::uint64_t* number) { return assign_number(setting, text, *number); },
          [&](std::string* words) { return assign_text(setting, text, *words); },
          [&](std::vector<std::string>* list) {
            auto addresses = parse_addresses(text);
            if (addresses) *list = std::move(*addresses);
            return addresses.has_value();
          },
          [&](auto* choice) { return assign_choice(setting, text, *choice); },
      },
      setting.slot(into));
}

std::string text_of(const Setting& setting, const Config& config) {
  Config copy = config;  // a slot is for writing too
  return std::visit(Overloaded{
                        [](std::uint64_t* number) { return std::to_string(*number); },
                        [](std::string* words) { return *words; },
                        [](std::vector<std::string>* list) {
                          std::string joined;
                          for (const std::string& one : *list) {
                            if (!joined.empty()) joined += ',';
                            joined += one;
                          }
                          return joined;
                        },
                        [&](auto* choice) {
                          return std::string(setting.choices[static_cast<std::size_t>(*choice)]);
                        },
                    },
                    setting.slot(copy));
}

}  // namespace chapterd
