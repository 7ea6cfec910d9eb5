// The node, files and questions, as every command uses them.
#include "daemon/cli/context.h"

#include "daemon/cli/waiting.h"
#include "replication/format/cbor.h"

#include <nlohmann/json.hpp>

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <istream>
#include <iterator>
#include <unistd.h>

namespace chapterd {
namespace {

constexpr std::string_view folder_in_use = "folder.in-use";
constexpr std::uint64_t starting_s = 5;
constexpr std::size_t longest_text = std::size_t{64} << 20U;

tl::unexpected<Error> no_file(const std::string& path, int reason) {
  return fail(reason == ENOENT ? Errc::not_found : Errc::failed, "cli.no-file",
              "The file “" + path + "” cannot be opened: " + std::strerror(reason) + ".",  // NOLINT
              "Nothing was done.", "Check its name and whether you may use it.");
}

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
    if (!answered || !reached) return forward(reached);
    node_ = std::move(*reached);
  }
  return node_->call(verb, args);
}

Result<std::string> Context::read_text(const std::string& path) const {
  std::string text;
  const auto drain = [&text](std::istream& from) {
    text.assign(std::istreambuf_iterator<char>(from), std::istreambuf_iterator<char>());
  };
  if (path == "-") {
    drain(around.in);
  } else {
    std::ifstream file(path, std::ios::binary);
    if (!file) return no_file(path, errno);
    drain(file);
    if (file.bad()) return no_file(path, EISDIR);
  }
  if (text.size() > longest_text || !is_utf8(text)) {
    return fail(Errc::usage, "cli.not-text", "“" + path + "” is not a text in UTF-8.",
                "Nothing was done.", "Save it as plain text with the encoding UTF-8.");
  }
  return text;
}

Result<void> Context::write_text(const std::string& path, const std::string& text) {
  if (path == "-") {
    output.print(text);
    return {};
  }
  constexpr int owner_only = 0600;
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, owner_only);
  if (file < 0 && errno == EEXIST) {
    return fail(Errc::failed, "cli.file-exists", "The file “" + path + "” is there already.",
                "It was not changed.", "Choose another name with --out FILE, or remove it first.");
  }
  if (file < 0) return no_file(path, errno);
  const bool whole = ::write(file, text.data(), text.size()) == std::ssize(text);
  const bool kept = ::fsync(file) == 0;
  const int reason = errno;
  ::close(file);
  if (whole && kept) return {};
  ::unlink(path.c_str());
  return no_file(path, reason);
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
  if (line == "y" || line == "Y" || line == "yes") return {};
  return fail(Errc::needs_person, "cli.said-no", "You did not say yes.", "Nothing was changed.",
              "Give the command again when you are sure.");
}

}  // namespace chapterd
