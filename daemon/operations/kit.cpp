// Printing a kit again, checking what was copied, and making key files of it.
#include "daemon/operations/kit.h"

#include "crypto/system_random.h"
#include "daemon/operations/arguments.h"
#include "daemon/operations/held.h"
#include "daemon/operations/keys.h"
#include "daemon/operations/node_folder.h"
#include "daemon/operations/store_trouble.h"
#include "daemon/operations/verbs.h"
#include "replication/directory.h"

#include <nlohmann/json.hpp>

#include <array>

namespace chapterd {
namespace {

using Json = nlohmann::json;

// Whether a secret is the one that this node's certificates name.
bool is_ours(const Directory& directory, const KitSecret& kit) {
  const Authority& authority = directory.authority();
  switch (kit.part) {
    case KitPart::authority:
      return SigningKey::from_seed(kit.secret.view()).public_key() ==
             own_chapter(directory).certificate.authority;
    case KitPart::chapter: {
      const KnownNode* self = authority.node(directory.self());
      return self != nullptr &&
             BoxKey::from_seed(kit.secret.view()).public_key() == self->certificate.box;
    }
    case KitPart::recovery: {
      const auto genesis = decode_genesis(authority.genesis());
      return genesis && recovery_hash(SigningKey::from_seed(kit.secret.view()).public_key()) ==
                            genesis->recovery;
    }
  }
  return false;
}

tl::unexpected<Error> other_node(KitPart part) {
  return fail(Errc::not_allowed, "kit.other-node",
              "The code is typed right, but this is not the " + std::string(name_of(part)) +
                  " key of this node.",
              "Nothing was changed.", "Look for the kit of this computer.");
}

Result<KitSecret> own_secret(const Directory& directory, const std::string& code) {
  auto kit = read_kit_code(code, directory.authority().federation().view());
  if (!kit) return kit;
  if (!is_ours(directory, *kit)) return other_node(kit->part);
  return kit;
}

Result<Json> check(NodeAccess& node, const Json& args) {
  Arguments in(args);
  const auto codes = in.texts("codes");
  if (auto done = in.done(); !done) return forward(done);
  return node.read([&](Reader&, const Directory& directory) -> Result<Json> {
    Json checked = Json::array();
    for (const std::string& code : codes.value_or(std::vector<std::string>())) {
      const auto kit = own_secret(directory, code);
      checked.push_back(kit ? Json{{"right", true}, {"part", name_of(kit->part)}}
                            : Json{{"right", false},
                                   {"code", kit.error().code},
                                   {"why", kit.error().what},
                                   {"next", kit.error().next}});
    }
    return Json{{"checked", std::move(checked)}};
  });
}

// Whose kit it is.
Result<Json> facts(NodeAccess& node, const Json& args) {
  if (auto done = Arguments(args).done(); !done) return forward(done);
  return node.read([&](Reader& reader, const Directory& directory) -> Result<Json> {
    return Json{{"federation", to_hex(directory.authority().federation().view())},
                {"authority", to_hex(own_chapter(directory).certificate.authority.view())},
                {"federation_name", federation_name(directory)},
                {"chapter", own_chapter(directory).certificate.code},
                {"name", own_name(reader, directory)}};
  });
}

constexpr std::array verbs{
    Verb{"kit.check", Needs::nothing, check},
    Verb{"kit.facts", Needs::nothing, facts},
};

}  // namespace

std::span<const Verb> kit_verbs() {
  return verbs;
}

Json kit_json(const FederationId& federation, ByteView authority_seed, ByteView chapter_seed) {
  return {{"authority", kit_code(KitPart::authority, federation.view(), authority_seed)},
          {"chapter", kit_code(KitPart::chapter, federation.view(), chapter_seed)}};
}

Result<Json> show_kit(const Config& config, const Json& facts) {
  const auto secrets = key_secrets();
  if (!secrets) return forward(secrets);
  const auto id = FederationId::from(from_hex(facts.value("federation", "")).value_or(Bytes()));
  const auto in_use = PublicKey::from(from_hex(facts.value("authority", "")).value_or(Bytes()));
  if (!id || !in_use) {
    return fail(Errc::not_compatible, "kit.facts", "The daemon is of an older release.",
                "Nothing was changed.", "Start the daemon again: chapterd run");
  }
  const std::string folder = config.node.data;
  const auto authority =
      read_seed(authority_file(folder, *in_use, *secrets), KeyPurpose::authority, *secrets);
  if (!authority) return forward(authority);
  const auto chapter = read_seed(folder + "/chapter.key", KeyPurpose::chapter, *secrets);
  if (!chapter) return forward(chapter);
  return kit_json(*id, authority->view(), chapter->view());
}

Result<Json> restore_kit(const Config& config, const std::vector<std::string>& codes) {
  return without_throwing([&]() -> Result<Json> {
    if (auto started = start_crypto(); !started) return forward(started);
    const auto secrets = key_secrets();
    if (!secrets) return forward(secrets);
    if (auto checked = check_for_new(*secrets); !checked) return forward(checked);
    const auto folder = open_folder(config.node.data, Create::no);
    if (!folder) return forward(folder);
    const auto store = open_database(*folder, nullptr);
    if (!store) return forward(store);
    const auto directory = Directory::load(Snapshot(**store));
    if (!directory) return forward(directory);
    std::vector<KitSecret> kits;
    for (const std::string& code : codes) {
      auto kit = own_secret(*directory, code);
      if (!kit) return forward(kit);
      if (kit->part != KitPart::recovery) kits.push_back(std::move(*kit));
    }
    SystemRandom random;
    Json restored = Json::array();
    for (const KitSecret& kit : kits) {
      const bool is_authority = kit.part == KitPart::authority;
      auto written = write_seed(is_authority ? folder->authority_key() : folder->chapter_key(),
                                is_authority ? KeyPurpose::authority : KeyPurpose::chapter,
                                kit.secret.view(), *secrets, random);
      if (!written) return forward(written);
      restored.push_back(name_of(kit.part));
    }
    return Json{{"restored", std::move(restored)}};
  });
}

}  // namespace chapterd
