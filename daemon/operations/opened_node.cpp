// Opening in the order in which things need each other.
#include "daemon/operations/opened_node.h"

#include "daemon/operations/founding.h"
#include "daemon/operations/keys.h"

#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace chapterd {
namespace {

// Before SQLite would make the file.
Result<void> check_initialised(const DataFolder& folder) {
  if (::access(folder.database().c_str(), F_OK) == 0) return {};
  if (::access(pending_join_file(folder).c_str(), F_OK) == 0) {
    return fail(Errc::needs_person, "join.pending",
                "This folder waits for the answer of the chapter above.",
                "The keys and the request to join are kept.",
                "Hand its answer in: chapterd join FILE");
  }
  return fail(Errc::not_found, "node.not-initialised", "This folder holds no node yet.",
              "Nothing was changed.",
              "Found a federation with 'chapterd init', or join one with 'chapterd join'.");
}

// Founding was cut short between its two transactions.
Result<void> check_complete(const Directory& directory) {
  if (directory.authority().node(directory.self()) != nullptr) return {};
  return fail(Errc::failed, "node.incomplete", "Setting this node up was cut short.",
              "Nothing was written with it yet.",
              "Do it again: chapterd init, or chapterd join with the same invite.");
}

}  // namespace

OpenedNode::OpenedNode(const Config& config,
                       DataFolder folder,
                       Kinds kinds,
                       SigningKey key,
                       std::shared_ptr<const SigningKey> authority)
    : config_(config),
      folder_(std::move(folder)),
      kinds_(std::move(kinds)),
      key_(std::move(key)),
      parts_{config_, folder_, kinds_, date_, random_, key_, std::move(authority)} {}

Result<std::unique_ptr<OpenedNode>> OpenedNode::open(const Config& config) {
  if (auto started = start_crypto(); !started) return forward(started);
  auto kinds = Kinds::load();
  if (!kinds) return forward(kinds);
  auto folder = DataFolder::open(config.node.data, Create::no);
  if (!folder) return forward(folder);
  if (auto checked = check_initialised(*folder); !checked) return forward(checked);
  auto store = SqliteStore::open(folder->database(), {});
  if (!store) return forward(store);
  const auto secrets = key_secrets();
  if (!secrets) return forward(secrets);
  auto key = read_key(folder->node_key(), KeyPurpose::node, *secrets);
  if (!key) return forward(key);
  std::shared_ptr<const SigningKey> authority;
  auto read = read_key(folder->authority_key(), KeyPurpose::authority, *secrets);
  if (!read && read.error().kind != Errc::not_found) return forward(read);
  if (read) authority = std::make_shared<const SigningKey>(std::move(*read));

  std::unique_ptr<OpenedNode> node(new OpenedNode(config, std::move(*folder), std::move(*kinds),
                                                  std::move(*key), std::move(authority)));
  node->store_ = std::move(*store);
  auto replica = Replica::open(*node->store_, node->date_, node->random_, node->key_);
  if (!replica) return forward(replica);
  node->replica_ = std::move(*replica);
  if (auto checked = check_complete(node->replica_->directory()); !checked) return forward(checked);
  if (node->replica_->must_rebuild()) {
    if (auto rebuilt = node->replica_->rebuild(); !rebuilt) return forward(rebuilt);
  }
  return node;
}

}  // namespace chapterd
