// Keys, genesis or certificates, and the first entries of a node.
#include "daemon/operations/founding.h"

#include "base/byte_stream.h"
#include "base/contract.h"
#include "crypto/guarded.h"
#include "crypto/hash.h"
#include "crypto/system_random.h"
#include "daemon/net/join.h"
#include "daemon/net/peers.h"
#include "daemon/operations/chapter_names.h"
#include "daemon/operations/held.h"
#include "daemon/operations/join_refusal.h"
#include "daemon/operations/keys.h"
#include "daemon/operations/kit.h"
#include "daemon/operations/node_folder.h"
#include "daemon/operations/pending_join.h"
#include "daemon/operations/store_trouble.h"
#include "daemon/system_clock.h"
#include "replication/invite.h"
#include "replication/store/sqlite/sqlite_store.h"

#include <nlohmann/json.hpp>

#include <unistd.h>
#include <utility>

namespace chapterd {
namespace {

using Json = nlohmann::json;

constexpr std::chrono::seconds join_timeout(20);

// A node that is being set up: the folder is ours.
struct Beginning {
  DataFolder folder;
  KeySecrets secrets;
  SystemRandom random;
  SystemClock clock;
};

struct NodeKeys {
  SigningKey node;
  SigningKey authority;
  GuardedBytes chapter;  // seed of the X25519 key that the chapter's keys are sealed to

  [[nodiscard]] BoxPublicKey box() const { return BoxKey::from_seed(chapter.view()).public_key(); }
};

Result<std::unique_ptr<Beginning>> begin(const Config& config, Create create) {
  if (auto started = start_crypto(); !started) return forward(started);
  auto secrets = key_secrets();
  if (!secrets) return forward(secrets);
  auto folder = open_folder(config.node.data, create);
  if (!folder) return forward(folder);
  if (auto room = make_room(*folder); !room) return forward(room);
  return std::unique_ptr<Beginning>(new Beginning{std::move(*folder), std::move(*secrets), {}, {}});
}

NodeKeys make_keys(Beginning& beginning) {
  GuardedBytes chapter(BoxKey::seed_size);
  beginning.random.fill(chapter.writable());
  return {SigningKey::generate(beginning.random), SigningKey::generate(beginning.random),
          std::move(chapter)};
}

Result<void> write_keys(Beginning& beginning, const NodeKeys& keys) {
  auto authority = write_key(beginning.folder.authority_key(), KeyPurpose::authority,
                             keys.authority, beginning.secrets, beginning.random);
  if (!authority) return authority;
  auto chapter = write_seed(beginning.folder.chapter_key(), KeyPurpose::chapter,
                            keys.chapter.view(), beginning.secrets, beginning.random);
  if (!chapter) return chapter;
  // The last one: when it is there, all are.
  return write_key(beginning.folder.node_key(), KeyPurpose::node, keys.node, beginning.secrets,
                   beginning.random);
}

Result<NodeKeys> read_keys(const Beginning& beginning) {
  auto node = read_key(beginning.folder.node_key(), KeyPurpose::node, beginning.secrets);
  if (!node) return forward(node);
  auto authority =
      read_key(beginning.folder.authority_key(), KeyPurpose::authority, beginning.secrets);
  if (!authority) return forward(authority);
  auto chapter = read_seed(beginning.folder.chapter_key(), KeyPurpose::chapter, beginning.secrets);
  if (!chapter) return forward(chapter);
  return NodeKeys{std::move(*node), std::move(*authority), std::move(*chapter)};
}

// The node's certificate, by its own chapter.
Bytes certify(const NodeKeys& keys,
              const FederationId& federation,
              const ChapterId& chapter,
              const std::string& name) {
  NodeCertificate certificate;
  certificate.node = keys.node.public_key();
  certificate.box = keys.box();
  certificate.chapter = chapter;
  certificate.name = name;
  certificate.proof = prove_node(federation, certificate, keys.node);
  return sign_statement(federation, Statement{chapter, 1, std::move(certificate)}, keys.authority);
}

// What the database of a new node begins with.
struct FirstEntries {
  std::vector<Bytes> chain;
  std::vector<NamedValue> values;
};

// The first of two transactions. Until the second, the start counts as cut short.
Result<std::unique_ptr<SqliteStore>> write_identity(Beginning& beginning,
                                                    const SigningKey& key,
                                                    ByteView genesis) {
  auto store = SqliteStore::open(beginning.folder.database(), {});
  if (!store) return store;
  const auto made = Replica::initialise(**store, beginning.random, genesis, key.public_key());
  if (!made) return forward(made);
  return store;
}

Result<void> write_first(Beginning& beginning,
                         Store& store,
                         const SigningKey& key,
                         const FirstEntries& first) {
  ChapterVault vault(beginning.random);
  const auto replica = Replica::open(store, beginning.clock, beginning.random, key, vault);
  if (!replica) return forward(replica);
  const auto introduced = (*replica)->introduce(first.chain);
  if (!introduced) return introduced;
  for (const NamedValue& value : first.values) (*replica)->set_value(value.name, value.value);
  (*replica)->commit();
  return {};
}

Bytes copy_of(ByteView view) {
  return {view.begin(), view.end()};
}

std::string in_groups_of_five(const std::string& text) {
  std::string grouped;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i > 0 && i % 5 == 0) grouped += '-';
    grouped += text[i];
  }
  return grouped;
}

