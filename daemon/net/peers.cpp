// The links of a node: who they are, what they are told, what is remembered of them.
#include "daemon/net/peers.h"

#include "daemon/log.h"
#include "daemon/net/ancestors.h"
#include "daemon/net/asio.h"
#include "daemon/net/dialler.h"
#include "daemon/net/link.h"
#include "daemon/net/listener.h"

#include <algorithm>
#include <atomic>
#include <tuple>
#include <utility>

namespace chapterd {
namespace {

// How often deadlines are looked at while somebody says goodbye.
constexpr std::int64_t closing_tick_ms = 100;

PeerState state_of(const Link& link) {
  switch (link.phase()) {
    case Link::Phase::handshake:
    case Link::Phase::greeting:
      return PeerState::connecting;
    case Link::Phase::joining:
      return PeerState::opening;
    case Link::Phase::session:
      return link.session()->state() == SessionState::open ? PeerState::open : PeerState::opening;
    case Link::Phase::closing:
      return PeerState::ended;
  }
  return PeerState::ended;
}

}  // namespace

struct Peers::Shared {
  explicit Shared(asio::io_context& loop) : timer(loop) {}

  std::atomic<bool> is_told = false;  // follow_log() is on its way
  // Loop thread only from here on.
  Peers* owner = nullptr;  // null once it is gone
  asio::steady_timer timer;
};

std::string origin_of(const std::string& address) {
  constexpr std::size_t network_bytes = 8;
  asio::error_code error;
  const auto parsed = asio::ip::make_address(address, error);
  if (error || !parsed.is_v6() || parsed.to_v6().is_v4_mapped()) return address;
  const auto bytes = parsed.to_v6().to_bytes();
  return to_hex(ByteView(bytes).first(network_bytes));
}

std::optional<PublicKey> parent_key(Reader& reader, const Directory& directory) {
  if (const KnownMove* move = directory.authority().move_of(directory.chapter()))
    return move->body.parent;
  const auto keys = reader.values(stored_name::parent_key);
  return keys.size() == 1 ? PublicKey::from(keys.front().value) : std::nullopt;
}

PeersOptions peers_options(const Config& config) {
  PeersOptions options;
  options.listen = config.sync.listen;
  options.parents = config.sync.parents;
  options.ancestors = config.sync.ancestors;
  options.patience.ping_ms = static_cast<std::int64_t>(config.sync.ping_s) * 1000;
  options.patience.dead_ms = static_cast<std::int64_t>(config.sync.dead_s) * 1000;
  options.retry_min_ms = static_cast<std::int64_t>(config.sync.retry_min_s) * 1000;
  options.retry_max_ms = static_cast<std::int64_t>(config.sync.retry_max_s) * 1000;
  options.budget_session_bytes = config.sync.budget_session_bytes;
  options.budget_day_bytes = config.sync.budget_day_bytes;
  return options;
}

Peers::Peers(const LinkContext& context,
             PeersOptions options,
             std::function<void(Arrival)> refreshed)
    : context_(context),
      options_(std::move(options)),
      refreshed_(std::move(refreshed)),
      shared_(std::make_shared<Shared>(context.loop)),
      budget_(options_.budget_day_bytes),
      dialler_(std::make_unique<Dialler>(*this)),
      ancestors_(std::make_unique<Ancestors>(*this)),
      listener_(std::make_shared<Listener>(*this)) {
  shared_->owner = this;
}

Peers::~Peers() {
  shared_->owner = nullptr;
  shared_->timer.cancel();
  dialler_->stop();
  ancestors_->stop();
  listener_->close();
}

Result<void> Peers::start() {
  if (!options_.listen.empty()) {
    if (auto opened = listener_->open(options_.listen); !opened) return opened;
    log::info("listen.open", {{"port", split_address(listens_at()).port}});
  }
  for (const NamedValue& stored : context_.reader.values(stored_name::day_budget))
    budget_.restore(stored.value);
  is_day_spent_ = budget_.is_spent(context_.date.now());
  dialler_->call_now();
  ancestors_->start();
  arm_timer(options_.tick_ms);
  return {};
}

void Peers::stop(std::function<void()> done) {
  stopped_ = std::move(done);
  listener_->close();
  dialler_->stop();
  ancestors_->stop();
  end_all("node.stopping");
  if (options_.budget_day_bytes != 0) note_budget();
  finish_when_empty();
}

void Peers::end_all(const char* code) {
  for (const auto& [key, link] : links_) link->close(code);
}

void Peers::finish_when_empty() {
  if (!stopped_ || !links_.empty()) return;
  shared_->timer.cancel();
  asio::post(context_.loop, std::exchange(stopped_, nullptr));
}

void Peers::committed() {
  if (shared_->is_told.exchange(true)) return;
  asio::post(context_.loop, [shared = shared_] {
    shared->is_told = false;  // before reading: what is committed from here on is told again
    if (shared->owner != nullptr) shared->owner->follow_log();
  });
}

void Peers::follow_log() {
  context_.directory.refresh(Snapshot(context_.reader));
  if (refreshed_) refreshed_(context_.directory.arrival());
  for (const auto& [key, link] : links_) link->committed();
}

void Peers::arm_timer(std::int64_t after_ms) {
  shared_->timer.expires_after(std::chrono::milliseconds(after_ms));
  shared_->timer.async_wait([shared = shared_](asio::error_code error) {
    if (!error && shared->owner != nullptr) shared->owner->tick();
  });
}

std::uint64_t Peers::day_used_bytes() const {
  return options_.budget_day_bytes == 0 ? 0 : budget_.used_bytes();
}

void Peers::link_moved(std::size_t bytes) {
  if (options_.budget_day_bytes != 0) budget_.add(bytes, context_.date.now());
}

// What a session exchanges is settled when it begins: so all begin anew.
void Peers::follow_budget() {
  if (options_.budget_day_bytes == 0) return;
  const bool is_spent = budget_.is_spent(context_.date.now());
  if (budget_.is_worth_noting()) note_budget();
  if (std::exchange(is_day_spent_, is_spent) == is_spent) return;
  log::info(is_spent ? "budget.day" : "budget.renewed", {{"used", budget_.used_bytes()}});
  end_all(is_spent ? "budget.day" : "budget.renewed");
}

void Peers::note_budget() {
  context_.writer.submit(
      [value = budget_.value()](Replica& replica) -> Result<void> {
        replica.set_value(stored_name::day_budget, value);
        return {};
      },
      [](const Result<void>&) {});  // not worth more than another try, later
}

void Peers::tick() {
  const Instant now = context_.clock.now();
  follow_budget();
  bool is_closing = false;
  for (const auto& [key, link] : links_) {
    link->tick(now);
    is_closing = is_closing || link->phase() == Link::Phase::closing;
  }
  if (!paused_) {
    dialler_->tick(now);
    ancestors_->tick(now);
  }
  listener_->look_again();
  arm_timer(is_closing ? std::min(closing_tick_ms, options_.tick_ms) : options_.tick_ms);
}

void Peers::adopt(const std::shared_ptr<Link>& link) {
  links_.emplace(link.get(), link);
  const std::string origin = origin_of(link->options().address);
  strangers_.emplace(link.get(), Stranger{strangers_seen_++, origin, familiar_.contains(origin)});
  link->start();
}

// For one more who calls. A place is never waited for: whoever holds one and does not say who it is
// gives it up. False when all who do are just being answered.
bool Peers::make_room(const std::string& address) {
  const std::string origin = origin_of(address);
  const auto beside =
      std::ranges::count(strangers_, origin,
                         [](const auto& each) -> const std::string& { return each.second.origin; });
  const bool has_its_share = static_cast<std::size_t>(beside) >= options_.strangers_an_address;
  if (!has_its_share && strangers_.size() < options_.strangers) return true;
  const Link* leaves = outsider(has_its_share ? origin : std::string());
  if (leaves == nullptr) return false;
  const std::shared_ptr<Link> link = links_.at(leaves);
  strangers_.erase(leaves);
  link->cut("link.crowded");
  return true;
}

// Who leaves for a newcomer: of those from where no certified node was heard yet, from the origin
// that holds the most places, whoever came first. Only of `origin` unless it is empty.
const Link* Peers::outsider(const std::string& origin) const {
  std::map<std::string, std::size_t> places;
  for (const auto& [link, stranger] : strangers_) places[stranger.origin] += 1;
  const Link* found = nullptr;
  std::tuple<bool, std::size_t, std::uint64_t> least;
  for (const auto& [link, stranger] : strangers_) {
    const bool is_ours = link->options().side == Side::dialler;
    if (is_ours || link->phase() == Link::Phase::joining) continue;
    if (!origin.empty() && stranger.origin != origin) continue;
    const std::tuple rank(stranger.is_familiar, SIZE_MAX - places[stranger.origin],
                          stranger.number);
    if (found != nullptr && rank >= least) continue;
    found = link;
    least = rank;
  }
  return found;
}

// Forgetting them all now and then costs little: they fill up again by themselves.
void Peers::note_familiar(const Link& link) {
  constexpr std::size_t most_familiar = 20'000;
  if (familiar_.size() >= most_familiar) familiar_.clear();
  familiar_.insert(origin_of(link.options().address));
}

// The newest link to a node counts: an older one is most likely half-open. But nobody is asked for
// statements alone while all is exchanged with it.
void Peers::link_opened(Link& link) {
  strangers_.erase(&link);
  for (const auto& [key, other] : links_) {
    if (key == &link || other->peer() != link.peer() || other->session() == nullptr) continue;
    if (link.options().lanes == Lanes::statements) return link.close("ancestor.linked");
    other->close("link.replaced");
  }
  log::info("link.open",
            {{"peer", *link.peer()}, {"dialled", link.options().side == Side::dialler ? 1 : 0}});
}

void Peers::link_closing(Link& link) {
  if (link.is_known()) {
    const Session* session = link.session();
    log::info("link.closed", {{"peer", *link.peer()},
                              {"code", log::code(link.end_code())},
                              {"sent", session ? session->entries_sent() : 0},
                              {"received", link.entries_received()}});
  } else {
    log::debug("link.refused", {{"code", log::code(link.end_code())}});
  }
  if (!shared_->owner) return;
  arm_timer(std::min(closing_tick_ms, options_.tick_ms));
}

void Peers::link_ended(Link& link) {
  // Whoever is asked for statements alone is nobody to wait for.
  const bool is_asked = link.options().lanes == Lanes::statements;
  if (!is_asked && link.peer() && context_.directory.authority().node(*link.peer()) != nullptr) {
    past_[*link.peer()] = status_of(link);
    note_familiar(link);
  }
  dialler_->link_ended(link);
  ancestors_->link_ended(link);
  strangers_.erase(&link);
  links_.erase(&link);
  listener_->look_again();
  finish_when_empty();
}

void Peers::sync_now() {
  if (!paused_ && !stopped_) dialler_->call_now();
}

void Peers::ask_ancestors() {
  if (!paused_ && !stopped_) ancestors_->call_now();
}

std::optional<AncestorsStatus> Peers::ancestors() const {
  return ancestors_->status();
}

void Peers::pause() {
  paused_ = true;
  end_all("node.paused");
}

void Peers::resume() {
  paused_ = false;
  sync_now();
}

std::string Peers::listens_at() const {
  return listener_->address();
}

PeerStatus Peers::status_of(const Link& link) const {
  PeerStatus status;
  status.key = link.peer() ? link.peer() : link.options().expected;
  status.address = link.options().address;
  status.side = link.options().side;
  status.state = state_of(link);
  status.end_code = link.end_code();
  status.heard = link.heard();
  status.entries_received = link.entries_received();
  if (const Session* session = link.session()) {
    status.caught_up = status.state == PeerState::open && session->caught_up();
    status.stays_different = session->stays_different();
    status.is_saving = status.state == PeerState::open && session->lanes() == Lanes::without_bulk;
    status.entries_sent = session->entries_sent();
    status.waiting_bytes = session->waiting_bytes();
    status.clock_ahead_ms = session->clock_ahead_ms();
  }
  return status;
}

std::vector<PeerStatus> Peers::status() const {
  std::vector<PeerStatus> all;
  std::set<PublicKey> seen;
  for (const auto& [key, link] : links_) {
    // Who calls without saying who it is, is nobody to show or to wait for.
    if (link->options().side == Side::listener && !link->is_known()) continue;
    all.push_back(status_of(*link));
    if (all.back().key) seen.insert(*all.back().key);
  }
  if (auto parent = dialler_->status(); parent && seen.insert(*parent->key).second) {
    // What was reached before the line was lost is still worth knowing.
    const auto before = past_.find(*parent->key);
    if (before != past_.end()) {
      parent->heard = before->second.heard;
      parent->entries_sent = before->second.entries_sent;
      parent->entries_received = before->second.entries_received;
      parent->clock_ahead_ms = before->second.clock_ahead_ms;
    }
    all.push_back(std::move(*parent));
  }
  for (const auto& [key, status] : past_) {
    if (seen.insert(key).second) all.push_back(status);
  }
  const Authority& authority = context_.directory.authority();
  for (PeerStatus& status : all) {
    const KnownNode* node = status.key ? authority.node(*status.key) : nullptr;
    const KnownChapter* chapter =
        node == nullptr ? nullptr : authority.chapter(node->certificate.chapter);
    if (chapter != nullptr) status.chapter = chapter->certificate.code;
  }
  std::sort(all.begin(), all.end(), [](const PeerStatus& a, const PeerStatus& b) {
    return std::tie(a.side, a.chapter, a.key) < std::tie(b.side, b.chapter, b.key);
  });
  return all;
}

}  // namespace chapterd
