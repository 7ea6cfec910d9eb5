// The command line's end of the control socket.
#pragma once

#include "daemon/control/caller.h"

#include <memory>
#include <string>

namespace chapterd {

class ControlClient final : public Caller {
 public:
  // Waits at most two seconds. Errors: daemon.not-running (Errc::unreachable) when nobody listens
  // there, control.refused (not_allowed) when this user may not, control.socket (failed).
  [[nodiscard]] static Result<std::unique_ptr<Caller>> connect(const std::string& socket_path);

  ControlClient(const ControlClient&) = delete;
  ControlClient& operator=(const ControlClient&) = delete;
  ~ControlClient() override;

  // Beside what the verb itself says: control.too-large, daemon.gone (unreachable; whether a write
  // happened is not known), control.malformed.
  [[nodiscard]] Result<nlohmann::json> call(std::string_view verb,
                                            const nlohmann::json& args) override;

 private:
  explicit ControlClient(int socket) : socket_(socket) {}

  int socket_;
};

}  // namespace chapterd