Result<void> check_options(const FoundOptions& options) {
  if (auto checked = check_code(options.code); !checked) return checked;
  if (auto checked = check_name("federation", options.federation); !checked) return checked;
  if (auto checked = check_name("chapter", options.chapter); !checked) return checked;
  return check_name("node", options.node);
}

Result<Json> found(Beginning& beginning, const FoundOptions& options) {
  const NodeKeys keys = make_keys(beginning);
  const SigningKey recovery = SigningKey::generate(beginning.random);
  Genesis genesis;
  genesis.name = options.federation;
  genesis.created = beginning.clock.now();
  genesis.chapter = beginning.random.fixed<ChapterId>();
  genesis.code = options.code;
  genesis.authority = keys.authority.public_key();
  genesis.recovery = recovery_hash(recovery.public_key());
  beginning.random.fill(genesis.nonce.bytes);
  const Bytes signed_genesis = sign_genesis(genesis, keys.authority);
  const FederationId federation = federation_id(signed_genesis);
  FirstEntries first;
  first.chain = {certify(keys, federation, genesis.chapter, options.node)};
  first.values = {{own_value::chapter_name, copy_of(as_bytes(options.chapter))}};
  const auto store = write_identity(beginning, keys.node, signed_genesis);
  if (!store) return forward(store);
  if (auto written = write_keys(beginning, keys); !written) return forward(written);
  if (auto written = write_first(beginning, **store, keys.node, first); !written)
    return forward(written);
  Json answer = {{"federation", to_hex(federation.view())},
                 {"chapter", options.code},
                 {"node", fingerprint(keys.node.public_key())},
                 {"recovery_key", in_groups_of_five(to_base32(recovery.seed()))},
                 {"protection", beginning.secrets.passphrase ? "passphrase" : "machine"},
                 {"unattended", beginning.secrets.unattended},
                 {"kit", kit_json(federation, keys.authority.seed(), keys.chapter.view())}};
  answer["kit"]["recovery"] = kit_code(KitPart::recovery, federation.view(), recovery.seed());
  return answer;
}

// --- joining ---

