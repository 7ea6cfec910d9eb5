// Asks a node further up than the chapter above, now and then, for statements alone: whoever stands
// between can keep back a revocation of itself, but not for ever.
#pragma once

#include "daemon/net/attempt.h"
#include "daemon/net/peers.h"

#include <memory>
#include <optional>
#include <string>

namespace chapterd {

class Link;

// Loop thread only. Addresses come from the configuration: no certificate names any, and what the
// chapter above says of them would help nobody against it. Whoever answers there must be certified,
// for a chapter above the one right above ours.
class Ancestors {
 public:
  explicit Ancestors(Peers& owner);

  // After the store can be read.
  void start();
  // Calls when it is time; ends what is done.
  void tick(Instant now);
  void call_now();
  // Nothing is called any more.
  void stop();
  // Of a link that came from here.
  void link_ended(const Link& link);

  // Nothing when there is nobody to ask: no address, or no chapter further up.
  [[nodiscard]] std::optional<AncestorsStatus> status() const;

 private:
  [[nodiscard]] bool has_somebody() const;
  [[nodiscard]] bool is_further_up(const PublicKey& node) const;
  void connected(asio::error_code error, asio::tcp::socket socket);
  void failed(const std::string& code);
  void answered();
  void wait(std::int64_t least_ms, std::int64_t spread_ms);

  Peers* owner_;  // null after stop()
  const std::shared_ptr<Attempt> attempt_;
  Link* link_ = nullptr;  // the one that came of it
  bool is_answered_ = false;
  std::size_t next_address_ = 0;
  Instant next_;                  // by the even clock
  std::optional<Instant> asked_;  // by the date
  std::string end_code_;          // of the last call, when it failed
};

}  // namespace chapterd
