// Making backups and looking through them. Putting them back: restoring.cpp.
#include "daemon/operations/backups.h"

#include "crypto/guarded.h"
#include "crypto/passphrase.h"
#include "crypto/system_random.h"
#include "daemon/operations/arguments.h"
#include "daemon/operations/backup_contents.h"
#include "daemon/operations/backup_file.h"
#include "daemon/operations/held.h"
#include "daemon/operations/keys.h"
#include "daemon/operations/node_folder.h"
#include "daemon/operations/seen_database.h"
#include "daemon/operations/store_trouble.h"
#include "daemon/operations/verification.h"
#include "daemon/system_clock.h"
#include "replication/forks.h"
#include "replication/store/folder.h"
#include "replication/store/sqlite/copy.h"
#include "replication/store/sqlite/sqlite_store.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace chapterd {
namespace {

using Json = nlohmann::json;
namespace fs = std::filesystem;

constexpr const char* ending = ".chapterd-backup";
constexpr std::size_t rows_a_time = 4096;

std::string own_folder(const Config& config) {
  return config.node.data + "/backups";
}

std::string stamp(Instant now) {
  const std::time_t seconds = now.ms / 1000;
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 40> text{};
  std::strftime(text.data(), text.size(), "%Y%m%d-%H%M%S", &parts);
  return text.data();
}

// A file that is named, or a new one in a folder.
Result<std::string> place_for(const Config& config,
                              const std::string& out,
                              const std::string& name) {
  std::error_code trouble;
  std::string path = out;
  if (out.empty()) {
    path = own_folder(config);
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
      return fail(Errc::failed, "folder.cannot-make", "The folder " + path + " cannot be made.",
                  "Nothing was changed.", "Name another place with --out.");
    }
  }
  if (fs::is_directory(path, trouble)) path += "/" + name + ending;
  if (fs::exists(path, trouble)) {
    return fail(Errc::not_allowed, "backup.exists", "There is a file " + path + " already.",
                "It was not touched.", "Name another one with --out.");
  }
  return path;
}

std::uint64_t records_of(SeenDatabase& seen) {
  std::uint64_t records = 0;
  for (const StoredKind& kind : seen.directory.kinds()) {
    for (LayerRow after(0);;) {
      const auto page = seen.reader->records_of(kind.row, after, rows_a_time);
      records += page.size();
      if (page.size() < rows_a_time) break;
      after = page.back().row;
    }
  }
  return records;
}

Json head_of(SeenDatabase& seen, Instant now, bool with_keys) {
  const Authority& authority = seen.directory.authority();
  const KnownNode* self = authority.node(seen.directory.self());
  return {{"made_ms", now.ms},
          {"federation", federation_name(seen.directory)},
          {"federation_id", to_hex(authority.federation().view())},
          {"chapter", code_of(authority, seen.directory.chapter())},
          {"node", fingerprint(seen.directory.self())},
          {"node_name", self == nullptr ? std::string() : self->certificate.name},
          {"entries", seen.entries()},
          {"feeds", seen.directory.feeds().size()},
          {"records", records_of(seen)},
          {"keys", with_keys}};
}

Result<void> add_keys(const Config& config, const PublicKey& authority, BackupWriter& writer) {
  const auto secrets = key_secrets();
  if (!secrets) return forward(secrets);
  for (const std::string& name : key_files_in(config.node.data)) {
    const bool is_authority = name == "authority.key";
    auto key = read_key_part(is_authority ? authority_file(config.node.data, authority, *secrets)
                                          : config.node.data + "/" + name,
                             *secrets);
    if (!key) return forward(key);
    auto added = writer.add(name, *key);
    wipe(*key);
    if (!added) return added;
  }
  return {};
}

std::optional<std::string> passphrase_of(Arguments& in) {
  std::string text = in.text_or("passphrase", "");
  if (text.empty()) return std::nullopt;
  return text;
}

// The database of one moment. It is not sealed, so it does not lie beside the backup.
Result<SeenDatabase> copied(const Config& config, const std::string& copy) {
  try {
    copy_database(config.node.data + "/chapterd.db", copy);
  } catch (const std::exception& thrown) {
    return fail(store_trouble(thrown));
  }
  return look_into(copy);
}

bool is_on_one_disk(const std::string& a, const std::string& b) {
  struct stat first = {};
  struct stat second = {};
  return ::stat(a.c_str(), &first) == 0 && ::stat(b.c_str(), &second) == 0 &&
         first.st_dev == second.st_dev;
}

