// Socket first, folder second.
#include "daemon/operations/reach.h"

#include "daemon/control/control_client.h"
#include "daemon/operations/node_caller.h"

namespace chapterd {

Result<std::unique_ptr<Caller>> reach_node(const Config& config) {
  auto daemon = ControlClient::connect(config.control.socket);
  if (daemon || daemon.error().kind != Errc::unreachable) return daemon;
  return NodeCaller::open(config);
}

}  // namespace chapterd
