// Socket first, folder second.
#include "daemon/operations/reach.h"

#include "daemon/control/control_client.h"
#include "daemon/operations/node_caller.h"
#include "daemon/operations/node_folder.h"

namespace chapterd {

Result<std::unique_ptr<Caller>> reach_node(const Config& config) {
  auto daemon = ControlClient::connect(config.control.socket);
  if (daemon) return daemon;
  // Somebody else's folder hides its socket too, whether or not a daemon listens there.
  if (auto checked = check_may_use(config.node.data); !checked) return forward(checked);
  if (daemon.error().kind != Errc::unreachable) return daemon;
  return NodeCaller::open(config);
}

}  // namespace chapterd
