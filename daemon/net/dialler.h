// Calls the chapter above: which address, when, and how long to wait after a failure.
#pragma once

#include "daemon/net/attempt.h"
#include "daemon/net/peers.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace chapterd {

class Link;

// Loop thread only.
class Dialler {
 public:
  explicit Dialler(Peers& owner);

  // Calls when it is time; ends calls that take too long.
  void tick(Instant now);
  // Forgets the back-off.
  void call_now();
  // Ends what is under way. Nothing is called any more until call_now().
  void stop();
  // Of a link that came from here.
  void link_ended(const Link& link);

  // The parent as it stands while no link to it exists; nothing when there is none to call.
  [[nodiscard]] std::optional<PeerStatus> status() const;

  [[nodiscard]] bool is_calling() const { return attempt_->is_under_way(); }

 private:
  // Addresses in the order in which they are tried, and who must answer there.
  struct Parent {
    PublicKey key;
    std::vector<std::string> addresses;
  };

  [[nodiscard]] std::optional<Parent> parent() const;
  [[nodiscard]] std::vector<std::string> stored_addresses() const;
  void call();
  void connected(asio::error_code error, asio::tcp::socket socket);
  void failed(const std::string& code, std::int64_t retry_after_ms);
  void wait_for_next(std::int64_t retry_after_ms);

  Peers* owner_;  // null after stop()
  const std::shared_ptr<Attempt> attempt_;
  Link* link_ = nullptr;  // the one that came of it
  std::optional<Parent> called_;
  std::size_t next_address_ = 0;
  std::size_t failures_ = 0;  // in a row
  Instant next_;
  std::string end_code_;
  bool is_asked_ = false;     // to call at once
  bool had_session_ = false;  // with this parent, the last time
};

}  // namespace chapterd
