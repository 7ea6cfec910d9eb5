// When to ask, whom to believe.
#include "daemon/net/ancestors.h"

#include "base/byte_stream.h"
#include "daemon/log.h"
#include "daemon/net/link.h"

#include <algorithm>
#include <utility>

namespace chapterd {

Ancestors::Ancestors(Peers& owner)
    : owner_(&owner),
      attempt_(std::make_shared<Attempt>(owner.context_.loop,
                                         [this](asio::error_code error, asio::tcp::socket socket) {
                                           connected(error, std::move(socket));
                                         })) {}

void Ancestors::start() {
  for (const NamedValue& stored : owner_->context_.reader.values(stored_name::ancestors_asked)) {
    ByteReader in(stored.value);
    asked_ = Instant{static_cast<std::int64_t>(in.u64())};
  }
  const std::int64_t every = owner_->options_.ancestors_every_ms;
  const std::int64_t since = asked_ ? owner_->context_.date.now().ms - asked_->ms : every;
  // Soon when it is due, but not all chapters at one moment; a date that lies ahead is a wrong one.
  const bool is_due = since < 0 || since >= every;
  wait(is_due ? 0 : every - since, every / 1024);
}

bool Ancestors::has_somebody() const {
  if (owner_ == nullptr || owner_->options_.ancestors.empty()) return false;
  const Directory& directory = owner_->context_.directory;
  return directory.authority().path_of(directory.chapter()).above.size() > 1;
}

bool Ancestors::is_further_up(const PublicKey& node) const {
  const Directory& directory = owner_->context_.directory;
  const KnownNode* known = directory.authority().node(node);
  if (known == nullptr) return false;
  const auto above = directory.authority().path_of(directory.chapter()).above;
  const auto right_above = above.end() - 1;
  return std::find(above.begin(), right_above, known->certificate.chapter) != right_above;
}

void Ancestors::call_now() {
  next_ = Instant{};
  if (owner_ != nullptr) tick(owner_->context_.clock.now());
}

void Ancestors::tick(Instant now) {
  if (!has_somebody()) return;
  if (attempt_->is_under_way()) return attempt_->tick(now);
  if (link_ != nullptr) return answered();
  if (now < next_) return;
  const auto& addresses = owner_->options_.ancestors;
  attempt_->start(addresses[next_address_ % addresses.size()], now);
}

void Ancestors::stop() {
  owner_ = nullptr;
  attempt_->stop();
}

void Ancestors::connected(asio::error_code error, asio::tcp::socket socket) {
  if (error) return failed("net.unreachable");
  if (owner_->paused_) return;  // it is asked once that is over
  const auto& addresses = owner_->options_.ancestors;
  LinkOptions options;
  options.side = Side::dialler;
  options.address = addresses[next_address_ % addresses.size()];
  options.patience = owner_->options_.patience;
  options.lanes = Lanes::statements;
  LinkOwner& owner = *owner_;
  const auto link = std::make_shared<Link>(owner_->context_, owner, std::move(socket), options);
  link_ = link.get();
  is_answered_ = false;
  owner_->adopt(link);
}

// Once both hold the same statements there is no more to ask.
void Ancestors::answered() {
  const Session* session = link_->session();
  if (is_answered_ || session == nullptr || !session->agrees()) return;
  if (!is_further_up(session->peer())) return link_->close("ancestor.not-above");
  is_answered_ = true;
  end_code_.clear();
  asked_ = owner_->context_.date.now();
  const std::int64_t every = owner_->options_.ancestors_every_ms;
  wait(every, every / 16);
  ByteWriter out;
  owner_->context_.writer.submit(
      [value = out.u64(static_cast<std::uint64_t>(asked_->ms)).take()](
          Replica& replica) -> Result<void> {
        replica.set_value(stored_name::ancestors_asked, value);
        return {};
      },
      [](const Result<void>&) {});  // lost, it is asked again after the next start
  link_->close("ancestor.asked");
}

void Ancestors::link_ended(const Link& link) {
  if (&link != link_) return;
  link_ = nullptr;
  if (owner_ == nullptr) return;
  if (!is_answered_) failed(link.end_code());
}

// The other addresses are tried at once.
void Ancestors::failed(const std::string& code) {
  end_code_ = code;
  log::info("ancestor.failed", {{"code", log::code(code)}});
  const bool has_more = ++next_address_ % owner_->options_.ancestors.size() != 0;
  const std::int64_t again = owner_->options_.ancestors_every_ms / 64;
  wait(has_more ? 0 : again, has_more ? 0 : again);
}

void Ancestors::wait(std::int64_t least_ms, std::int64_t spread_ms) {
  const std::uint64_t chance = owner_->context_.random.number();
  const auto more = static_cast<std::int64_t>(chance % static_cast<std::uint64_t>(spread_ms + 1));
  next_ = owner_->context_.clock.now().plus_ms(least_ms + more);
}

std::optional<AncestorsStatus> Ancestors::status() const {
  if (!has_somebody()) return std::nullopt;
  return AncestorsStatus{asked_, end_code_};
}

}  // namespace chapterd
