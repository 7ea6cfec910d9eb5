// Addresses, calls and back-off.
#include "daemon/net/dialler.h"

#include "daemon/log.h"
#include "daemon/net/link.h"

#include <algorithm>
#include <sstream>
#include <utility>

namespace chapterd {

Dialler::Dialler(Peers& owner)
    : owner_(&owner),
      attempt_(std::make_shared<Attempt>(owner.context_.loop,
                                         [this](asio::error_code error, asio::tcp::socket socket) {
                                           connected(error, std::move(socket));
                                         })) {}

// Read anew for every call: a node may join, or its chapter move, while it runs. Addresses from the
// configuration are tried first; who answers there is checked all the same.
std::optional<Dialler::Parent> Dialler::parent() const {
  if (owner_ == nullptr) return std::nullopt;
  const auto key = parent_key(owner_->context_.reader, owner_->context_.directory);
  if (!key) return std::nullopt;
  Parent parent{*key, owner_->options_.parents};
  const Directory& directory = owner_->context_.directory;
  if (const KnownMove* move = directory.authority().move_of(directory.chapter())) {
    for (const std::string& address : move->body.addresses) {
      if (!split_address(address).host.empty()) parent.addresses.push_back(address);
    }
  } else if (parent.addresses.empty()) {
    parent.addresses = stored_addresses();
  }
  if (parent.addresses.empty()) return std::nullopt;
  return parent;
}

std::vector<std::string> Dialler::stored_addresses() const {
  std::vector<std::string> addresses;
  const auto stored = owner_->context_.reader.values(stored_name::parent_addresses);
  if (stored.size() != 1) return addresses;
  std::istringstream lines{std::string(as_text(stored.front().value))};
  for (std::string line; std::getline(lines, line);) {
    if (!split_address(line).host.empty()) addresses.push_back(line);
  }
  return addresses;
}

void Dialler::tick(Instant now) {
  if (owner_ == nullptr) return;
  if (link_ != nullptr) {
    const auto now_parent = parent();
    if (now_parent && called_ && now_parent->key != called_->key) link_->close("node.moved");
    return;
  }
  if (is_calling()) return attempt_->tick(now);
  if (now >= next_) call();
}

void Dialler::call_now() {
  failures_ = 0;
  next_ = Instant{};
  is_asked_ = link_ != nullptr && link_->phase() == Link::Phase::closing;
  if (owner_ != nullptr) tick(owner_->context_.clock.now());
}

void Dialler::stop() {
  owner_ = nullptr;
  attempt_->stop();
}

void Dialler::call() {
  const std::optional<Parent> before = std::exchange(called_, parent());
  if (!before || !called_ || before->key != called_->key) had_session_ = false;
  if (!called_) {
    return wait_for_next(0);
  }
  is_asked_ = false;
  attempt_->start(called_->addresses[next_address_ % called_->addresses.size()],
                  owner_->context_.clock.now());
}

void Dialler::connected(asio::error_code error, asio::tcp::socket socket) {
  if (error) return failed("net.unreachable", 0);
  if (owner_->paused_) return wait_for_next(0);
  LinkOptions options;
  options.side = Side::dialler;
  options.address = called_->addresses[next_address_ % called_->addresses.size()];
  options.expected = called_->key;
  options.budget_bytes = owner_->options_.budget_session_bytes;
  options.patience = owner_->options_.patience;
  options.push_at_once = had_session_;
  options.lanes = owner_->lanes();
  LinkOwner& owner = *owner_;
  const auto link = std::make_shared<Link>(owner_->context_, owner, std::move(socket), options);
  link_ = link.get();
  owner_->adopt(link);
}

void Dialler::link_ended(const Link& link) {
  if (&link != link_) return;
  link_ = nullptr;
  if (owner_ == nullptr) return;
  const std::uint64_t wished = link.session() ? link.session()->retry_after_ms() : 0;
  // No wish of the other end keeps us away for longer than the longest back-off.
  const auto most = static_cast<std::uint64_t>(owner_->options_.retry_max_ms);
  const auto retry_after_ms = static_cast<std::int64_t>(std::min(wished, most));
  had_session_ = link.was_open();  // else it may have lost what it knew of us
  // A session that opened and led to nothing counts as a failure: whatever stops it would be met
  // again at once, at the price of another handshake.
  if (!link.was_useful()) return failed(link.end_code(), retry_after_ms);
  end_code_ = link.end_code();
  failures_ = 0;
  wait_for_next(retry_after_ms);
}

void Dialler::failed(const std::string& code, std::int64_t retry_after_ms) {
  end_code_ = code;
  log::info("dial.failed", {{"code", log::code(code)}, {"failures", failures_ + 1}});
  ++next_address_;
  ++failures_;
  // All addresses are tried before waiting.
  const bool has_more = called_ && next_address_ % called_->addresses.size() != 0;
  if (has_more && retry_after_ms == 0) {
    next_ = owner_->context_.clock.now();
  } else {
    wait_for_next(retry_after_ms);
  }
}

// Full jitter (Brooker: "Exponential Backoff And Jitter", AWS Architecture Blog, 2015): a whole
// country whose power comes back must not call at one moment.
void Dialler::wait_for_next(std::int64_t retry_after_ms) {
  const PeersOptions& options = owner_->options_;
  const std::size_t rounds = called_ ? failures_ / called_->addresses.size() : 0;
  std::int64_t most = options.retry_min_ms;
  for (std::size_t i = 1; i < rounds && most < options.retry_max_ms; ++i) most *= 2;
  most = std::min(most, options.retry_max_ms);
  const std::uint64_t chance = owner_->context_.random.number();
  const auto wait = static_cast<std::int64_t>(chance % static_cast<std::uint64_t>(most + 1));
  next_ = owner_->context_.clock.now().plus_ms(std::max(wait, retry_after_ms));
  // Somebody asked while the last link was saying goodbye.
  if (std::exchange(is_asked_, false)) next_ = owner_->context_.clock.now();
}

std::optional<PeerStatus> Dialler::status() const {
  if (owner_ == nullptr || link_ != nullptr) return std::nullopt;
  const auto known = called_ ? called_ : parent();
  if (!known) return std::nullopt;
  PeerStatus status;
  status.key = known->key;
  status.address = known->addresses[next_address_ % known->addresses.size()];
  status.side = Side::dialler;
  status.state = is_calling() ? PeerState::connecting : PeerState::waiting;
  status.end_code = end_code_;
  if (!is_calling()) status.next_dial = next_;
  return status;
}

}  // namespace chapterd
