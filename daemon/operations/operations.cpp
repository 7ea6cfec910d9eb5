// Finding the verb, and what is checked for all of them.
#include "daemon/operations/operations.h"

#include "daemon/control/wire.h"
#include "daemon/operations/arguments.h"
#include "daemon/operations/verbs.h"
#include "domain/names.h"
#include "replication/format/cbor.h"

#include <nlohmann/json.hpp>

#include <array>
#include <string>
#include <vector>

namespace chapterd {
namespace {

using Json = nlohmann::json;

std::vector<Verb> make_table() {
  std::vector<Verb> table;
  for (const auto& family :
       {record_verbs(), reading_verbs(), status_verbs(), invite_verbs(), figure_verbs(),
        check_verbs(), erase_verbs(), quarantine_verbs(), fork_verbs(), bundle_verbs(),
        succession_verbs(), move_verbs(), restore_verbs(), locking_verbs(), kit_verbs()}) {
    table.insert(table.end(), family.begin(), family.end());
  }
  return table;
}

const std::vector<Verb>& all_verbs() {
  static const std::vector<Verb> table = make_table();
  return table;
}

tl::unexpected<Error> unknown_verb(std::string_view name) {
  std::vector<std::string> known;
  for (const Verb& verb : all_verbs()) known.emplace_back(verb.name);
  return fail(Errc::usage, "verb.unknown",
              "There is no verb " + shown(name) + "." + did_you_mean(name.substr(0, 80), known),
              "Nothing was changed.", "Use a command line of the daemon's own version.");
}

std::string mebibytes(std::uint64_t bytes) {
  return std::to_string(bytes >> 20U) + " MiB";
}

Result<void> check_disk(const NodeAccess& node) {
  const auto disk = node.disk();
  if (!disk) return forward(disk);
  if (!disk->is_low) return {};
  return fail(Errc::disk, "disk.low",
              "The disk is nearly full (" + mebibytes(disk->free_bytes) + " are free, and " +
                  mebibytes(disk->least_bytes) + " are kept free), so nothing new is taken.",
              "Everything saved before is safe; reading and deleting still work.",
              "Free some space on the disk, then try again. The limit is explained by: chapterd "
              "config explain store.disk_low_bytes");
}

}  // namespace

Result<Json> perform(NodeAccess& node, std::string_view name, const Json& args) {
  if (!is_utf8(name)) return unknown_verb("?");
  const Verb* found = nullptr;
  for (const Verb& verb : all_verbs()) {
    if (verb.name == name) found = &verb;
  }
  if (found == nullptr) return unknown_verb(name);
  if (!args.is_object()) {
    return fail(Errc::usage, "argument.type", "The arguments must be a map of names to values.",
                "Nothing was changed.", "Correct them and try again.");
  }
  if (auto checked = control::check_texts(args); !checked) return forward(checked);
  if (found->needs == Needs::space) {
    if (auto checked = check_disk(node); !checked) return forward(checked);
  }
  return found->perform(node, args);
}

}  // namespace chapterd
