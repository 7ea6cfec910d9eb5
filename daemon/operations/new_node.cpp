// Works on a copy of the database, and puts that in its place at the end.
#include "daemon/operations/new_node.h"

#include "crypto/guarded.h"
#include "crypto/system_random.h"
#include "daemon/operations/arguments.h"
#include "daemon/operations/backup_contents.h"
#include "daemon/operations/chapter_names.h"
#include "daemon/operations/held.h"
#include "daemon/operations/keys.h"
#include "daemon/operations/node_folder.h"
#include "daemon/operations/put_aside.h"
#include "daemon/operations/seen_database.h"
#include "daemon/operations/store_trouble.h"
#include "daemon/system_clock.h"
#include "replication/lives.h"
#include "replication/replica.h"
#include "replication/store/high_water.h"
#include "replication/store/sqlite/copy.h"
#include "replication/store/sqlite/sqlite_store.h"

#include <nlohmann/json.hpp>

#include <cstdio>
#include <unistd.h>
#include <utility>

namespace chapterd {
namespace {

using Json = nlohmann::json;

struct Keys {
  SigningKey before;
  SigningKey authority;
  SigningKey now;
  GuardedBytes chapter;  // stays: the chapter's keys in the copy are sealed to it
};

Result<Keys> keys_of(const DataFolder& folder, const KeySecrets& secrets, Random& random) {
  auto before = read_key(folder.node_key(), KeyPurpose::node, secrets);
  if (!before) return forward(before);
  auto authority = read_key(folder.authority_key(), KeyPurpose::authority, secrets);
  if (!authority && authority.error().kind == Errc::not_found) {
    return fail(Errc::needs_person, "new-node.no-authority",
                "A new node needs a certificate, and the chapter's authority key is not here.",
                "Nothing was changed.",
                "Bring authority.key of the chapter into this folder for the moment, or make it "
                "anew from the recovery kit: chapterd kit restore. Without both join with an empty "
                "folder, by an invite of the chapter above, there: chapterd invite create CODE "
                "--replace. Private data does not come along then.");
  }
  if (!authority) return forward(authority);
  auto chapter = read_seed(folder.chapter_key(), KeyPurpose::chapter, secrets);
  if (!chapter) return forward(chapter);
  return Keys{std::move(*before), std::move(*authority), SigningKey::generate(random),
              std::move(*chapter)};
}

// From the global chapter down, the new node's certificate last.
std::vector<Bytes> chain_for(const Authority& authority,
                             const Keys& keys,
                             const std::string& name) {
  const KnownNode* before = authority.node(keys.before.public_key());
  std::vector<Bytes> chain = authority.chain(keys.before.public_key());
  NodeCertificate certificate;
  certificate.node = keys.now.public_key();
  certificate.box = BoxKey::from_seed(keys.chapter.view()).public_key();
  certificate.chapter = before->certificate.chapter;
  certificate.name = name;
  certificate.proof = prove_node(authority.federation(), certificate, keys.now);
  chain.back() = sign_statement(authority.federation(),
                                Statement{certificate.chapter, 1, certificate}, keys.authority);
  return chain;
}

struct Heir {
  std::string chapter;
  std::size_t taken = 0;
};

// Turns the copy at `path` into the database of the new node.
Result<Heir> turn(const std::string& path,
                  const Keys& keys,
                  const ExportMark& mark,
                  const std::string& name,
                  Unsent unsent) {
  const SystemClock clock;
  SystemRandom random;
  ChapterVault vault(random);
  SqliteOptions options;
  options.seal = &vault;
  auto store = SqliteStore::open(path, options);
  if (!store) return forward(store);
  // Locked: unlocked it would write into feeds that the node of before may go on with.
  auto before = Replica::open(**store, clock, random, keys.before, vault);
  if (!before) return forward(before);
  const Authority& authority = (*before)->directory().authority();
  if (authority.node(keys.before.public_key()) == nullptr) {
    return fail(Errc::failed, "node.incomplete", "The database does not certify this node.",
                "Nothing was changed.", "Put the database back from a backup of this folder.");
  }
  const auto chain = chain_for(authority, keys, name);
  // The node of before need not look for its copy any more.
  const Statement handover{(*before)->directory().chapter(), 1,
                           Handover{keys.before.public_key(), keys.now.public_key(),
                                    lives_led(**store, (*before)->directory())}};
  const Bytes said = sign_statement(authority.federation(), handover, keys.authority);
  const auto taken = (*before)->hand_over(keys.now.public_key(), mark, unsent);
  before->reset();
  auto now = Replica::open(**store, clock, random, keys.now, vault);
  if (!now) return forward(now);
  if (auto introduced = (*now)->introduce(chain); !introduced) return forward(introduced);
  (*now)->commit();
  // What was private and is taken over is sealed anew, with the new node as its author.
  auto unlocked = (*now)->unlock(BoxKey::from_seed(keys.chapter.view()));
  if (!unlocked) return forward(unlocked);
  (*now)->commit();
  (*now)->take_over(taken);
  if (auto written = (*now)->write_statement(said); !written) return forward(written);
  (*now)->commit();
  return Heir{code_of((*now)->directory().authority(), (*now)->directory().chapter()),
              taken.size()};
}

bool is_there(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

// The new node stands ready under these names before anything of the old one is moved.
std::string ready_database(const DataFolder& folder) {
  return folder.path() + "/becoming.db";
}

std::string ready_key(const DataFolder& folder) {
  return folder.path() + "/node.key.next";
}

// A power cut in the middle of put_in_place(): the old key is moved first, the new one last.
bool was_cut_short(const DataFolder& folder) {
  return is_there(ready_key(folder)) && !is_there(folder.node_key());
}

// Whatever stops it half-way, giving the command again completes it. Returns where the old files
// lie; empty when they were moved before.
Result<std::string> put_in_place(const DataFolder& folder) {
  std::string kept;
  bool done = true;
  if (is_there(ready_database(folder))) {
    auto aside = put_aside(folder, "before-new-node",
                           {"node.key", "chapterd.db", "chapterd.db-wal", "chapterd.db-shm"});
    if (!aside) return aside;
    kept = std::move(*aside);
    done = ::rename(ready_database(folder).c_str(), folder.database().c_str()) == 0 &&
           sync_folder_of(folder.database());
  }
  done = done && ::rename(ready_key(folder).c_str(), folder.node_key().c_str()) == 0 &&
         sync_folder_of(folder.node_key());
  if (done) return kept;
  return fail(Errc::failed, "backup.cannot-restore", "The new database cannot be put in place.",
              "The older one and the new one are both in the folder.",
              "Look at the folder's permissions, then give the same command again.");
}

Result<Json> complete(const DataFolder& folder, const KeySecrets& secrets) {
  const auto key = read_key(ready_key(folder), KeyPurpose::node, secrets);
  if (!key) return forward(key);
  const auto kept = put_in_place(folder);
  if (!kept) return forward(kept);
  const auto seen = look_into(folder.database());
  if (!seen) return forward(seen);
  return Json{{"chapter", code_of(seen->directory.authority(), seen->directory.chapter())},
              {"node", fingerprint(key->public_key())},
              {"kept", *kept}};
}

}  // namespace

Result<Json> make_new_node(const Config& config, const Json& args) {
  Arguments in(args);
  const std::string name = in.text("name");
  const Unsent unsent = in.flag("take_unsent") ? Unsent::take : Unsent::leave;
  if (auto done = in.done(); !done) return forward(done);
  if (auto checked = check_name("name", name); !checked) return forward(checked);
  if (auto started = start_crypto(); !started) return forward(started);
  auto folder = open_folder(config.node.data, Create::no);
  if (!folder) return forward(folder);
  auto secrets = key_secrets();
  if (!secrets) return forward(secrets);
  if (was_cut_short(*folder)) return complete(*folder, *secrets);
  // The new node's key is protected as that of before.
  const auto protection = protection_of(folder->node_key(), KeyPurpose::node);
  if (!protection) return forward(protection);
  secrets->unattended = *protection == Protection::machine;
  SystemRandom random;
  const auto keys = keys_of(*folder, *secrets, random);
  if (!keys) return forward(keys);
  const std::string copy = ready_database(*folder);
  const auto remove_copy = [&] {
    for (const char* part : {"", "-wal", "-shm"}) ::unlink((copy + part).c_str());
    ::unlink(ready_key(*folder).c_str());
  };
  remove_copy();
  copy_database(folder->database(), copy);
  const auto check = check_database(copy);
  const bool is_sound = check && (*check)["ok"].get<bool>();
  const ExportMark mark{random.fixed<InstanceToken>(), 1};
  Result<Heir> heir;
  if (is_sound) heir = turn(copy, *keys, mark, name, unsent);
  if (!is_sound || !heir) {
    remove_copy();
    if (is_sound) return forward(heir);
    return fail(Errc::check_failed, "store.damaged",
                "The database of this folder is torn, as happens when a folder is copied while its "
                "daemon runs.",
                "Nothing was changed.",
                "Copy it anew while the daemon is stopped, or use: chapterd backup create");
  }
  auto written = write_key(ready_key(*folder), KeyPurpose::node, keys->now, *secrets, random);
  if (!written) return forward(written);
  MarkFile file(folder->instance());
  if (!file.write(mark, file.read_revocations())) throw DiskFull("the disk is full");
  const auto kept = put_in_place(*folder);
  if (!kept) return forward(kept);
  return Json{{"chapter", heir->chapter},
              {"node", fingerprint(keys->now.public_key())},
              {"before", fingerprint(keys->before.public_key())},
              {"taken", heir->taken},
              {"kept", *kept}};
}

}  // namespace chapterd
