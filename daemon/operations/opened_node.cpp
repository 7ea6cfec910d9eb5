// Opening in the order in which things need each other.
#include "daemon/operations/opened_node.h"

#include "daemon/operations/keys.h"
#include "daemon/operations/node_folder.h"

#include <unistd.h>
#include <utility>

namespace chapterd {
namespace {

// The certificate of this node is among its first entries. It may have become void since.
Result<void> check_complete(const Directory& directory) {
  if (directory.authority().chapter(directory.chapter()) != nullptr) return {};
  return fail(Errc::failed, "node.incomplete", "The database does not certify this node.",
              "Nothing was changed.", "Put the database back from a backup of this folder.");
}

bool waits_for_passphrase(const Error& error) {
  return error.code == "key.passphrase-needed";
}

}  // namespace

OpenedNode::OpenedNode(const Config& config,
                       DataFolder folder,
                       Kinds kinds,
                       SigningKey key,
                       std::string machine_file,
                       std::unique_ptr<SystemRandom> random,
                       std::unique_ptr<ChapterVault> vault)
    : config_(config),
      folder_(std::move(folder)),
      kinds_(std::move(kinds)),
      random_(std::move(random)),
      vault_(std::move(vault)),
      key_(std::move(key)),
      machine_file_(std::move(machine_file)),
      parts_{config_,    folder_, kinds_,   date_,   *random_,      key_,
             authority_, *vault_, members_, damage_, machine_file_, locked_because_},
      mark_(folder_.instance()) {}

OpenedNode::~OpenedNode() {
  if (!replica_) return;
  try {
    replica_->close();
  } catch (const DiskFull&) {  // NOLINT(bugprone-empty-catch): an older mark notices less, no more
  } catch (const Broken&) {    // NOLINT(bugprone-empty-catch): said by whoever wrote last
  }
}

// A key that waits for its passphrase stays locked, and so does a chapter's that cannot be used:
// what is shared goes on without it. A wrong passphrase is told to whoever typed it.
Result<void> OpenedNode::unlock(const KeySecrets& secrets) {
  const Directory& directory = replica_->directory();
  const KnownChapter* chapter = directory.authority().chapter(directory.chapter());
  auto authority = authority_in_use(folder_, chapter->certificate.authority, secrets, *random_);
  if (!authority && !waits_for_passphrase(authority.error())) return forward(authority);
  if (authority && *authority) {
    if (auto agreed = replica_->agree_to(**authority); !agreed) return agreed;
    replica_->commit();
    authority_.set(std::make_shared<const SigningKey>(std::move(**authority)));
  }
  const auto seed = read_seed(folder_.chapter_key(), KeyPurpose::chapter, secrets);
  if (!seed && seed.error().code == "key.wrong-passphrase") return forward(seed);
  if (!seed && waits_for_passphrase(seed.error())) return {};
  const auto unlocked =
      seed ? replica_->unlock(BoxKey::from_seed(seed->view())) : Result<void>(forward(seed));
  if (!unlocked) locked_because_ = unlocked.error();
  replica_->commit();
  return {};
}

void OpenedNode::follow_authority() {
  const Authority& known = replica_->directory().authority();
  if (std::exchange(followed_, known.version()) == known.version()) return;
  const KnownChapter* chapter = known.chapter(replica_->directory().chapter());
  const auto held = authority_.get();
  if (chapter == nullptr) return;
  const PublicKey& in_use = chapter->certificate.authority;
  const bool waits = ::access(folder_.next_authority_key().c_str(), F_OK) == 0;
  if (held == nullptr ? !waits : held->public_key() == in_use) return;
  const auto secrets = key_secrets();
  auto key = secrets ? authority_in_use(folder_, in_use, *secrets, *random_)
                     : Result<std::optional<SigningKey>>(std::nullopt);
  const bool is_here = key && *key;
  authority_.set(is_here ? std::make_shared<const SigningKey>(std::move(**key)) : nullptr);
}

Result<std::unique_ptr<OpenedNode>> OpenedNode::open(const Config& config) {
  if (auto started = start_crypto(); !started) return forward(started);
  auto kinds = Kinds::load();
  if (!kinds) return forward(kinds);
  auto folder = open_folder(config.node.data, Create::no);
  if (!folder) return forward(folder);
  auto random = std::make_unique<SystemRandom>();
  auto vault = std::make_unique<ChapterVault>(*random);
  auto store = open_database(*folder, vault.get());
  if (!store) return forward(store);
  const auto secrets = key_secrets();
  if (!secrets) return forward(secrets);
  auto key = read_key(folder->node_key(), KeyPurpose::node, *secrets);
  if (!key) return forward(key);
  std::unique_ptr<OpenedNode> node(new OpenedNode(config, std::move(*folder), std::move(*kinds),
                                                  std::move(*key), secrets->machine_file,
                                                  std::move(random), std::move(vault)));
  node->store_ = std::move(*store);
  auto replica =
      Replica::open(*node->store_, node->date_, *node->random_, node->key_, *node->vault_);
  if (!replica) return forward(replica);
  node->replica_ = std::move(*replica);
  if (auto checked = check_complete(node->replica_->directory()); !checked) return forward(checked);
  node->replica_->keep_mark(node->mark_);
  if (auto unlocked = node->unlock(*secrets); !unlocked) return forward(unlocked);
  if (node->replica_->must_rebuild()) {
    if (auto rebuilt = node->replica_->rebuild(); !rebuilt) return forward(rebuilt);
  }
  if (const auto damage = node->replica_->take_damage())
    node->damage_.note(*damage, node->date_.now());
  return node;
}

}  // namespace chapterd
