// One end of a connection with its session, composed as daemon/net/link composes it.
#pragma once

#include "replication/session.h"
#include "tests/sim/sim_network.h"

#include <memory>
#include <optional>
#include <string>

namespace chapterd::sim {

class Process;

struct LinkOptions {
  Side side = Side::listener;
  int peer_machine = 0;
  PublicKey peer;
  bool push_at_once = false;
};

class SimLink final : public Socket, public std::enable_shared_from_this<SimLink> {
 public:
  SimLink(Process& owner, const LinkOptions& options);
  ~SimLink() override = default;

  // The connection is there; start() once the process gets to it.
  void attach(ConnectionId connection) { connection_ = connection; }

  void start();

  void arrived(Bytes&& bytes) override;
  void can_write() override;
  void broken() override;

  // The log grew and the directory has followed it.
  void committed();
  void close(const std::string& code);
  // The process is gone: nothing is said any more.
  void vanish(bool silently);

  [[nodiscard]] bool has_ended() const { return ended_; }

  [[nodiscard]] bool was_open() const { return was_open_; }

  [[nodiscard]] const Session* session() const { return session_ ? &*session_ : nullptr; }

  [[nodiscard]] const LinkOptions& options() const { return options_; }

 private:
  void read();
  void go_on();
  void follow_session();
  void pass_on();
  void corrupt(InboundWindow& window);
  void tell_inbound(const InboundWindow& window);
  void write_out();
  void end();
  void schedule_tick();
  void verified(VerifiedWindow&& window);

  Process& owner_;
  const LinkOptions options_;
  ConnectionId connection_ = 0;
  std::optional<Session> session_;
  Bytes unread_;
  Bytes unsent_;
  bool is_reading_ = false;
  bool verifying_ = false;
  int storing_ = 0;
  bool was_open_ = false;
  bool ended_ = false;
  Instant tick_at_{INT64_MAX};
};

}  // namespace chapterd::sim
