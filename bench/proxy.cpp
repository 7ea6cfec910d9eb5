// Copying between two sockets, with callbacks.
#include "bench/proxy.h"

#include "config/config.h"
#include "daemon/net/asio.h"

#include <array>
#include <thread>

namespace chapterd::bench {
namespace {

using asio::tcp;

struct Pair : std::enable_shared_from_this<Pair> {
  Pair(tcp::socket from_, asio::io_context& context, std::atomic<std::uint64_t>& bytes_)
      : from(std::move(from_)), to(context), bytes(bytes_) {}

  void copy(tcp::socket& source, tcp::socket& sink, std::array<char, 65536>& buffer) {
    source.async_read_some(asio::buffer(buffer),
                           [=, this, &source, &sink, &buffer, self = shared_from_this()](
                               const asio::error_code& error, std::size_t size) {
                             if (error) return close();
                             bytes += size;
                             asio::async_write(sink, asio::buffer(buffer.data(), size),
                                               [=, this, &source, &sink, &buffer, me = self](
                                                   const asio::error_code& failed, std::size_t) {
                                                 if (failed) return close();
                                                 copy(source, sink, buffer);
                                               });
                           });
  }

  void close() {
    asio::error_code ignored;
    from.close(ignored);
    to.close(ignored);
  }

  tcp::socket from;
  tcp::socket to;
  std::atomic<std::uint64_t>& bytes;
  std::array<char, 65536> forth{};
  std::array<char, 65536> back{};
};

}  // namespace

struct CountingProxy::Inside {
  Inside(const std::string& target, std::atomic<std::uint64_t>& bytes_)
      : acceptor(context, {asio::ip::make_address("127.0.0.1"), 0}), bytes(bytes_) {
    const auto colon = target.rfind(':');
    endpoint = tcp::endpoint(asio::ip::make_address(target.substr(0, colon)),
                             static_cast<std::uint16_t>(std::stoi(target.substr(colon + 1))));
    accept();
    thread = std::thread([this] { context.run(); });
  }

  void accept() {
    acceptor.async_accept([this](const asio::error_code& error, tcp::socket socket) {
      if (error) return;
      auto pair = std::make_shared<Pair>(std::move(socket), context, bytes);
      asio::error_code failed;
      pair->to.connect(endpoint, failed);
      if (!failed) {
        pair->from.set_option(tcp::no_delay(true));
        pair->to.set_option(tcp::no_delay(true));
        pair->copy(pair->from, pair->to, pair->forth);
        pair->copy(pair->to, pair->from, pair->back);
      }
      accept();
    });
  }

  asio::io_context context{1};
  tcp::acceptor acceptor;
  std::atomic<std::uint64_t>& bytes;
  tcp::endpoint endpoint;
  std::thread thread;
};

CountingProxy::CountingProxy(const std::string& target)
    : inside_(std::make_unique<Inside>(target, bytes_)) {}

CountingProxy::~CountingProxy() {
  inside_->context.stop();
  inside_->thread.join();
}

std::string CountingProxy::address() const {
  return "127.0.0.1:" + std::to_string(inside_->acceptor.local_endpoint().port());
}

}  // namespace chapterd::bench
