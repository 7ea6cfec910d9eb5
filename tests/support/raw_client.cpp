// Blocking reads with a limit to the patience.
#include "tests/support/raw_client.h"

#include <poll.h>
#include <stdexcept>
#include <string>
#include <variant>

namespace chapterd::testing {
namespace {

constexpr int patience_ms = 30'000;

}  // namespace

RawClient::RawClient(std::uint16_t port, const std::string& from) : socket_(loop_) {
  socket_.open(asio::tcp::v4());
  socket_.bind({asio::ip::make_address(from), 0});
  socket_.connect({asio::ip::address_v4::loopback(), port});
}

bool RawClient::shake_hands(const SigningKey& key, const PublicKey& expected) {
  auto made = TlsContext::make(key);
  if (!made) throw std::runtime_error(made.error().code);
  context_.emplace(std::move(*made));
  tls_.emplace(TlsChannel::dial(*context_, expected));
  for (;;) {
    const auto shaken = tls_->shake_hands();
    flush();
    if (!shaken) return false;
    if (tls_->is_ready()) return true;
    if (!receive()) return false;
  }
}

void RawClient::send(ByteView bytes) {
  if (tls_) {
    static_cast<void>(tls_->write(bytes));
    return flush();
  }
  asio::error_code ignored;  // the other end may have hung up: the test sees that elsewhere
  asio::write(socket_, asio::buffer(bytes.data(), bytes.size()), ignored);
}

void RawClient::flush() {
  const Bytes out = tls_->take_output();
  asio::error_code ignored;
  asio::write(socket_, asio::buffer(out), ignored);
}

bool RawClient::receive() {
  pollfd waiting{socket_.native_handle(), POLLIN, 0};
  if (::poll(&waiting, 1, patience_ms) != 1) return false;
  Bytes buffer(16 * 1024);
  asio::error_code error;
  const std::size_t count = socket_.read_some(asio::buffer(buffer), error);
  if (error) return false;
  if (tls_) tls_->feed(ByteView(buffer).first(count));
  return true;
}

std::optional<Frame> RawClient::next_frame() {
  for (;;) {
    auto frame = parser_.next();
    if (!frame) return std::nullopt;
    if (*frame) return std::move(**frame);
    Bytes plain(16 * 1024);
    const auto count = tls_->read(plain);
    if (!count) return std::nullopt;
    if (*count > 0) {
      parser_.append(ByteView(plain).first(*count));
    } else if (tls_->is_ended() || !receive()) {
      return std::nullopt;
    }
  }
}

std::string RawClient::bye() {
  while (const auto frame = next_frame()) {
    if (const auto* bye = std::get_if<ByeFrame>(&*frame)) return bye->code;
  }
  return "";
}

bool RawClient::has_ended() {
  pollfd waiting{socket_.native_handle(), POLLIN, 0};
  while (::poll(&waiting, 1, 0) == 1) {
    if (!receive()) return true;
  }
  return false;
}

bool RawClient::is_hung_up() {
  while (receive()) {
    pollfd waiting{socket_.native_handle(), POLLIN, 0};
    if (::poll(&waiting, 1, patience_ms) != 1) return false;
  }
  return true;
}

}  // namespace chapterd::testing
