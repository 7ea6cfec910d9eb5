// Looking at everything, touching nothing.
#include "daemon/operations/doctor_facts.h"

#include "crypto/system_random.h"
#include "daemon/control/control_client.h"
#include "daemon/operations/keys.h"
#include "daemon/operations/node_folder.h"
#include "daemon/operations/peer_rows.h"
#include "daemon/operations/store_trouble.h"
#include "daemon/operations/verification.h"
#include "daemon/system_clock.h"
#include "replication/store/sqlite/sqlite_reader.h"

#include <filesystem>
#include <sys/stat.h>
#include <utility>

namespace chapterd {
namespace {

using Json = nlohmann::json;

// A larger log takes longer than somebody waits for an answer: verify is for that.
constexpr std::uintmax_t most_checked_bytes = std::uintmax_t{256} << 20U;

std::optional<Error> folder_trouble(const std::string& path) {
  if (auto checked = check_may_use(path); !checked) return checked.error();
  struct stat status = {};
  if (::stat(path.c_str(), &status) != 0) {
    return Error(Errc::not_found, "folder.missing", "There is no data folder " + path + ".",
                 "Nothing was changed.", "Name the right folder, or set a node up: chapterd init");
  }
  if ((status.st_mode & 077) == 0) return std::nullopt;
  return Error(Errc::not_allowed, "folder.open-to-others",
               "Other users of this machine can read or write " + path + ".",
               "Nothing was changed.", "Close it with: chmod 700 '" + path + "'");
}

void look_at_daemon(Facts& facts) {
  auto client = ControlClient::connect(facts.config.control.socket);
  if (!client) {
    facts.daemon = client.error();
    return;
  }
  auto status = (*client)->call("status", Json::object());
  if (status) {
    facts.status = std::move(*status);
  } else {
    facts.daemon = status.error();
  }
}

// Only where no daemon answers: the lock is tried, and given back at once.
void look_at_lock(Facts& facts) {
  const auto folder = DataFolder::open(facts.config.node.data, Create::no);
  facts.is_held = !folder && folder.error().code == "folder.in-use";
}

void look_at_keys(Facts& facts) {
  const auto secrets = key_secrets();
  if (!secrets) {
    facts.node_key = secrets.error();
    return;
  }
  const std::string folder = facts.config.node.data + "/";
  if (auto key = read_key(folder + "node.key", KeyPurpose::node, *secrets); !key)
    facts.node_key = key.error();
  if (auto key = read_key(folder + "authority.key", KeyPurpose::authority, *secrets); !key)
    facts.authority_key = key.error();
  if (auto seed = read_seed(folder + "chapter.key", KeyPurpose::chapter, *secrets); !seed)
    facts.chapter_key = seed.error();
}

// A file that holds a key of before is as good as none.
void compare_authority(Facts& facts) {
  if (!facts.seen || facts.authority_key) return;
  const Directory& directory = facts.seen->directory;
  const KnownChapter* own = directory.authority().chapter(directory.chapter());
  const auto secrets = key_secrets();
  if (own == nullptr || !secrets) return;
  const PublicKey& in_use = own->certificate.authority;
  const auto key = read_key(authority_file(facts.config.node.data, in_use, *secrets),
                            KeyPurpose::authority, *secrets);
  if (key && key->public_key() == in_use) return;
  facts.authority_key =
      Error(Errc::not_found, "key.no-authority", "The authority key in this folder was replaced.");
}

std::optional<ExportMark> mark_in(Reader& reader) {
  const auto stored = reader.values(stored_name::instance);
  if (stored.empty()) return std::nullopt;
  const auto mark = decode_export_mark(stored.front().value);
  return mark ? std::optional(*mark) : std::nullopt;
}

void look_at_database(Facts& facts) {
  const std::string path = facts.config.node.data + "/chapterd.db";
  std::error_code trouble;
  const auto size = std::filesystem::file_size(path, trouble);
  facts.has_database = !trouble && size > 0;
  if (!facts.has_database) return;
  auto seen = look_into(path);
  if (!seen) {
    facts.database = seen.error();
    return;
  }
  facts.seen = std::move(*seen);
  try {
    Reader& reader = *facts.seen->reader;
    if (facts.daemon && !facts.is_held) {
      facts.mark =
          compare_marks(MarkFile(facts.config.node.data + "/instance").read(), mark_in(reader));
    }
    if (size <= most_checked_bytes) {
      Verification verification(reader, facts.seen->directory);
      verification.run();
      facts.check = verification.json();
    }
    if (facts.status.is_null()) {
      for (const PeerRow& row : peer_rows(reader, facts.seen->directory, std::nullopt, facts.now))
        facts.peers.push_back(to_json(row));
    }
  } catch (const std::exception& thrown) {
    facts.database = store_trouble(thrown);
  }
}

}  // namespace

Facts gather_facts(const Config& config, const Json& args) {
  Facts facts(config);
  facts.now = SystemClock().now();
  facts.peer = args.value("peer", "");
  if (args.contains("config")) {
    facts.config_error = Error(Errc::usage, args.value("config_code", "config.error"),
                               args["config"].get<std::string>(), "Nothing was changed.",
                               "Correct it, then look again with: chapterd config check");
  }
  static_cast<void>(start_crypto());
  look_at_daemon(facts);
  facts.folder = folder_trouble(config.node.data);
  if (facts.folder && facts.folder->code != "folder.open-to-others") return facts;
  if (facts.daemon) look_at_lock(facts);
  if (auto disk = disk_space(config.node.data, config.store.disk_low_bytes)) facts.disk = *disk;
  look_at_keys(facts);
  look_at_database(facts);
  compare_authority(facts);
  if (facts.status.is_object() && facts.status.contains("peers"))
    facts.peers = facts.status["peers"];
  return facts;
}

std::string how_many(std::uint64_t count, const char* one, const char* many) {
  return std::to_string(count) + " " + (count == 1 ? one : many);
}

std::string span_of(std::int64_t ms) {
  constexpr std::int64_t hour_ms = 3'600'000;
  constexpr std::int64_t day_ms = 24 * hour_ms;
  const std::int64_t size = ms < 0 ? -ms : ms;
  if (size >= 2 * day_ms) return std::to_string(size / day_ms) + " days";
  if (size >= 2 * hour_ms) return std::to_string(size / hour_ms) + " hours";
  return std::to_string(size / 60'000) + " minutes";
}

std::string called(const Json& peer) {
  const std::string name = peer.value("name", "");
  const std::string code = peer.value("code", "");
  if (name.empty() && code.empty()) return "a node that is not known yet";
  return name.empty() ? code : name + " (" + code + ")";
}

}  // namespace chapterd