Json row_of(const std::string& path, const Json& head, bool is_sealed) {
  std::error_code trouble;
  Json row = head;
  row["file"] = path;
  row["bytes"] = fs::file_size(path, trouble);
  row["sealed"] = is_sealed;
  return row;
}

// The newest first.
std::vector<Json> backups_in(const std::string& folder) {
  std::vector<Json> rows;
  std::error_code trouble;
  for (const auto& entry : fs::directory_iterator(folder, trouble)) {
    if (!entry.is_regular_file(trouble) || entry.path().extension() == ".new") continue;
    if (auto row = describe_backup(entry.path().string())) rows.push_back(std::move(*row));
  }
  std::ranges::sort(rows, [](const Json& a, const Json& b) {
    return a.value("made_ms", std::int64_t{0}) > b.value("made_ms", std::int64_t{0});
  });
  return rows;
}

std::string folder_of(const Config& config, Arguments& in) {
  return in.text_or("folder", own_folder(config));
}

}  // namespace

Result<Json> describe_backup(const std::string& path) {
  const auto head = read_backup_head(path);
  if (!head) return forward(head);
  const Json json = Json::parse(head->text, nullptr, false);
  if (!json.is_object()) {
    return fail(Errc::malformed, "backup.not-one", path + " is no backup of chapterd.",
                "The node was not touched.", "Check that this is the right file.");
  }
  return row_of(path, json, head->is_sealed);
}

Result<Json> create_backup(const Config& config, const Json& args) {
  Arguments in(args);
  const std::string out = in.text_or("out", "");
  const auto passphrase = passphrase_of(in);
  if (auto done = in.done(); !done) return forward(done);
  if (passphrase) {
    if (auto checked = check_new_passphrase(*passphrase); !checked) return forward(checked);
  }
  if (auto started = start_crypto(); !started) return forward(started);
  if (auto checked = check_may_use(config.node.data); !checked) return forward(checked);
  if (::access((config.node.data + "/chapterd.db").c_str(), R_OK) != 0) {
    return fail(Errc::not_found, "node.not-initialised",
                "There is no database in " + config.node.data + " to be kept.",
                "Nothing was changed.", "Name the folder of the node with --data.");
  }
  const Instant began = SystemClock().now();
  const auto path = place_for(config, out, "making-" + stamp(began));
  if (!path) return forward(path);
  std::string copy = config.node.data + "/making-" + std::to_string(::getpid()) + ".db";
  ::unlink(copy.c_str());
  std::optional<ScratchFolder> scratch;
  auto made = [&]() -> Result<Json> {
    auto seen = copied(config, copy);
    if (!seen) {
      // The disk of the data folder may be full or read-only: then a backup is wanted most.
      auto elsewhere = ScratchFolder::make();
      if (!elsewhere) return forward(seen);
      for (const char* part : {"", "-wal", "-shm"}) ::unlink((copy + part).c_str());
      copy = scratch.emplace(std::move(*elsewhere)).file("copy.db");
      seen = copied(config, copy);
    }
    if (!seen) return forward(seen);
    Json head = head_of(*seen, began, passphrase.has_value());
    const KnownChapter* own = seen->directory.authority().chapter(seen->directory.chapter());
    const PublicKey authority = own == nullptr ? PublicKey() : own->certificate.authority;
    seen->reader.reset();
    std::string name = *path;
    if (out.empty() || fs::is_directory(out)) {
      const auto named =
          place_for(config, out, head["chapter"].get<std::string>() + "-" + stamp(began));
      if (!named) return forward(named);
      name = *named;
    }
    SystemRandom random;
    auto writer = BackupWriter::create(name, head.dump(), passphrase, random);
    if (!writer) return forward(writer);
    if (auto added = writer->add_file("chapterd.db", copy); !added) return forward(added);
    if (passphrase) {
      if (auto added = add_keys(config, authority, *writer); !added) return forward(added);
    }
    const auto size = writer->finish();
    if (!size) return forward(size);
    Json answer = row_of(name, head, passphrase.has_value());
    answer["ms"] = SystemClock().now().ms - began.ms;
    answer["same_disk"] = is_on_one_disk(name, config.node.data);
    return answer;
  }();
  for (const char* part : {"", "-wal", "-shm"}) ::unlink((copy + part).c_str());
  return made;
}

