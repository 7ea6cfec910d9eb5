// The accept loop.
#include "daemon/net/listener.h"

#include "daemon/log.h"
#include "daemon/net/link.h"

#include <utility>

namespace chapterd {

Listener::Listener(Peers& owner)
    : owner_(&owner), acceptor_(owner.context_.loop), gate_(owner.context_.loop) {}

Result<void> Listener::open(const std::string& address) {
  const HostPort at = split_address(address);
  asio::error_code error;
  asio::tcp::resolver resolver(owner_->context_.loop);
  const auto found =
      resolver.resolve(at.host, std::to_string(at.port), asio::tcp::resolver::passive, error);
  if (at.host.empty() || error) {
    return fail(Errc::usage, "net.address", "The address to listen at is not one of this machine.",
                "Everything that is stored is safe.", "Correct sync.listen.");
  }
  const asio::tcp::endpoint endpoint = found.begin()->endpoint();
  acceptor_.open(endpoint.protocol(), error);
  if (!error) acceptor_.set_option(asio::tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor_.bind(endpoint, error);
  if (!error) acceptor_.listen(asio::tcp::acceptor::max_listen_connections, error);
  if (error) {
    return fail(Errc::failed, "net.listen", "The address to listen at cannot be used.",
                "Everything that is stored is safe.",
                "See whether another program listens there, or choose another sync.listen.");
  }
  const auto ended = [self = shared_from_this()](const std::exception_ptr& thrown) {
    if (thrown) std::rethrow_exception(thrown);
  };
  asio::co_spawn(owner_->context_.loop, accept_loop(), ended);
  return {};
}

void Listener::close() {
  owner_ = nullptr;
  asio::error_code ignored;  // closed is closed
  acceptor_.close(ignored);
  gate_.open();
}

std::string Listener::address() const {
  asio::error_code error;
  const auto endpoint = acceptor_.local_endpoint(error);
  if (error) return {};
  const std::string host = endpoint.address().to_string();
  return (endpoint.address().is_v6() ? "[" + host + "]" : host) + ":" +
         std::to_string(endpoint.port());
}

// Ends once the acceptor is closed.
asio::awaitable<void> Listener::accept_loop() {
  while (acceptor_.is_open()) {
    asio::tcp::socket socket(acceptor_.get_executor());
    const auto accepted = co_await acceptor_.async_accept(socket, asio::as_result);
    const asio::error_code error = std::get<0>(accepted);
    if (!acceptor_.is_open()) break;
    if (!error) {
      take(std::move(socket));
      continue;
    }
    // Out of descriptors, most likely: the next tick tries again.
    log::warn("listen.accept", {{"error", error.value()}});
    co_await gate_.pass();
  }
}

void Listener::take(asio::tcp::socket socket) {
  asio::error_code error;
  const auto endpoint = socket.remote_endpoint(error);
  if (error || owner_->paused_) return;  // gone already, or not wanted
  LinkOptions options;
  options.side = Side::listener;
  options.address = endpoint.address().to_string();
  if (!owner_->make_room(options.address)) return;
  options.budget_bytes = owner_->options_.budget_session_bytes;
  options.patience = owner_->options_.patience;
  options.lanes = owner_->lanes();
  LinkOwner& owner = *owner_;
  owner_->adopt(std::make_shared<Link>(owner_->context_, owner, std::move(socket), options));
}

}  // namespace chapterd
