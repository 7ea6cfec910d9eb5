// Verbs about what is locked: unlock, lock.
#include "daemon/operations/arguments.h"
#include "daemon/operations/held.h"
#include "daemon/operations/keys.h"
#include "daemon/operations/verbs.h"

#include <nlohmann/json.hpp>

#include <array>
#include <optional>

namespace chapterd {
namespace {

using Json = nlohmann::json;

tl::unexpected<Error> no_daemon() {
  return fail(Errc::unreachable, "daemon.not-running",
              "No daemon is running, so there is nothing to unlock or to lock.",
              "Private data lies sealed on the disk.",
              "Start it with: chapterd run. A single command takes the passphrase from "
              "CHAPTERD_PASSPHRASE or CHAPTERD_PASSPHRASE_FILE.");
}

// The keys are opened on this thread, which takes a moment on purpose; only then comes the writer.
Result<Json> unlock(NodeAccess& node, const Json& args) {
  Arguments in(args);
  // Earlier releases took an empty one for new keys: what it protects must still open.
  const bool is_given = args.contains("passphrase");
  const std::string passphrase = in.text_or("passphrase", "");
  if (auto done = in.done(); !done) return forward(done);
  if (node.connections() == nullptr) return no_daemon();
  const NodeParts& parts = node.parts();
  KeySecrets secrets;
  secrets.machine_file = parts.machine_file;
  if (is_given) secrets.passphrase = passphrase;
  const auto seed = read_seed(parts.folder.chapter_key(), KeyPurpose::chapter, secrets);
  if (!seed) return forward(seed);
  auto done = node.write_alone([&](Replica& replica) -> Result<Json> {
    auto unlocked = replica.unlock(BoxKey::from_seed(seed->view()));
    if (!unlocked) return forward(unlocked);
    return private_json(node, replica.store());
  });
  if (!done) return done;
  const auto followed = node.read([&](Reader& reader, const Directory& directory) -> Result<Json> {
    auto authority = authority_in_use(parts.folder, own_chapter(directory).certificate.authority,
                                      secrets, parts.random);
    if (!authority) return forward(authority);
    if (*authority) parts.authority.set(std::make_shared<const SigningKey>(std::move(**authority)));
    parts.members.follow(reader, directory, parts.vault, parts.kinds);
    return Json();
  });
  if (!followed) return followed;
  if (const auto authority = parts.authority.get()) {
    const auto agreed = node.write_alone([&](Replica& replica) -> Result<Json> {
      if (auto taken_up = replica.agree_to(*authority); !taken_up) return forward(taken_up);
      return Json();
    });
    if (!agreed) return agreed;
  }
  return done;
}

Result<Json> lock(NodeAccess& node, const Json& args) {
  if (auto done = Arguments(args).done(); !done) return forward(done);
  if (node.connections() == nullptr) return no_daemon();
  const NodeParts& parts = node.parts();
  const auto kept = protection_of(parts.folder.authority_key(), KeyPurpose::authority);
  if (!kept || *kept == Protection::passphrase) parts.authority.set(nullptr);
  return node.write_alone([&](Replica& replica) -> Result<Json> {
    replica.lock();
    parts.members.drop();
    return private_json(node, replica.store());
  });
}

constexpr std::array verbs{
    Verb{"unlock", Needs::nothing, unlock},
    Verb{"lock", Needs::nothing, lock},
};

std::string_view word_of(const Result<Protection>& protection) {
  if (!protection) return "none";
  return *protection == Protection::passphrase ? "passphrase" : "machine";
}

}  // namespace

Json private_json(const NodeAccess& node, Reader& reader) {
  constexpr std::size_t most_waiting = 10'000;
  const NodeParts& parts = node.parts();
  std::size_t waiting = 0;
  for (const StoredPending& mark : reader.pending(Arrival(0), most_waiting))
    waiting += mark.waits_for == waits_for_key ? 1 : 0;
  const auto own = protection_of(parts.folder.node_key(), KeyPurpose::node);
  const auto chapter = protection_of(parts.folder.chapter_key(), KeyPurpose::chapter);
  return {{"locked", parts.vault.is_locked()},
          {"protection", word_of(chapter)},
          {"unattended",
           own && chapter && *own == Protection::machine && *chapter == Protection::passphrase},
          {"waiting", waiting}};
}

std::span<const Verb> locking_verbs() {
  return verbs;
}

}  // namespace chapterd
