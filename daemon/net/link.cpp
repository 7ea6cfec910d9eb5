// The moving of bytes. What they mean: link_session.cpp.
#include "daemon/net/link.h"

#include "daemon/log.h"
#include "replication/format/limits.h"

#include <utility>

namespace chapterd {
namespace {

constexpr std::int64_t handshake_ms = 10'000;
// For the last frames to leave and the other end to hang up.
constexpr std::int64_t goodbye_ms = 700;

constexpr std::size_t read_bytes = 128 * 1024;
// Plaintext handed to the session at once: no more than a frame.
constexpr std::size_t slice_bytes = 64 * 1024;
// Reads for one link before others get their turn.
constexpr int reads_a_turn = 4;

}  // namespace

Link::Link(const LinkContext& context,
           LinkOwner& owner,
           asio::tcp::socket socket,
           LinkOptions options)
    : context_(context),
      owner_(owner),
      options_(std::move(options)),
      socket_(std::move(socket)),
      tls_(options_.side == Side::dialler ? TlsChannel::dial(context.tls, options_.expected)
                                          : TlsChannel::accept(context.tls)),
      input_gate_(context.loop),
      output_gate_(context.loop),
      deadline_(context.clock.now().plus_ms(handshake_ms)) {}

void Link::start() {
  asio::error_code ignored;  // options only make it faster
  socket_.set_option(asio::tcp::no_delay(true), ignored);
  socket_.non_blocking(true, ignored);
  take_input();  // the dialler speaks first
  const auto ended = [self = shared_from_this()](const std::exception_ptr& thrown) {
    self->loop_ended(thrown);
  };
  loops_ = 2;
  asio::co_spawn(context_.loop, read_loop(), ended);
  asio::co_spawn(context_.loop, write_loop(), ended);
}

// Damage ends this link alone. What else is thrown here is Broken or worse: it goes to the top
// through the loop, once this link is in order to be waited for.
void Link::loop_ended(const std::exception_ptr& thrown) {
  if (thrown) cut("link.broken");
  if (--loops_ == 0) owner_.link_ended(*this);
  if (!thrown) return;
  try {
    std::rethrow_exception(thrown);
  } catch (const Damaged& damaged) {
    if (context_.damaged) context_.damaged(damaged.error);
  }
}

bool Link::wants_input() const {
  if (phase_ == Phase::joining) return false;
  return phase_ != Phase::session || session_->wants_input();
}

// Ends once the socket is closed: the other end hung up, the network failed, or the goodbye took
// too long.
asio::awaitable<void> Link::read_loop() {
  while (socket_.is_open()) {
    if (!wants_input()) {
      co_await input_gate_.pass();
      take_input();
      continue;
    }
    const auto waited = co_await socket_.async_wait(asio::tcp::socket::wait_read, asio::as_result);
    if (std::get<0>(waited)) break;
    read_socket();
  }
  cut("link.cut");
}

void Link::read_socket() {
  static thread_local Bytes buffer(read_bytes);
  for (int turn = 0; turn < reads_a_turn && socket_.is_open() && wants_input(); ++turn) {
    asio::error_code error;
    const std::size_t count = socket_.read_some(asio::buffer(buffer), error);
    if (error == asio::error::would_block || error == asio::error::try_again) return;
    if (error) return cut("link.cut");
    heard_ = context_.clock.now();
    owner_.link_moved(count);
    tls_.feed(ByteView(buffer).first(count));
    take_input();
  }
}

void Link::take_input() {
  if (phase_ == Phase::handshake) {
    const auto shaken = tls_.shake_hands();
    output_gate_.open();
    if (!shaken) return begin_closing(shaken.error().code);
    if (!tls_.is_ready()) return;
    identify();
  }
  static thread_local Bytes plain(slice_bytes);
  while (tls_.is_ready() && wants_input() && socket_.is_open()) {
    const std::size_t count = decrypt(plain);
    if (count == 0) break;
    deliver(ByteView(plain).first(count));
  }
  follow_session();
  if (tls_.is_ended()) begin_closing("link.cut");
}

// As much as there is and fits.
std::size_t Link::decrypt(std::span<std::uint8_t> into) {
  std::size_t count = 0;
  while (count < into.size()) {
    const auto read = tls_.read(into.subspan(count));
    if (!read) {
      begin_closing(read.error().code);
      return 0;
    }
    if (*read == 0) break;
    count += *read;
  }
  return count;
}

void Link::deliver(ByteView plain) {
  if (phase_ == Phase::greeting) return greet(plain);
  if (phase_ != Phase::session) return;  // closing: read only so that the goodbye gets through
  note_stream(session_->receive(plain, context_.clock.now()));
}

// Ends once the socket is closed, or the goodbye is said.
asio::awaitable<void> Link::write_loop() {
  while (socket_.is_open()) {
    sending_ = next_output();
    if (sending_.empty()) {
      if (said_goodbye_) break;
      co_await output_gate_.pass();
      continue;
    }
    const auto buffer = asio::buffer(sending_);
    const auto written = co_await asio::async_write(socket_, buffer, asio::as_result);
    owner_.link_moved(std::get<1>(written));
    if (std::get<0>(written)) cut("link.cut");
    go_on();
  }
  asio::error_code ignored;  // the other end may have hung up before
  socket_.shutdown(asio::tcp::socket::shutdown_send, ignored);
}

Bytes Link::next_output() {
  if (session_ && !said_goodbye_) write_plain(session_->take_output());
  if (phase_ == Phase::closing && !said_goodbye_) {
    said_goodbye_ = true;
    tls_.close();
  }
  return tls_.take_output();
}

void Link::write_plain(ByteView plain) {
  if (plain.empty()) return;
  if (const auto written = tls_.write(plain); !written) begin_closing(written.error().code);
}

void Link::say(const Frame& frame) {
  if (tls_.is_ready()) write_plain(encode(frame));
}

void Link::close(const std::string& code, std::uint64_t retry_after_ms) {
  if (phase_ == Phase::closing) return;
  if (session_) {
    session_->close(code, retry_after_ms);
  } else {
    say(Frame(ByeFrame{code, retry_after_ms}));
  }
  begin_closing(code);
}

void Link::begin_closing(const std::string& code) {
  if (phase_ == Phase::closing) return;
  phase_ = Phase::closing;
  end_code_ = code;
  deadline_ = context_.clock.now().plus_ms(goodbye_ms);
  owner_.link_closing(*this);
  output_gate_.open();
  input_gate_.open();
}

void Link::cut(const std::string& code) {
  begin_closing(code);
  asio::error_code ignored;  // closed is closed
  socket_.close(ignored);
  output_gate_.open();
  input_gate_.open();
}

void Link::tick(Instant now) {
  switch (phase_) {
    case Phase::joining:
      return;
    case Phase::session:
      return tick_session(now);
    case Phase::handshake:
    case Phase::greeting:
      if (now >= deadline_) cut("stream.slow-hello");
      return;
    case Phase::closing:
      if (now >= deadline_ && socket_.is_open()) cut(end_code_);
      return;
  }
}

void Link::tick_session(Instant now) {
  without_damage([this, now] {
    if (now >= session_->next_wake()) session_->tick(now);
    follow_session();
  });
}

void Link::committed() {
  if (phase_ != Phase::session) return;
  without_damage([this] {
    session_->committed();
    follow_session();
  });
}

}  // namespace chapterd
