// Putting a backup back, and what a person says of a node that was restored.
#include "crypto/guarded.h"
#include "crypto/system_random.h"
#include "daemon/operations/arguments.h"
#include "daemon/operations/backup_contents.h"
#include "daemon/operations/backups.h"
#include "daemon/operations/held.h"
#include "daemon/operations/keys.h"
#include "daemon/operations/node_folder.h"
#include "daemon/operations/put_aside.h"
#include "daemon/operations/seen_database.h"
#include "daemon/operations/store_trouble.h"
#include "daemon/operations/verbs.h"
#include "replication/store/folder.h"
#include "replication/store/high_water.h"
#include "replication/store/sqlite/sqlite_reader.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace chapterd {
namespace {

using Json = nlohmann::json;

constexpr std::array database_files{"chapterd.db", "chapterd.db-wal", "chapterd.db-shm"};

bool is_there(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

tl::unexpected<Error> cannot_move(const std::string& path) {
  return fail(Errc::failed, "backup.cannot-restore",
              path + " cannot be moved: " + std::strerror(errno) + ".",
              "The older database and the backup are still there.",
              "Look at the folder's permissions, then give the same command again.");
}

// What the backup would go into.
struct Target {
  DataFolder folder;
  std::string unpacked;  // a folder inside it, with a slash
  KeyParts keys;         // of the backup
};

// The node that a folder belongs to, as far as its database can still tell.
std::optional<PublicKey> node_in(const DataFolder& folder) {
  if (!is_there(folder.database())) return std::nullopt;
  const auto seen = look_into(folder.database());
  return seen ? std::optional(seen->directory.self()) : std::nullopt;
}

Result<void> check_target(const DataFolder& folder, const SeenDatabase& kept, bool replace) {
  const auto node = node_in(folder);
  if (node && *node != kept.directory.self()) {
    return fail(Errc::not_allowed, "backup.other-node",
                "This backup is of another node (" + fingerprint(kept.directory.self()) +
                    ") than the one in this folder (" + fingerprint(*node) + ").",
                "Nothing was changed.", "Restore it into a folder of its own: --data DIR");
  }
  if (!is_there(folder.database()) || replace) return {};
  return fail(Errc::needs_person, "backup.live", "There is a database in this folder already.",
              "Nothing was changed.",
              "To put the backup in its place, say so: --replace. The database that is there now "
              "is kept aside.");
}

// The file beside the database says that there was a newer one, so that the node takes itself for
// restored; revocations that it knew stay in it.
Result<void> note_newer(const DataFolder& folder, Reader& kept) {
  MarkFile file(folder.instance());
  try {
    const auto revocations = file.read_revocations();
    ExportMark mark;
    const auto stored = kept.values(stored_name::instance);
    if (!stored.empty()) {
      if (const auto own = decode_export_mark(stored.front().value)) mark = *own;
    }
    if (const auto before = file.read()) mark.number = std::max(mark.number, before->number);
    mark.number += 1;
    if (file.write(mark, revocations)) return {};
    return fail(Errc::disk, "store.disk-full", "The disk is full.", "Nothing was changed.",
                "Free some space, then try again.");
  } catch (const std::exception& thrown) {
    return fail(store_trouble(thrown));
  }
}

// Notes in the answer how they are protected here.
Result<void> put_keys(const DataFolder& folder, const KeyParts& keys, Json& answer) {
  if (keys.empty()) return {};
  const auto secrets = key_secrets();
  if (!secrets) return forward(secrets);
  SystemRandom random;
  for (const auto& [name, part] : keys) {
    // A key that is there already is as good, and may open what this program does not know.
    if (is_there(folder.path() + "/" + name)) continue;
    if (auto checked = check_for_new(*secrets); !checked) return checked;
    auto written = write_key_part(folder.path() + "/" + name, part.view(), *secrets, random);
    if (!written) return written;
    answer["protection"] = secrets->passphrase ? "passphrase" : "machine";
    answer["unattended"] = secrets->unattended;
  }
  return {};
}

Result<Json> put_back(Target& target, const Json& head, bool replace) {
  const DataFolder& folder = target.folder;
  const std::string database = target.unpacked + "chapterd.db";
  const auto check = check_database(database);
  if (!check) return forward(check);
  if (!(*check)["ok"].get<bool>()) {
    return fail(Errc::check_failed, "backup.faults",
                "The backup is not sound: " + std::to_string((*check)["found"].get<int>()) +
                    " faults were found in it.",
                "Nothing was changed.", "Take another one. What is wrong: chapterd backup verify");
  }
  auto kept = look_into(database);
  if (!kept) return forward(kept);
  if (auto checked = check_target(folder, *kept, replace); !checked) return forward(checked);
  Json answer = {{"chapter", head.value("chapter", "")},
                 {"node", fingerprint(kept->directory.self())},
                 {"entries", kept->entries()},
                 {"made_ms", head.value("made_ms", std::int64_t{0})}};
  if (auto put = put_keys(folder, target.keys, answer); !put) return forward(put);
  if (auto noted = note_newer(folder, *kept->reader); !noted) return forward(noted);
  kept->reader.reset();
  const auto aside =
      put_aside(folder, "before-restore", {database_files.begin(), database_files.end()});
  if (!aside) return forward(aside);
  if (::rename(database.c_str(), folder.database().c_str()) != 0) return cannot_move(database);
  if (!sync_folder_of(folder.database())) return cannot_move(folder.database());
  answer["kept"] = aside->empty() ? Json() : Json(*aside);
  answer["has_keys"] = is_there(folder.node_key());
  return answer;
}

// Keys lay there when an earlier release was cut short.
void remove_folder(const std::string& path) {
  for (const char* file : database_files) ::unlink((path + file).c_str());
  for (const std::string& key : key_files_in(path)) ::unlink((path + key).c_str());
  ::rmdir(path.c_str());
}

// --- verbs ---

Result<Json> confirm(NodeAccess& node, Complete complete) {
  return node.write([&](Replica& replica) -> Result<Json> {
    const bool was_restored = !replica.value(stored_name::restored).empty();
    const bool is_top =
        replica.directory().authority().path_of(replica.directory().chapter()).above.empty();
    if (complete == Complete::yes && !is_top) {
      return fail(Errc::not_allowed, "restore.not-global",
                  "Only the global node's state can be confirmed by a person: this node has a "
                  "chapter above it, which tells what is missing.",
                  "Nothing was changed.",
                  "Leave the daemon running until it has met the chapter above.");
    }
    const bool was_waiting = !replica.value(stored_name::waits).empty();
    if (is_top) replica.confirm_restored(complete);
    return Json{{"restored", was_restored},
                {"waited", was_waiting},
                {"waits", was_waiting && !is_top},
                {"has_parent", !is_top}};
  });
}

// Those who are connected by now have exchanged only certificates: they exchange the rest at once.
Result<Json> go_on(NodeAccess& node, const Json& args, Complete complete) {
  if (auto done = Arguments(args).done(); !done) return forward(done);
  auto answer = confirm(node, complete);
  if (answer && node.connections() != nullptr) node.connections()->sync_now();
  return answer;
}

Result<Json> recover(NodeAccess& node, const Json& args) {
  return go_on(node, args, Complete::no);
}

Result<Json> reassert(NodeAccess& node, const Json& args) {
  return go_on(node, args, Complete::yes);
}

constexpr std::array verbs{
    Verb{"restore.recover", Needs::nothing, recover},
    Verb{"restore.reassert", Needs::nothing, reassert},
};

}  // namespace

std::span<const Verb> restore_verbs() {
  return verbs;
}

Result<Json> restore_backup(const Config& config, const Json& args) {
  Arguments in(args);
  const std::string file = in.text("file");
  const std::string words = in.text_or("passphrase", "");
  const bool replace = in.flag("replace");
  if (auto done = in.done(); !done) return forward(done);
  if (auto started = start_crypto(); !started) return forward(started);
  const auto head = describe_backup(file);
  if (!head) return head;
  auto folder = open_folder(config.node.data, Create::yes);
  if (!folder) return forward(folder);
  Target target{std::move(*folder), config.node.data + "/restoring/", {}};
  remove_folder(target.unpacked);
  if (::mkdir(target.unpacked.c_str(), 0700) != 0) return cannot_move(target.unpacked);
  const auto passphrase = words.empty() ? std::nullopt : std::optional(words);
  auto unpacked = unpack_backup(file, passphrase, target.unpacked, &target.keys);
  Result<Json> answer =
      unpacked ? put_back(target, *head, replace) : Result<Json>(forward(unpacked));
  remove_folder(target.unpacked);
  return answer;
}

}  // namespace chapterd
