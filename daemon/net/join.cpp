// One call: connect, shake hands, ask, hear.
#include "daemon/net/join.h"

#include "config/config.h"
#include "daemon/net/asio.h"
#include "daemon/net/tls.h"
#include "replication/format/frame.h"

#include <exception>
#include <optional>
#include <utility>
#include <variant>

namespace chapterd {
namespace {

tl::unexpected<Error> no_answer(Errc kind, const char* code, const char* what) {
  return fail(kind, code, what, "Nothing was changed here.",
              "Check the connection, then join again with the same invite.");
}

Result<Bytes> refusal(const std::string& code) {
  return fail(Errc::not_allowed, code, "The chapter above did not take the request.",
              "Nothing was changed here.", "Ask the chapter above about this code.");
}

class JoinCall {
 public:
  JoinCall(TlsChannel tls, const Bytes& request)
      : tls_(std::move(tls)), question_(encode(Frame(JoinFrame{request}))) {}

  Result<Bytes> run(const HostPort& at, std::chrono::milliseconds timeout) {
    std::exception_ptr thrown;
    asio::co_spawn(loop_, talk(at.host, std::to_string(at.port)),
                   [&thrown](std::exception_ptr error) { thrown = std::move(error); });
    loop_.run_for(timeout);
    if (thrown) std::rethrow_exception(thrown);
    if (outcome_) return std::move(*outcome_);
    return no_answer(Errc::gave_up, "net.slow", "The node above did not answer in time.");
  }

 private:
  // Ends with an outcome.
  asio::awaitable<void> talk(std::string host, std::string port) {
    asio::tcp::resolver resolver(loop_);
    const auto found = co_await resolver.async_resolve(host, port, asio::as_result);
    if (std::get<0>(found)) co_return unreachable();
    const auto& endpoints = std::get<1>(found);
    const auto made = co_await asio::async_connect(socket_, endpoints, asio::as_result);
    if (std::get<0>(made)) co_return unreachable();
    while (!outcome_) {
      advance();
      sending_ = tls_.take_output();
      const auto sent = asio::buffer(sending_);
      const auto written = co_await asio::async_write(socket_, sent, asio::as_result);
      if (outcome_) co_return;
      if (std::get<0>(written)) co_return unreachable();
      const auto room = asio::buffer(received_);
      const auto read = co_await socket_.async_read_some(room, asio::as_result);
      if (std::get<0>(read)) co_return unreachable();
      tls_.feed(ByteView(received_).first(std::get<1>(read)));
    }
  }

  void unreachable() {
    if (outcome_) return;
    outcome_ = no_answer(Errc::unreachable, "net.unreachable", "The node above cannot be reached.");
  }

  // Whatever can be done with what has come.
  void advance() {
    if (const auto shaken = tls_.shake_hands(); !shaken) {
      outcome_ = forward(shaken);
      return;
    }
    if (!tls_.is_ready()) return;
    if (!question_.empty()) {
      const Bytes question = std::exchange(question_, {});
      if (const auto written = tls_.write(question); !written) outcome_ = forward(written);
    }
    Bytes plain(16 * 1024);
    while (!outcome_) {
      const auto count = tls_.read(plain);
      if (!count) outcome_ = forward(count);
      if (!count || *count == 0) break;
      parser_.append(ByteView(plain).first(*count));
      hear();
    }
    if (tls_.is_ended()) unreachable();
  }

  void hear() {
    auto frame = parser_.next();
    if (!frame) {
      outcome_ = forward(frame);
    } else if (*frame) {
      if (auto* joined = std::get_if<JoinedFrame>(&**frame)) {
        outcome_ = std::move(joined->answer);
      } else if (const auto* bye = std::get_if<ByeFrame>(&**frame)) {
        outcome_ = refusal(bye->code);
      }
    }
  }

  asio::io_context loop_;
  asio::tcp::socket socket_{loop_};
  TlsChannel tls_;
  Bytes question_;
  Bytes sending_;
  Bytes received_ = Bytes(64 * 1024);
  FrameParser parser_;
  std::optional<Result<Bytes>> outcome_;
};

}  // namespace

Result<Bytes> request_join(const std::string& address,
                           const PublicKey& parent,
                           const SigningKey& own,
                           const Bytes& request,
                           std::chrono::milliseconds timeout) {
  const HostPort at = split_address(address);
  if (at.host.empty()) {
    return fail(Errc::usage, "net.address", "This is not an address such as host:port.",
                "Nothing was changed here.", "Ask the chapter above for a new invite.");
  }
  const auto context = TlsContext::make(own);
  if (!context) return forward(context);
  JoinCall call(TlsChannel::dial(*context, parent), request);
  return call.run(at, timeout);
}

}  // namespace chapterd
