// Opening in the order in which things need each other.
#include "daemon/operations/opened_node.h"

#include "daemon/operations/keys.h"
#include "daemon/operations/node_folder.h"

#include <utility>

namespace chapterd {
namespace {

// The certificate of this node is among its first entries. It may have become void since.
Result<void> check_complete(const Directory& directory) {
  if (directory.authority().chapter(directory.chapter()) != nullptr) return {};
  return fail(Errc::failed, "node.incomplete", "The database does not certify this node.",
              "Nothing was changed.", "Put the database back from a backup of this folder.");
}

}  // namespace

OpenedNode::OpenedNode(const Config& config, DataFolder folder, Kinds kinds, SigningKey key)
    : config_(config),
      folder_(std::move(folder)),
      kinds_(std::move(kinds)),
      key_(std::move(key)),
      parts_{config_, folder_, kinds_, date_, random_, key_, nullptr},
      mark_(folder_.instance()) {}

OpenedNode::~OpenedNode() {
  if (!replica_) return;
  try {
    replica_->close();
  } catch (const DiskFull&) {  // NOLINT(bugprone-empty-catch): an older mark notices less, no more
  } catch (const Broken&) {    // NOLINT(bugprone-empty-catch): said by whoever wrote last
  }
}

Result<std::unique_ptr<OpenedNode>> OpenedNode::open(const Config& config) {
  if (auto started = start_crypto(); !started) return forward(started);
  auto kinds = Kinds::load();
  if (!kinds) return forward(kinds);
  auto folder = open_folder(config.node.data, Create::no);
  if (!folder) return forward(folder);
  auto store = open_database(*folder);
  if (!store) return forward(store);
  const auto secrets = key_secrets();
  if (!secrets) return forward(secrets);
  auto key = read_key(folder->node_key(), KeyPurpose::node, *secrets);
  if (!key) return forward(key);
  std::unique_ptr<OpenedNode> node(
      new OpenedNode(config, std::move(*folder), std::move(*kinds), std::move(*key)));
  node->store_ = std::move(*store);
  auto replica = Replica::open(*node->store_, node->date_, node->random_, node->key_);
  if (!replica) return forward(replica);
  node->replica_ = std::move(*replica);
  const Directory& directory = node->replica_->directory();
  if (auto checked = check_complete(directory); !checked) return forward(checked);
  const KnownChapter* chapter = directory.authority().chapter(directory.chapter());
  auto authority =
      authority_in_use(node->folder_, chapter->certificate.authority, *secrets, node->random_);
  if (!authority) return forward(authority);
  if (*authority)
    node->parts_.authority = std::make_shared<const SigningKey>(std::move(**authority));
  node->replica_->keep_mark(node->mark_);
  if (node->replica_->must_rebuild()) {
    if (auto rebuilt = node->replica_->rebuild(); !rebuilt) return forward(rebuilt);
  }
  return node;
}

}  // namespace chapterd
