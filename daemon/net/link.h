// One connection: moves bytes between a socket, TLS and a Session, and what came to verification
// and to the writer.
#pragma once

#include "daemon/net/asio.h"
#include "daemon/net/context.h"
#include "daemon/net/gate.h"
#include "daemon/net/tls.h"
#include "replication/format/frame.h"
#include "replication/session.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace chapterd {

struct LinkOptions {
  Side side = Side::listener;
  std::string address;                // of the other end, for people
  std::optional<PublicKey> expected;  // dialler: who must answer; nothing: any certified node
  std::uint64_t budget_bytes = 0;
  bool push_at_once = false;
  Patience patience{};
  Lanes lanes = Lanes::all;
};

// Loop thread only. Held by shared_ptr: work on other threads refers to it weakly.
class Link final : public std::enable_shared_from_this<Link> {
 public:
  enum class Phase {
    handshake,  // of TLS
    greeting,   // the key is proved but not known: its first frame decides
    joining,    // the writer works on its request
    session,
    closing,  // says goodbye; end_code() tells why
  };

  Link(const LinkContext& context, LinkOwner& owner, asio::tcp::socket socket, LinkOptions options);

  void start();

  // The directory has followed the log.
  void committed();
  // Looks at deadlines.
  void tick(Instant now);
  // Ends without a goodbye.
  void cut(const std::string& code);
  // Says goodbye with this code, and when to call again at the earliest. Nothing when it is closing
  // already.
  void close(const std::string& code, std::uint64_t retry_after_ms = 0);

  [[nodiscard]] Phase phase() const { return phase_; }

  // Known once the handshake is complete.
  [[nodiscard]] const std::optional<PublicKey>& peer() const { return peer_; }

  [[nodiscard]] const LinkOptions& options() const { return options_; }

  // Null before there is one; stays when it is closed.
  [[nodiscard]] const Session* session() const { return session_ ? &*session_ : nullptr; }

  // Whether that is no stranger: it is certified in this federation, or was called from here.
  [[nodiscard]] bool is_known() const;

  // When bytes last came; nothing before the first.
  [[nodiscard]] const std::optional<Instant>& heard() const { return heard_; }

  // Entries that came in this session and are stored.
  [[nodiscard]] std::uint64_t entries_received() const { return entries_received_; }

  [[nodiscard]] bool was_open() const { return was_open_; }

  // Something went its way, here or there.
  [[nodiscard]] bool was_useful() const {
    return entries_received_ > 0 || (session_ && session_->was_useful());
  }

  [[nodiscard]] const std::string& end_code() const { return end_code_; }

 private:
  class ReceiveJob;

  asio::awaitable<void> read_loop();
  asio::awaitable<void> write_loop();
  void loop_ended(const std::exception_ptr& thrown);

  // link.cpp: bytes
  [[nodiscard]] bool wants_input() const;
  void read_socket();
  void take_input();
  [[nodiscard]] std::size_t decrypt(std::span<std::uint8_t> into);
  void deliver(ByteView plain);
  [[nodiscard]] Bytes next_output();
  void write_plain(ByteView plain);
  void begin_closing(const std::string& code);
  void say(const Frame& frame);
  void tick_session(Instant now);

  // link_session.cpp: meaning
  void identify();
  void greet(ByteView plain);
  void answer(const JoinFrame& join);
  void joined(const Result<Bytes>& answer);
  void open_session();
  void announce();
  void follow_session();
  void without_damage(const std::function<void()>& work);
  void go_on();
  void note_stream(const Result<void>& taken) const;
  void pass_on();
  void verified();
  void stored(const Result<StoredWindow>& window, std::size_t entries);

  const LinkContext context_;
  LinkOwner& owner_;
  const LinkOptions options_;
  asio::tcp::socket socket_;
  TlsChannel tls_;
  Gate input_gate_;   // there is room for input again
  Gate output_gate_;  // there may be something to send
  int loops_ = 0;     // coroutines that run

  Phase phase_ = Phase::handshake;
  std::optional<PublicKey> peer_;
  Instant deadline_;  // of every phase but joining and session
  std::optional<Instant> heard_;
  std::string end_code_;
  bool is_announced_ = false;  // to its owner, as open
  bool was_open_ = false;
  bool said_goodbye_ = false;
  Bytes sending_;  // what the socket is writing

  // Greeting.
  FrameParser greeting_parser_;
  Bytes greeting_;

  std::optional<Session> session_;
  bool verifying_ = false;
  std::size_t storing_ = 0;  // windows between verification and stored()
  std::uint64_t entries_received_ = 0;
};

}  // namespace chapterd
