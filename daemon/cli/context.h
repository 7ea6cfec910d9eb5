// What a command works with: what was given, the configuration, the node, and where answers go.
#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "config/load.h"
#include "daemon/cli/command_line.h"
#include "daemon/cli/files.h"
#include "daemon/cli/output.h"
#include "daemon/control/caller.h"
#include "domain/kind.h"

#include <nlohmann/json_fwd.hpp>

#include <functional>
#include <iosfwd>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace chapterd {

// What founding a federation needs to know.
struct FoundingWords {
  std::string federation;
  std::string code;
  std::string chapter;
  std::string node;
};

// The ways out of the command line into the rest of the daemon. main() hands in the real ones,
// tests their own.
struct Doors {
  // The running daemon, else the opened folder itself.
  std::function<Result<std::unique_ptr<Caller>>(const Config&)> reach;
  // Whether a daemon answers, without touching the folder.
  std::function<bool(const Config&)> daemon_answers;
  std::function<Result<nlohmann::json>(const Config&, const FoundingWords&)> found;
  std::function<Result<nlohmann::json>(const Config&, const std::string&, const std::string&)>
      prepare_join;  // invite, name of the node
  std::function<Result<nlohmann::json>(const Config&, const Bytes&)> finish_join;
  std::function<Result<nlohmann::json>(const Config&, const std::string&, const std::string&)>
      join_online;
  std::function<Result<void>(const Config&)> run;
  // Work on the folder or on files that needs no node to ask (operations/folder_work.h).
  std::function<Result<nlohmann::json>(const Config&, std::string_view, const nlohmann::json&)>
      folder_work;
  // What counts for keys from now on: a passphrase, and that a new node starts without it.
  std::function<void(const std::string&)> say_passphrase;
  std::function<void()> say_unattended;
  std::function<Result<nlohmann::json>(const Config&, const nlohmann::json& facts)> show_kit;
  std::function<Result<nlohmann::json>(const Config&, const std::vector<std::string>& codes)>
      restore_kit;
};

// The world around one call of the program.
struct Surroundings {
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
  Terminal terminal;
  std::map<std::string, std::string> environment;
  std::string host_name;  // preset name of a node
};

// Everything must outlive it.
class Context {
 public:
  Context(const Doors& doors,
          const Surroundings& around,
          Output& output,
          const Kinds& kinds,
          const std::vector<Command>& table);

  const Doors& doors;
  const Surroundings& around;
  Output& output;
  const Kinds& kinds;
  const std::vector<Command>& table;
  Given given;
  Loaded loaded;                      // the configuration, when the command needs one
  std::string config_file;            // where it was read, empty when there is none
  std::optional<Error> config_error;  // only where the command bears with it

  [[nodiscard]] const Config& config() const { return loaded.config; }

  // One verb of the node; connects at the first.
  [[nodiscard]] Result<nlohmann::json> call(std::string_view verb, const nlohmann::json& args);

  // Lets go of the node, and with it of the folder when no daemon runs.
  void let_go() { node_.reset(); }

  // read_text_file(), with stdin for "-".
  [[nodiscard]] Result<std::string> read_text(const std::string& path) const;
  // Where a result goes, made before it is asked for; nothing for "-", which is stdout. Errors:
  // those of NewFile::make().
  [[nodiscard]] Result<std::optional<NewFile>> new_file(const std::string& path) const;
  [[nodiscard]] Result<void> write_text(std::optional<NewFile>& file, const std::string& text);

  // A command to give next, on the same folder: "chapterd --data DIR run".
  [[nodiscard]] std::string command(std::string_view words) const;

  // Asks for a yes unless --yes was given. Errors: cli.needs-yes (needs_person) without a terminal,
  // cli.said-no.
  [[nodiscard]] Result<void> confirm(const std::string& question);

 private:
  std::unique_ptr<Caller> node_;
};

}  // namespace chapterd
