// Every connection of this node: listens, dials the chapter above, backs off, ends links on
// revocation.
#pragma once

#include "base/random.h"
#include "base/time.h"
#include "config/config.h"
#include "daemon/net/context.h"
#include "daemon/net/day_budget.h"
#include "replication/session.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace chapterd {

class Ancestors;
class Dialler;
class Listener;

// Names of values in the store by which a node knows the one above it; `join` writes them.
namespace stored_name {
inline constexpr const char* parent_key = "peer/parent-key";              // 32 bytes
inline constexpr const char* parent_addresses = "peer/parent-addresses";  // host:port lines
inline constexpr const char* ancestors_asked = "net/ancestors-asked";     // date u64
}  // namespace stored_name

// The key of the node above: of the move that brought the chapter where it is, else that of the
// invite; nothing at the top.
[[nodiscard]] std::optional<PublicKey> parent_key(Reader& reader, const Directory& directory);

struct PeersOptions {
  std::string listen;                  // host:port; empty: do not listen
  std::vector<std::string> parents;    // instead of the stored addresses; empty: those
  std::vector<std::string> ancestors;  // nodes further up, asked for statements now and then
  std::int64_t ancestors_every_ms = 7LL * 24 * 3600 * 1000;
  std::int64_t retry_min_ms = 5'000;
  std::int64_t retry_max_ms = 900'000;
  std::uint64_t budget_session_bytes = 0;
  std::uint64_t budget_day_bytes = 0;  // 0: none
  Patience patience{};
  std::int64_t tick_ms = 1'000;  // how often deadlines are looked at
  std::size_t strangers = 64;    // connections at a time that are not authenticated yet
  std::size_t strangers_an_address = 16;
};

// What one machine or household has many of counts as one: of an IPv6 address the first 64 bits.
[[nodiscard]] std::string origin_of(const std::string& address);

[[nodiscard]] PeersOptions peers_options(const Config& config);

enum class PeerState { waiting, connecting, opening, open, ended };

// One peer as a person wants to see it. A peer that hung up stays in the list as `ended`.
struct PeerStatus {
  std::optional<PublicKey> key;  // none before the handshake
  std::string chapter;           // code; empty when not known
  std::string address;           // host:port
  Side side = Side::dialler;
  PeerState state = PeerState::waiting;
  bool caught_up = false;
  bool stays_different = false;
  bool is_saving = false;              // nothing but statements and receipts: a budget of the day
  std::uint64_t entries_sent = 0;      // in the current or last session
  std::uint64_t entries_received = 0;  // in the current or last session
  std::uint64_t waiting_bytes = 0;
  std::optional<std::int64_t> clock_ahead_ms;  // of ours; as of the last call that we made
  std::optional<Instant> heard;                // by the clock handed in
  std::string end_code;              // of the last session or attempt; empty when none ended
  std::optional<Instant> next_dial;  // only while waiting
};

// Of the nodes further up than the chapter above.
struct AncestorsStatus {
  std::optional<Instant> asked;  // when one last told all its statements, by the date
  std::string end_code;          // why the newest call failed; empty when it did not
};

// Loop thread only, but for committed(). Everything in the context must outlive the object; the
// writer must have stopped before the object goes when its events lead to committed(). So, to end:
// stop(), in its `done` stop the loop, then the pool, then the writer; then the objects may go in
// any order, the io_context last.
class Peers final : private LinkOwner {
 public:
  // Nothing happens before start(). `refreshed` may be empty; it is called after the directory
  // followed the log, with its newest arrival.
  Peers(const LinkContext& context, PeersOptions options, std::function<void(Arrival)> refreshed);
  Peers(const Peers&) = delete;
  Peers& operator=(const Peers&) = delete;
  ~Peers() override;

  // Binds and begins to dial. Errors: net.address (Errc::usage), net.listen (Errc::failed).
  [[nodiscard]] Result<void> start();

  // Says goodbye to everybody. `done` is called on the loop once no connection is left, within
  // two seconds; the object may go only then.
  void stop(std::function<void()> done);

  // Any thread: the log has grown. Refreshes the directory once for all links, then tells them.
  void committed();

  // Dials at once, whatever the back-off says; nothing when there is a link already.
  void sync_now();

  // Asks a node further up for statements at once. Nothing when there is nobody to ask, or while
  // paused.
  void ask_ancestors();
  // Nothing when there is nobody to ask.
  [[nodiscard]] std::optional<AncestorsStatus> ancestors() const;

  // While paused there are no links and no attempts, and whoever calls is hung up on.
  void pause();
  void resume();

  [[nodiscard]] bool is_paused() const { return paused_; }

  // Bytes moved today on all links, both ways; 0 when there is no budget of the day.
  [[nodiscard]] std::uint64_t day_used_bytes() const;

  // That budget is used up: until tomorrow only statements and receipts are exchanged.
  [[nodiscard]] bool is_day_spent() const { return is_day_spent_; }

  // The parent first, then by chapter and key.
  [[nodiscard]] std::vector<PeerStatus> status() const;

  // Where it listens, as host:port with the port that the system chose; empty when it does not.
  [[nodiscard]] std::string listens_at() const;

  // Connections now, and of those the ones of which it is not known yet who they are.
  [[nodiscard]] std::size_t connections() const { return links_.size(); }

  [[nodiscard]] std::size_t strangers() const { return strangers_.size(); }

 private:
  struct Shared;
  friend class Ancestors;
  friend class Dialler;
  friend class Listener;

  void link_moved(std::size_t bytes) override;
  void link_opened(Link& link) override;
  void link_closing(Link& link) override;
  void link_ended(Link& link) override;

  void adopt(const std::shared_ptr<Link>& link);
  bool make_room(const std::string& address);
  [[nodiscard]] const Link* outsider(const std::string& origin) const;
  void note_familiar(const Link& link);
  void follow_log();
  void arm_timer(std::int64_t after_ms);
  void tick();
  void end_all(const char* code);
  void follow_budget();
  void note_budget();

  // What links that begin now are for.
  [[nodiscard]] Lanes lanes() const { return is_day_spent_ ? Lanes::without_bulk : Lanes::all; }

  void finish_when_empty();
  [[nodiscard]] PeerStatus status_of(const Link& link) const;

  const LinkContext context_;
  const PeersOptions options_;
  const std::function<void(Arrival)> refreshed_;
  const std::shared_ptr<Shared> shared_;  // with handlers that may run when the object is gone
  std::map<const Link*, std::shared_ptr<Link>> links_;

  // Links of which it is not known yet who they are.
  struct Stranger {
    std::uint64_t number = 0;  // in the order in which they came
    std::string origin;        // origin_of() its address
    bool is_familiar = false;  // a certified node was heard from there
  };

  std::map<const Link*, Stranger> strangers_;
  std::uint64_t strangers_seen_ = 0;
  std::set<std::string> familiar_;        // origins of certified nodes
  std::map<PublicKey, PeerStatus> past_;  // of certified nodes whose link ended
  DayBudget budget_;
  bool is_day_spent_ = false;
  bool paused_ = false;
  std::function<void()> stopped_;  // set while stopping
  std::unique_ptr<Dialler> dialler_;
  std::unique_ptr<Ancestors> ancestors_;
  std::shared_ptr<Listener> listener_;
};

}  // namespace chapterd
