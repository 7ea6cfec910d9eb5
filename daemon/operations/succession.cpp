// Authority keys: which one is in use, a planned rotation, and getting back from a lost or stolen
// one.
//
// A new key lies in authority.key.next until its successor statement has taken effect; whoever
// has the node open then, or opens it next, puts it in place of the old one. So a crash at any
// point leaves a key that is in use.
#include "base/byte_stream.h"
#include "crypto/guarded.h"
#include "crypto/kit_code.h"
#include "daemon/operations/arguments.h"
#include "daemon/operations/held.h"
#include "daemon/operations/keys.h"
#include "daemon/operations/verbs.h"
#include "daemon/operations/writing.h"
#include "replication/invite.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <optional>

namespace chapterd {
namespace {

using Json = nlohmann::json;

constexpr const char* unchanged = "Nothing was changed.";
constexpr std::uint8_t request_version = 1;
// Statements that one successor lists: some 13 KiB of the 16 that a statement may have.
constexpr std::size_t most_listed = 400;

// What a chapter asks one above it to certify.
struct KeyRequest {
  FederationId federation;
  ChapterId chapter;
  PublicKey authority;
  Signature acceptance;
};

Bytes encode(const KeyRequest& request) {
  ByteWriter out;
  out.u8(request_version).fixed(request.federation).fixed(request.chapter);
  return out.u8(algorithm_ed25519).fixed(request.authority).fixed(request.acceptance).take();
}

Result<KeyRequest> decode_request(const std::string& base32) {
  const auto bytes = from_base32(base32);
  ByteReader in(bytes ? ByteView(*bytes) : ByteView());
  KeyRequest request;
  if (in.u8() != request_version) in.mark_bad();
  request.federation = in.fixed<FederationId>();
  request.chapter = in.fixed<ChapterId>();
  if (in.u8() != algorithm_ed25519) in.mark_bad();
  request.authority = in.fixed<PublicKey>();
  request.acceptance = in.fixed<Signature>();
  if (in.finished()) return request;
  return fail(Errc::malformed, "key.request", "This is not a request for a new authority key.",
              unchanged, "Have it made again, there: chapterd key request");
}

// Of a node that keeps its keys behind a passphrase a new one is not left open on the disk.
Result<KeySecrets> secrets_for_new(const DataFolder& folder) {
  auto secrets = key_secrets();
  if (!secrets || secrets->passphrase) return secrets;
  const auto authority = protection_of(folder.authority_key(), KeyPurpose::authority);
  const auto chapter = protection_of(folder.chapter_key(), KeyPurpose::chapter);
  const bool is_behind = (authority && *authority == Protection::passphrase) ||
                         (chapter && *chapter == Protection::passphrase);
  if (!is_behind) return secrets;
  return fail(Errc::needs_person, "key.passphrase-needed",
              "The keys of this node are protected by a passphrase, and a new one shall be too.",
              unchanged,
              "Stop the daemon and give the command with the passphrase in "
              "CHAPTERD_PASSPHRASE_FILE.");
}

// The key that waits in authority.key.next; made when there is none. Asking twice asks for one key.
Result<SigningKey> next_key(const NodeAccess& node) {
  const NodeParts& parts = node.parts();
  const auto secrets = secrets_for_new(parts.folder);
  if (!secrets) return forward(secrets);
  const std::string path = parts.folder.next_authority_key();
  auto waiting = read_key(path, KeyPurpose::authority, *secrets);
  if (waiting || waiting.error().kind != Errc::not_found) return waiting;
  SigningKey made = SigningKey::generate(parts.random);
  auto written = write_key(path, KeyPurpose::authority, made, *secrets, parts.random);
  if (!written) return forward(written);
  return made;
}

// Puts the new key into place when it is in use now.
Result<void> settle(NodeAccess& node) {
  const auto secrets = key_secrets();
  if (!secrets) return forward(secrets);
  auto settled = node.read([&](Reader&, const Directory& directory) -> Result<Json> {
    auto key = authority_in_use(node.parts().folder, own_chapter(directory).certificate.authority,
                                *secrets, node.parts().random);
    if (!key) return forward(key);
    if (*key) node.parts().authority.set(std::make_shared<const SigningKey>(std::move(**key)));
    return Json();
  });
  if (!settled) return forward(settled);
  return {};
}

Successor successor_for(const FederationId& federation,
                        const ChapterId& chapter,
                        SuccessorBy by,
                        const SigningKey& key) {
  Successor successor;
  successor.chapter = chapter;
  successor.authority = key.public_key();
  successor.by = by;
  successor.acceptance = accept_succession(federation, chapter, key);
  return successor;
}

// One statement, or, when all that stands is listed, as many as the list needs.
Result<void> write_successor(Replica& replica,
                             const SigningKey& by,
                             Successor successor,
                             bool is_stolen) {
  const Authority& authority = replica.directory().authority();
  const ChapterId issuer = replica.directory().chapter();
  const std::vector<StatementId> standing =
      is_stolen ? authority.statements_of(successor.chapter) : std::vector<StatementId>();
  std::uint64_t number = authority.next_number(successor.chapter);
  std::vector<Bytes> statements;
  for (std::size_t at = 0; at == 0 || at < standing.size(); at += most_listed) {
    if (is_stolen) {
      const std::size_t end = std::min(standing.size(), at + most_listed);
      successor.stands.emplace(standing.begin() + static_cast<std::ptrdiff_t>(at),
                               standing.begin() + static_cast<std::ptrdiff_t>(end));
    }
    statements.push_back(
        sign_statement(authority.federation(), Statement{issuer, number++, successor}, by));
  }
  for (const Bytes& statement : statements) {
    if (auto written = replica.write_statement(statement); !written) return forward(written);
  }
  return {};
}

Result<Json> show(NodeAccess& node, const Json& args) {
  if (auto done = Arguments(args).done(); !done) return forward(done);
  return node.read([&](Reader&, const Directory& directory) -> Result<Json> {
    const NodeParts& parts = node.parts();
    const PublicKey& in_use = own_chapter(directory).certificate.authority;
    const auto held = parts.authority.get();
    const bool is_here = held != nullptr && held->public_key() == in_use;
    return Json{{"node", fingerprint(directory.self())},
                {"authority", fingerprint(in_use)},
                {"here", is_here},
                {"keys", directory.authority().keys_of(directory.chapter()).size()}};
  });
}

Result<Json> rotate(NodeAccess& node, const Json& args) {
  if (auto done = Arguments(args).done(); !done) return forward(done);
  const auto authority = unlocked_authority(node);
  if (!authority) return forward(authority);
  auto key = next_key(node);
  if (!key) return forward(key);
  auto answer = node.write_alone([&](Replica& replica) -> Result<Json> {
    const Directory& directory = replica.directory();
    if (auto checked = check_may_write(directory); !checked) return forward(checked);
    const Successor successor = successor_for(directory.authority().federation(),
                                              directory.chapter(), SuccessorBy::rotation, *key);
    if (own_chapter(directory).certificate.authority != (*authority)->public_key()) {
      return fail(Errc::needs_person, "key.changed",
                  "The authority key of this chapter was replaced at this moment.", unchanged,
                  "See: chapterd key show");
    }
    if (auto written = write_successor(replica, **authority, successor, false); !written)
      return forward(written);
    return Json{{"authority", fingerprint(key->public_key())}};
  });
  if (!answer) return answer;
  if (auto settled = settle(node); !settled) return forward(settled);
  return answer;
}

Result<Json> request(NodeAccess& node, const Json& args) {
  if (auto done = Arguments(args).done(); !done) return forward(done);
  auto key = next_key(node);
  if (!key) return forward(key);
  return node.read([&](Reader&, const Directory& directory) -> Result<Json> {
    const FederationId& federation = directory.authority().federation();
    const ChapterId chapter = directory.chapter();
    const KeyRequest asked{federation, chapter, key->public_key(),
                           accept_succession(federation, chapter, *key)};
    return Json{
        {"request", to_base32(encode(asked))},
        {"code", code_of(directory.authority(), chapter)},
        {"words", four_words(own_chapter(directory).certificate.authority, key->public_key())}};
  });
}

// What a request asks of this chapter, if it may give it.
Result<Successor> asked_successor(const Directory& directory, const KeyRequest& asked) {
  const Authority& authority = directory.authority();
  if (asked.federation != authority.federation()) {
    return fail(Errc::not_allowed, "federation.other",
                "This request comes from another federation.", unchanged,
                "Hand it to the chapter above the one that asks.");
  }
  if (authority.chapter(asked.chapter) == nullptr ||
      !is_above(directory.chapter(), authority.path_of(asked.chapter))) {
    return fail(Errc::not_allowed, "key.not-below",
                "This request comes from no chapter below this one.", unchanged,
                "Hand it to a chapter above the one that asks.");
  }
  Successor successor;
  successor.chapter = asked.chapter;
  successor.authority = asked.authority;
  successor.by = SuccessorBy::above;
  successor.acceptance = asked.acceptance;
  if (verify_acceptance(authority.federation(), successor)) return successor;
  return fail(Errc::malformed, "key.request", "This request was changed on its way.", unchanged,
              "Have it made again, there: chapterd key request");
}

Result<Json> recover(NodeAccess& node, const Json& args) {
  Arguments in(args);
  const std::string text = in.text("request");
  const bool is_stolen = in.flag("stolen");
  const bool only_look = in.flag("only_look");
  if (auto done = in.done(); !done) return forward(done);
  const auto asked = decode_request(text);
  if (!asked) return forward(asked);
  const auto by = unlocked_authority(node);
  if (!by) return forward(by);
  return node.write_alone([&](Replica& replica) -> Result<Json> {
    const Directory& directory = replica.directory();
    if (auto checked = check_may_write(directory); !checked) return forward(checked);
    const auto successor = asked_successor(directory, *asked);
    if (!successor) return forward(successor);
    const Authority& authority = directory.authority();
    const PublicKey before = authority.chapter(asked->chapter)->certificate.authority;
    Json answer = {{"code", code_of(authority, asked->chapter)},
                   {"name", name_of(authority, asked->chapter)},
                   {"words", four_words(before, asked->authority)},
                   {"done", !only_look}};
    if (only_look || before == asked->authority) return answer;
    if (auto written = write_successor(replica, **by, *successor, is_stolen); !written)
      return forward(written);
    return answer;
  });
}

// Its 32 bytes, as they are or as a code of the recovery kit; empty when it is neither.
Bytes recovery_seed(const std::string& text, const FederationId& federation) {
  if (const auto kit = read_kit_code(text, federation.view());
      kit && kit->part == KitPart::recovery)
    return {kit->secret.view().begin(), kit->secret.view().end()};
  return from_base32(text).value_or(Bytes());
}

Result<SigningKey> recovery_key(const std::string& text, NodeAccess& node) {
  const auto wrong = [] {
    return fail(Errc::not_allowed, "key.recovery",
                "This is not the recovery key of this federation.", unchanged,
                "Type it as it was printed when the federation was founded.");
  };
  std::optional<SigningKey> key;
  Result<Json> checked = node.read([&](Reader&, const Directory& directory) -> Result<Json> {
    const Authority& authority = directory.authority();
    Bytes seed = recovery_seed(text, authority.federation());
    if (seed.size() != SigningKey::seed_size) return wrong();
    key = SigningKey::from_seed(seed);
    wipe(seed);
    const auto genesis = decode_genesis(authority.genesis());
    if (!genesis || genesis->recovery != recovery_hash(key->public_key())) return wrong();
    return Json();
  });
  if (!checked) return forward(checked);
  return std::move(*key);
}

Result<Json> recover_root(NodeAccess& node, const Json& args) {
  Arguments in(args);
  const std::string text = in.text("recovery_key");
  const bool is_stolen = in.flag("stolen");
  if (auto done = in.done(); !done) return forward(done);
  const auto recovery = recovery_key(text, node);
  if (!recovery) return forward(recovery);
  auto key = next_key(node);
  if (!key) return forward(key);
  auto answer = node.write_alone([&](Replica& replica) -> Result<Json> {
    const Directory& directory = replica.directory();
    if (directory.chapter() != root_of(directory)) {
      return fail(Errc::not_allowed, "key.not-global",
                  "The recovery key is for the global chapter's own node.", unchanged,
                  "A chapter below asks the one above: chapterd key request");
    }
    Successor successor = successor_for(directory.authority().federation(), directory.chapter(),
                                        SuccessorBy::recovery, *key);
    successor.recovery = recovery->public_key();
    if (auto written = write_successor(replica, *recovery, successor, is_stolen); !written)
      return forward(written);
    return Json{{"authority", fingerprint(key->public_key())}};
  });
  if (!answer) return answer;
  if (auto settled = settle(node); !settled) return forward(settled);
  return answer;
}

constexpr std::array verbs{
    Verb{"key.show", Needs::nothing, show},
    Verb{"key.rotate", Needs::space, rotate},
    Verb{"key.request", Needs::space, request},
    Verb{"key.recover", Needs::space, recover},
    Verb{"key.recover_root", Needs::space, recover_root},
};

}  // namespace

std::span<const Verb> succession_verbs() {
  return verbs;
}

}  // namespace chapterd
