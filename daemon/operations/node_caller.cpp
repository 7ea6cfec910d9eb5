// The verbs on the spot: one thread, one connection.
#include "daemon/operations/node_caller.h"

#include "daemon/operations/disk.h"
#include "daemon/operations/operations.h"
#include "daemon/operations/store_trouble.h"

#include <nlohmann/json.hpp>

#include <utility>

namespace chapterd {

class LocalAccess final : public NodeAccess {
 public:
  explicit LocalAccess(OpenedNode& node) : node_(node) {}

  Result<nlohmann::json> read(const Read& read) override {
    return read(node_.store(), node_.replica().directory());
  }

  Result<nlohmann::json> write(const Write& write) override {
    auto answer = write(node_.replica());
    if (answer) node_.replica().commit();
    if (answer) node_.replica().drop_remains();
    if (!answer && node_.replica().has_staged()) node_.replica().abandon();
    return answer;
  }

  Result<nlohmann::json> write_alone(const Write& write_) override { return write(write_); }

  Connections* connections() override { return nullptr; }

  [[nodiscard]] Result<DiskSpace> disk() const override {
    return disk_space(node_.config().node.data, node_.config().store.disk_low_bytes);
  }

  [[nodiscard]] const NodeParts& parts() const override { return node_.parts(); }

 private:
  OpenedNode& node_;
};

NodeCaller::NodeCaller(std::unique_ptr<OpenedNode> node)
    : node_(std::move(node)), access_(std::make_unique<LocalAccess>(*node_)) {}

NodeCaller::~NodeCaller() = default;

Result<std::unique_ptr<Caller>> NodeCaller::open(const Config& config) {
  return without_throwing([&]() -> Result<std::unique_ptr<Caller>> {
    auto node = OpenedNode::open(config);
    if (!node) return forward(node);
    return std::unique_ptr<Caller>(new NodeCaller(std::move(*node)));
  });
}

Result<nlohmann::json> NodeCaller::call(std::string_view verb, const nlohmann::json& args) {
  if (broken_) return fail(*broken_);
  try {
    return perform(*access_, verb, args);
  } catch (const DiskFull& thrown) {
    // A commit that failed has taken everything back; staging that fails halfway has not.
    Error error = store_trouble(thrown);
    if (node_->replica().has_staged()) broken_ = error;
    return fail(std::move(error));
  } catch (const Damaged& damaged) {
    return met_damage(damaged.error);
  } catch (const std::exception& thrown) {
    broken_ = store_trouble(thrown);
    return fail(*broken_);
  }
}

// What was half staged must not be committed by the next call.
Result<nlohmann::json> NodeCaller::met_damage(const Error& error) {
  try {
    node_->replica().abandon();
  } catch (const std::exception& thrown) {
    broken_ = store_trouble(thrown);
  }
  node_->parts().damage.note(error, node_->date().now());
  return fail(error);
}

}  // namespace chapterd