// A request that may still be answered is not given up for another one.
Result<void> check_pending(const DataFolder& folder, const Invite& invite) {
  const auto pending = pending_join(folder.path());
  if (!pending || !pending->refused.empty()) return {};
  if (pending->invite.secret == invite.secret) return {};
  return fail(Errc::needs_person, "join.pending",
              "This folder waits already for an answer to another invite, as " +
                  pending->invite.name + " (" + pending->invite.code + ").",
              "Its keys and that request are kept.",
              "Finish that one: chapterd join ANSWERFILE, or join with its invite again. For the "
              "new invite choose another folder with --data.");
}

// A request that can be made again at any time.
Bytes request_of(const PendingJoin& pending, const NodeKeys& keys) {
  JoinRequest request;
  request.invite = invite_id(pending.invite.secret);
  request.node = keys.node.public_key();
  request.authority = keys.authority.public_key();
  request.box = keys.box();
  request.node_name = pending.node_name;
  return make_join_request(pending.invite, request, keys.node, keys.authority);
}

struct Prepared {
  std::unique_ptr<Beginning> beginning;
  NodeKeys keys;
  PendingJoin pending;
};

Result<Prepared> prepare(const Config& config, const std::string& text, const std::string& name) {
  auto invite = invite_from_text(text);
  if (!invite) return forward(invite);
  if (auto checked = check_name("node", name); !checked) return forward(checked);
  auto beginning = begin(config, Create::yes);
  if (!beginning) return forward(beginning);
  const DataFolder& folder = (*beginning)->folder;
  if (auto checked = check_pending(folder, *invite); !checked) return forward(checked);
  PendingJoin pending{std::move(*invite), name, {}};
  // The parent may have answered already for these keys, so they stay.
  const bool has_keys = ::access(folder.node_key().c_str(), F_OK) == 0;
  if (!has_keys) {
    if (auto checked = check_for_new((*beginning)->secrets); !checked) return forward(checked);
  }
  if (auto kept = keep(folder.path(), pending); !kept) return forward(kept);
  auto keys = has_keys ? read_keys(**beginning) : make_keys(**beginning);
  if (!keys) return forward(keys);
  if (!has_keys) {
    if (auto written = write_keys(**beginning, *keys); !written) return forward(written);
  }
  return Prepared{std::move(*beginning), std::move(*keys), std::move(pending)};
}

std::string words_of(const PendingJoin& pending, const NodeKeys& keys) {
  return four_words(pending.invite.parent, keys.node.public_key());
}

Result<Json> finish(Prepared& prepared, ByteView bytes) {
  const Invite& invite = prepared.pending.invite;
  auto answer = check_answer(invite, prepared.keys.authority.public_key(), bytes);
  if (!answer) return forward(answer);
  auto known = Authority::found(answer->genesis);
  if (!known) return forward(known);
  for (const Bytes& statement : answer->chain) {
    if (auto applied = known->apply(statement); !applied) return forward(applied);
  }
  // The chapter was there before when it had another key before.
  const bool replaces = known->keys_of(invite.chapter).size() > 1;
  FirstEntries first{std::move(answer->chain), {}};
  first.chain.push_back(
      certify(prepared.keys, invite.federation, invite.chapter, prepared.pending.node_name));
  std::string lines;
  for (const std::string& address : invite.addresses) lines += address + "\n";
  first.values = {{stored_name::parent_key, copy_of(invite.parent.view())},
                  {stored_name::parent_addresses, copy_of(as_bytes(lines))}};
  const auto store = write_identity(*prepared.beginning, prepared.keys.node, answer->genesis);
  if (!store) return forward(store);
  if (auto written = write_first(*prepared.beginning, **store, prepared.keys.node, first); !written)
    return forward(written);
  ::unlink(pending_join_file(prepared.beginning->folder.path()).c_str());
  const ChapterPath path = known->path_of(invite.chapter);
  CHECK(!path.above.empty());  // check_answer() saw the certificate
  return Json{{"chapter", invite.code},
              {"name", invite.name},
              {"federation", to_hex(invite.federation.view())},
              {"parent",
               {{"code", code_of(*known, path.above.back())},
                {"name", name_of(*known, path.above.back())}}},
              {"federation_name", known->chapter(path.above.front())->certificate.name},
              {"protection", prepared.beginning->secrets.passphrase ? "passphrase" : "machine"},
              {"unattended", prepared.beginning->secrets.unattended},
              {"kit", kit_json(invite.federation, prepared.keys.authority.seed(),
                               prepared.keys.chapter.view())},
              {"replaces", replaces},
              {"words", words_of(prepared.pending, prepared.keys)}};
}