Result<Json> list_backups(const Config& config, const Json& args) {
  Arguments in(args);
  const std::string folder = folder_of(config, in);
  if (auto done = in.done(); !done) return forward(done);
  return Json{{"folder", folder}, {"backups", backups_in(folder)}};
}

Result<Json> verify_backup(const Config& /*config*/, const Json& args) {
  Arguments in(args);
  const std::string file = in.text("file");
  const auto passphrase = passphrase_of(in);
  if (auto done = in.done(); !done) return forward(done);
  if (auto started = start_crypto(); !started) return forward(started);
  const auto scratch = ScratchFolder::make();
  if (!scratch) return forward(scratch);
  auto row = describe_backup(file);
  if (!row) return row;
  if (auto unpacked = unpack_backup(file, passphrase, scratch->file(""), nullptr); !unpacked)
    return forward(unpacked);
  auto check = check_database(scratch->file("chapterd.db"));
  if (!check) return forward(check);
  (*row)["check"] = std::move(*check);
  return row;
}

// How much of what was written since would come back from others.
Json compare_with_live(const SeenDatabase& live, const SeenDatabase& kept) {
  std::uint64_t since = 0;
  std::uint64_t elsewhere = 0;
  for (const FeedRow row : live.directory.own_feeds()) {
    const KnownFeed& feed = live.directory.feed(row);
    const Head& head = feed.head;
    std::uint64_t from = feed.fork.seq.value;
    for (const FeedRow kept_row : kept.directory.branches(head.feed)) {
      const KnownFeed& old = kept.directory.feed(kept_row);
      const bool has_all = hash_in(*kept.reader, old, head.seq) == head.hash;
      if (has_all) from = head.seq.value;
      if (!has_all && hash_in(*live.reader, feed, old.head.seq) == old.head.hash)
        from = std::max(from, old.head.seq.value);
    }
    if (head.seq.value <= from) continue;
    std::uint64_t held = from;
    for (const StoredReceipt& receipt : live.reader->receipts_of(row)) {
      if (receipt.node != live.directory.self()) held = std::max(held, receipt.seq.value);
    }
    since += head.seq.value - from;
    elsewhere += std::min(held, head.seq.value) - from;
  }
  return {{"since", since}, {"elsewhere", elsewhere}, {"lost", since - elsewhere}};
}

// The newest backup of the node whose database that is, or of any when it cannot be read.
Result<Json> newest_in(const std::string& folder, const Result<SeenDatabase>& live) {
  auto rows = backups_in(folder);
  if (rows.empty()) {
    return fail(Errc::not_found, "backup.none", "There is no backup in " + folder + ".",
                "Nothing was changed.", "Make one with: chapterd backup create");
  }
  if (!live) return rows.front();
  const std::string self = fingerprint(live->directory.self());
  const auto own =
      std::ranges::find_if(rows, [&](const Json& row) { return row.value("node", "") == self; });
  if (own != rows.end()) return *own;
  return fail(Errc::not_found, "backup.none-of-this-node",
              "The backups in " + folder + " are of other computers; none is of this one.",
              "Nothing was changed.", "Make one with: chapterd backup create");
}

Result<Json> drill_backup(const Config& config, const Json& args) {
  Arguments in(args);
  const std::string folder = folder_of(config, in);
  const auto passphrase = passphrase_of(in);
  if (auto done = in.done(); !done) return forward(done);
  if (auto started = start_crypto(); !started) return forward(started);
  const auto live = look_into(config.node.data + "/chapterd.db");
  auto newest = newest_in(folder, live);
  if (!newest) return newest;
  const std::string file = (*newest)["file"].get<std::string>();
  const auto scratch = ScratchFolder::make();
  if (!scratch) return forward(scratch);
  if (auto unpacked = unpack_backup(file, passphrase, scratch->file(""), nullptr); !unpacked)
    return forward(unpacked);
  auto check = check_database(scratch->file("chapterd.db"));
  if (!check) return forward(check);
  const auto kept = look_into(scratch->file("chapterd.db"));
  if (!kept) return forward(kept);
  Json answer = std::move(*newest);
  answer["live"] = nullptr;
  answer["own"] = true;
  if (live) {
    answer["own"] = live->directory.self() == kept->directory.self();
    answer["live"] = live->entries();
    answer.update(compare_with_live(*live, *kept));
  }
  answer["ok"] = (*check)["ok"].get<bool>() && answer["own"].get<bool>();
  answer["check"] = std::move(*check);
  return answer;
}

}  // namespace chapterd
