// The node, files and questions, as every command uses them.
#include "daemon/cli/context.h"

#include "daemon/cli/secret_input.h"
#include "daemon/cli/waiting.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cctype>
#include <istream>
#include <utility>

namespace chapterd {
namespace {

constexpr std::string_view folder_in_use = "folder.in-use";
constexpr std::uint64_t starting_s = 5;

}  // namespace

Context::Context(const Doors& doors_,
                 const Surroundings& around_,
                 Output& output_,
                 const Kinds& kinds_,
                 const std::vector<Command>& table_)
    : doors(doors_), around(around_), output(output_), kinds(kinds_), table(table_) {}

Result<nlohmann::json> Context::call(std::string_view verb, const nlohmann::json& args) {
  if (node_ == nullptr) {
    // A daemon that is just starting holds the folder before it answers.
    auto reached = doors.reach(config());
    const auto answered = poll(starting_s, [&]() -> Result<bool> {
      if (!reached && reached.error().code == folder_in_use) reached = doors.reach(config());
      return reached || reached.error().code != folder_in_use;
    });
    if (answered && !reached && asked_passphrase(*this, reached.error()))
      reached = doors.reach(config());
    if (!answered || !reached) return forward(reached);
    node_ = std::move(*reached);
  }
  return node_->call(verb, args);
}

Result<std::string> Context::read_text(const std::string& path) const {
  return read_text_file(path, around.in);
}

Result<std::optional<NewFile>> Context::new_file(const std::string& path) const {
  if (path == "-") return std::nullopt;
  auto file = NewFile::make(path);
  if (!file) return forward(file);
  return std::optional<NewFile>(std::move(*file));
}

Result<void> Context::write_text(std::optional<NewFile>& file, const std::string& text) {
  if (file) return file->write(text);
  output.print(text);
  return {};
}

std::string Context::command(std::string_view words) const {
  return output.hint("chapterd " + std::string(words));
}

Result<void> Context::confirm(const std::string& question) {
  if (given.has("yes")) return {};
  if (!output.terminal().in) {
    return fail(Errc::needs_person, "cli.needs-yes",
                question + " This needs a yes, and there is no terminal to ask on.",
                "Nothing was changed.", "Say so on the line: --yes");
  }
  output.ask(question + " [y/N] ");
  std::string line;
  std::getline(around.in, line);
  std::erase_if(line, [](char c) { return c == ' ' || c == '\t' || c == '\r'; });
  std::ranges::transform(line, line.begin(), [](unsigned char c) { return std::tolower(c); });
  if (line == "y" || line == "yes") return {};
  return fail(Errc::needs_person, "cli.said-no", "You did not say yes.", "Nothing was changed.",
              "Give the command again when you are sure.");
}

}  // namespace chapterd
