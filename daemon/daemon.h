// The composition root: puts a node's parts together, runs them, and takes them apart again.
#pragma once

#include "base/result.h"
#include "config/config.h"

#include <memory>
#include <string>

namespace chapterd {

class Daemon {
 public:
  // Opens the folder, the database, the sockets. Errors: those of OpenedNode::open(),
  // Peers::start(), ControlServer::open(), store.disk-full, store.broken.
  [[nodiscard]] static Result<std::unique_ptr<Daemon>> open(const Config& config);

  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;
  ~Daemon();

  // Runs until SIGTERM, SIGINT or stop(). Then peers hear goodbye, calls under way are answered and
  // what waits is written. Call it once. Error: store.broken when the machine failed underneath;
  // nothing was acknowledged after that.
  [[nodiscard]] Result<void> run();

  // Any thread; run() returns soon after.
  void stop();

  // Where nodes below reach it, with the port that the system chose; empty when it does not listen.
  [[nodiscard]] const std::string& listens_at() const;

 private:
  class Parts;

  explicit Daemon(std::unique_ptr<Parts> parts);

  std::unique_ptr<Parts> parts_;
};

// Opens and runs.
[[nodiscard]] Result<void> run_daemon(const Config& config);

}  // namespace chapterd
