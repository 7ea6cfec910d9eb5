// The streams, and errors in four parts.
#include "daemon/cli/output.h"

#include "daemon/control/wire.h"

#include <nlohmann/json.hpp>

#include <ostream>

namespace chapterd {
namespace {

std::string_view escape_of(Shade shade) {
  switch (shade) {
    case Shade::plain:
      return "";
    case Shade::strong:
      return "\033[1m";
    case Shade::faint:
      return "\033[2m";
    case Shade::good:
      return "\033[32m";
    case Shade::waits:
      return "\033[33m";
    case Shade::bad:
      return "\033[31m";
  }
  return "";
}

// What a lower floor could not know.
std::string_view usual_safe(Errc kind) {
  switch (kind) {
    case Errc::usage:
      return "Nothing was done.";
    case Errc::gave_up:
    case Errc::unreachable:
      return "Everything that was saved before is safe on this disk.";
    default:
      return "Nothing was changed.";
  }
}

std::string_view usual_next(Errc kind) {
  switch (kind) {
    case Errc::usage:
      return "See: chapterd --help";
    case Errc::unreachable:
      return "Look at: chapterd status";
    case Errc::disk:
      return "Make room on the disk, then try again.";
    default:
      return "If it stays, quote the code below to whoever helps you.";
  }
}

Error completed(Error error) {
  if (error.what.empty()) error.what = "It did not work.";
  if (error.safe.empty()) error.safe = usual_safe(error.kind);
  if (error.next.empty()) error.next = usual_next(error.kind);
  return error;
}

}  // namespace

int exit_code(Errc kind) {
  switch (kind) {
    case Errc::failed:
    case Errc::malformed:
    case Errc::disk:
      return 1;
    case Errc::usage:
      return 2;
    case Errc::unreachable:
      return 3;
    case Errc::not_found:
      return 4;
    case Errc::not_allowed:
      return 5;
    case Errc::needs_person:
      return 6;
    case Errc::check_failed:
      return 7;
    case Errc::gave_up:
      return 8;
    case Errc::not_compatible:
      return 9;
  }
  return 1;
}

Output::Output(std::ostream& out, std::ostream& err, Terminal terminal)
    : out_(out), err_(err), terminal_(terminal) {}

void Output::name_folder(std::string folder, std::set<std::string> commands) {
  // As a shell reads it.
  for (std::size_t at = folder.find('\''); at != std::string::npos; at = folder.find('\'', at + 4))
    folder.replace(at, 1, "'\\''");
  folder_ = "'" + folder + "'";
  commands_ = std::move(commands);
}

std::string Output::hint(std::string_view text) const {
  constexpr std::string_view program = "chapterd ";
  std::string whole;
  for (auto at = text.find(program); at != std::string_view::npos; at = text.find(program)) {
    const std::string_view before = text.substr(0, at);
    const bool is_elsewhere = before.ends_with("there: ") || before.ends_with("There: ");
    whole += before;
    whole += program;
    text.remove_prefix(at + program.size());
    const auto end = text.find_first_not_of("abcdefghijklmnopqrstuvwxyz-");
    const bool is_command = commands_.contains(std::string(text.substr(0, end)));
    if (is_command && !is_elsewhere) whole += "--data " + folder_ + " ";
  }
  return whole += text;
}

bool Output::answer(const nlohmann::json& answer) {
  if (!manner_.json) return false;
  out_ << answer.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << '\n';
  return true;
}

void Output::print(std::string_view text) {
  out_ << text;
  if (text.empty() || text.back() != '\n') out_ << '\n';
}

void Output::say(std::string_view text) {
  if (manner_.quiet || manner_.json) return;
  out_.flush();
  err_ << plain(hint(text), Keep::line_ends) << std::endl;
}

void Output::detail(std::string_view text) {
  if (manner_.verbose) say(text);
}

void Output::ask(std::string_view question) {
  out_.flush();
  err_ << plain(question) << std::flush;
}

void Output::error(const Error& bare) {
  Error error = completed(bare);
  error.next = hint(error.next);
  out_.flush();
  if (manner_.json) {
    nlohmann::json json = {{"error", control::to_json(error)}};
    json["error"]["exit"] = exit_code(error.kind);
    err_ << json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << std::endl;
    return;
  }
  const bool colour = terminal_.err && terminal_.colour;
  const std::string_view red = colour ? escape_of(Shade::bad) : "";
  const std::string_view faint = colour ? escape_of(Shade::faint) : "";
  const std::string_view off = colour ? "\033[0m" : "";
  err_ << red << "chapterd: " << off << plain(error.what, Keep::line_ends)
       << "\n  Safe: " << plain(error.safe, Keep::line_ends)
       << "\n  Next: " << plain(error.next, Keep::line_ends) << faint
       << "\n  Code: " << plain(error.code) << off << std::endl;
}

bool Output::flush() {
  out_.flush();
  return out_.good();
}

std::string Output::paint(Shade shade, std::string_view text) const {
  if (!terminal_.out || !terminal_.colour || shade == Shade::plain) return std::string(text);
  return std::string(escape_of(shade)) + std::string(text) + "\033[0m";
}

}  // namespace chapterd