// The first address that answers, or what the last one said.
Result<Bytes> ask_parent(Prepared& prepared) {
  const Invite& invite = prepared.pending.invite;
  const Bytes request = request_of(prepared.pending, prepared.keys);
  Result<Bytes> answer =
      fail(Errc::usage, "join.no-address", "The invite names no address to join at.",
           "The keys are kept for another try.",
           "Join by a file: chapterd join CODE --offline. Or ask for an invite with an address.");
  for (const std::string& address : invite.addresses) {
    answer = request_join(address, invite.parent, prepared.keys.node, request, join_timeout);
    if (answer) return answer;
    const JoinRefusal* refusal = refusal_with(answer.error().code);
    if (refusal == nullptr) continue;
    if (refusal->is_final) {
      prepared.pending.refused = refusal->code;
      if (auto kept = keep(prepared.beginning->folder.path(), prepared.pending); !kept)
        return forward(kept);
    }
    return fail(answer.error().kind, answer.error().code, refusal->what,
                "Nothing was joined; the new keys here are kept.", refusal->next);
  }
  return answer;
}

}  // namespace

Result<Json> found_federation(const Config& config, const FoundOptions& options) {
  return without_throwing([&]() -> Result<Json> {
    if (auto checked = check_options(options); !checked) return forward(checked);
    const auto beginning = begin(config, Create::yes);
    if (!beginning) return forward(beginning);
    if (waits_to_join((*beginning)->folder.path())) {
      return fail(Errc::needs_person, "join.pending",
                  "This folder waits for the answer of a chapter that it asked to join.",
                  "Its keys and its request are kept.", "Choose another folder with --data.");
    }
    if (auto checked = check_for_new((*beginning)->secrets); !checked) return forward(checked);
    return found(**beginning, options);
  });
}

Result<Json> prepare_join(const Config& config,
                          const std::string& invite,
                          const std::string& node_name) {
  return without_throwing([&]() -> Result<Json> {
    const auto prepared = prepare(config, invite, node_name);
    if (!prepared) return forward(prepared);
    const Invite& asked = prepared->pending.invite;
    return Json{
        {"request", to_base32(request_of(prepared->pending, prepared->keys))},
        {"words", words_of(prepared->pending, prepared->keys)},
        {"chapter", {{"code", asked.code}, {"name", asked.name}, {"level", asked.level}}},
        {"parent", {{"fingerprint", fingerprint(asked.parent)}, {"addresses", asked.addresses}}}};
  });
}

Result<Json> finish_join(const Config& config, ByteView answer) {
  return without_throwing([&]() -> Result<Json> {
    auto beginning = begin(config, Create::no);
    if (!beginning) return forward(beginning);
    auto pending = pending_join((*beginning)->folder.path());
    if (!pending) return forward(pending);
    auto keys = read_keys(**beginning);
    if (!keys) return forward(keys);
    Prepared prepared{std::move(*beginning), std::move(*keys), std::move(*pending)};
    return finish(prepared, answer);
  });
}

Result<Json> join_online(const Config& config,
                         const std::string& invite,
                         const std::string& node_name) {
  return without_throwing([&]() -> Result<Json> {
    auto prepared = prepare(config, invite, node_name);
    if (!prepared) return forward(prepared);
    const auto answer = ask_parent(*prepared);
    if (!answer) return forward(answer);
    return finish(*prepared, *answer);
  });
}

}  // namespace chapterd
