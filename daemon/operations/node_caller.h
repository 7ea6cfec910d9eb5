// Calls verbs on a node opened in this process, while no daemon runs.
#pragma once

#include "config/config.h"
#include "daemon/operations/caller.h"
#include "daemon/operations/opened_node.h"

#include <memory>

namespace chapterd {

class LocalAccess;

class NodeCaller final : public Caller {
 public:
  // Errors: those of OpenedNode::open(), of which folder.in-use says that a daemon holds it;
  // store.disk-full, store.broken.
  [[nodiscard]] static Result<std::unique_ptr<Caller>> open(const Config& config);

  NodeCaller(const NodeCaller&) = delete;
  NodeCaller& operator=(const NodeCaller&) = delete;
  ~NodeCaller() override;

  // Beside what the verb itself says: store.disk-full, store.broken. After store.broken every call
  // gives that.
  [[nodiscard]] Result<nlohmann::json> call(std::string_view verb,
                                            const nlohmann::json& args) override;

 private:
  explicit NodeCaller(std::unique_ptr<OpenedNode> node);

  [[nodiscard]] Result<nlohmann::json> met_damage(const Error& error);

  std::unique_ptr<OpenedNode> node_;
  std::unique_ptr<LocalAccess> access_;
  std::optional<Error> broken_;
};

}  // namespace chapterd
