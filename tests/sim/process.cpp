// The hops of a daemon as events: writer, loop, calls.
#include "tests/sim/process.h"

#include "tests/sim/invariants/invariants.h"
#include "tests/sim/sim_node.h"
#include "tests/sim/world.h"

#include <algorithm>
#include <utility>

namespace chapterd::sim {
namespace {

constexpr std::int64_t unreachable_ms = 20'000;
constexpr std::int64_t retry_min_ms = 2'000;
constexpr std::int64_t retry_max_ms = 60'000;
// So small that checkpoints happen, and die, in every run.
constexpr std::uint32_t checkpoint_pages = 48;

SqliteOptions store_options(const SimDisk& disk, const LayerSeal& seal) {
  SqliteOptions options;
  options.vfs = disk.vfs();
  options.writer.checkpoint_pages = checkpoint_pages;
  options.seal = &seal;
  return options;
}

template <class T>
T opened(Result<T>&& result) {
  if (!result) throw Broken(result.error().code + ": " + result.error().what);
  return std::move(*result);
}

// As the daemon does it, before anything else.
std::unique_ptr<Replica> marked(std::unique_ptr<Replica> replica, MarkKeeper& mark) {
  replica->keep_mark(mark);
  return replica;
}

}  // namespace

Process::Process(World& world, SimNode& node)
    : world_(world),
      node_(node),
      vault_(node.random),
      mark_(*node.disk),
      store_(opened(SqliteStore::open(SimDisk::database, store_options(*node.disk, vault_)))),
      replica_(marked(opened(Replica::open(*store_, node.clock, node.random, *node.key, vault_)),
                      mark_)),
      reader_(std::make_unique<SqliteReads<Reader>>(
          std::make_unique<Connection>(SimDisk::database, node.disk->vfs(), Access::read_only),
          &vault_)),
      directory_(std::make_unique<Directory>(opened(Directory::load(Snapshot(*reader_))))) {
  for (const int machine : node.peers) calls_.push_back({machine, 0, false, nullptr});
}

Process::~Process() = default;

void Process::start() {
  check_promises(world_, *store_, node_);
  world_.after_commit(*this);
  // From here on it hands out what it found: that must be durable by now.
  world_.check_recovery(*node_.disk->copy(node_.random.next()), node_);
  if (replica_->must_rebuild()) {
    const auto rebuilt = replica_->rebuild();
    world_.require(rebuilt.has_value(), "I3", "records cannot be merged anew");
  }
  const auto unlocked = replica_->unlock(BoxKey::from_seed(node_.key->seed()));
  world_.require(unlocked.has_value(), "I1", "the chapter's keys do not open");
  if (replica_->has_staged()) {
    replica_->commit();
    if (node_.disk->is_dead()) throw Broken("killed");
    world_.after_commit(*this);
  }
  directory_->refresh(Snapshot(*reader_));
  started_ = true;
  follow_moves();
  ask_person();
  for (std::size_t call = 0; call < calls_.size(); ++call) dial_later(call);
}

void Process::later(std::int64_t ms, std::function<void()> what) {
  world_.agenda.after_ms(ms, [weak = weak_from_this(), what = std::move(what)] {
    if (const auto self = weak.lock()) self->now(what);
  });
}

void Process::now(const std::function<void()>& what) {
  if (ended_) return;
  const std::int64_t paused_ms = node_.paused_until.ms - world_.agenda.now().ms;
  if (paused_ms > 0) return later(paused_ms, what);
  const auto self = shared_from_this();
  try {
    what();
  } catch (const Broken& broken) {
    return node_.broke(broken.what());
  } catch (const DiskFull& full) {
    return node_.broke(full.what());
  }
  if (!ended_ && node_.disk->is_dead()) node_.broke("killed");
}

void Process::post(Job&& job) {
  queue_.push_back(std::move(job));
  if (std::exchange(group_due_, true)) return;
  later(static_cast<std::int64_t>(node_.random.below(6)), [this] { run_group(); });
}

void Process::run_group() {
  group_due_ = false;
  std::vector<Job> group;
  const std::size_t most = node_.random.below(4) == 0 ? 1 : queue_.size();
  while (!queue_.empty() && group.size() < most) {
    if (!group.empty() && (group.back().alone || queue_.front().alone)) break;
    group.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  if (!queue_.empty()) {
    group_due_ = true;
    later(1, [this] { run_group(); });
  }
  const bool saved = write_group(group);
  if (!saved) return;
  for (const Job& job : group) job.finish(std::nullopt);
  if (!std::exchange(follow_due_, true))
    later(static_cast<std::int64_t>(node_.random.below(4)), [this] { follow(); });
  if (!queue_.empty() || !store_->holds_remains()) return;
  world_.before_commit(node_);
  replica_->drop_remains();
  if (node_.disk->is_dead()) throw Broken("killed");
  world_.after_commit(*this);
}

bool Process::write_group(std::vector<Job>& group) {
  world_.before_commit(node_);
  try {
    for (const Job& job : group) job.stage(*replica_);
    if (world_.control == Control::ack_before_commit)
      for (const Job& job : group) job.finish(std::nullopt);
    replica_->commit();
  } catch (const DiskFull&) {
    if (replica_->has_staged()) throw;
    world_.tell("machine " + std::to_string(node_.machine) + " has a full disk at arrival " +
                std::to_string(replica_->directory().arrival().value));
    for (const Job& job : group) job.finish("store.disk-full");
    return false;
  }
  if (node_.disk->is_dead()) throw Broken("killed");
  world_.tell("machine " + std::to_string(node_.machine) + " committed up to arrival " +
              std::to_string(replica_->directory().arrival().value));
  world_.after_commit(*this);
  if (world_.control == Control::ack_before_commit) group.clear();
  return true;
}

void Process::follow() {
  follow_due_ = false;
  directory_->refresh(Snapshot(*reader_));
  follow_moves();
  const auto links = links_;  // a link may end meanwhile
  for (const auto& link : links) link->committed();
  ask_person();
}

// As the daemon: whom the last move of its chapter names is called instead of whoever stood above.
void Process::follow_moves() {
  const KnownMove* move = directory_->authority().move_of(directory_->chapter());
  const int to = move == nullptr ? -1 : world_.machine_called(move->body.parent);
  if (to < 0) return;
  for (Call& call : calls_) {
    if (call.machine == to || world_.node(call.machine).chapter == node_.chapter) continue;
    call.machine = to;
    if (call.link != nullptr) call.link->close("node.moved");
  }
}

// The global node was put back and has nobody above to tell it what it lost: a person looks, some
// time later.
void Process::ask_person() {
  if (!node_.may_come_back || person_asked_ || world_.chapter_of(node_).parent >= 0) return;
  if (reader_->values(stored_name::waits).empty()) return;
  person_asked_ = true;
  later(static_cast<std::int64_t>(30'000 + node_.random.below(180'000)), [this] {
    person_asked_ = false;
    Job job;
    job.stage = [](Replica& replica) { replica.confirm_restored(Complete::no); };
    job.finish = [this](const std::optional<std::string>& error) {
      if (error) ask_person();
    };
    post(std::move(job));
  });
}

void Process::receive(const std::shared_ptr<SimLink>& link,
                      VerifiedWindow&& window,
                      std::function<void(const StoredWindow*)> stored) {
  const auto kept = std::make_shared<VerifiedWindow>(std::move(window));
  const auto outcome = std::make_shared<StoredWindow>();
  Job job;
  job.stage = [this, kept, outcome, link](Replica& replica) {
    outcome->held = kept->received.held;
    outcome->account = kept->account;
    outcome->refused = std::move(kept->refused);
    Received received = replica.receive(std::move(kept->received));
    std::move(received.refused.begin(), received.refused.end(),
              std::back_inserter(outcome->refused));
    for (const RefusedPiece& refused : outcome->refused) {
      // A gap or anything else that nothing explains would be the product's fault.
      if (world_.is_excused(node_, refused))
        world_.ledger.refused.insert({node_.machine, refused.feed});
      world_.tell("machine " + std::to_string(node_.machine) + " refuses a piece of feed " +
                  to_hex(refused.feed.view()).substr(0, 8) + " from machine " +
                  std::to_string(link->options().peer_machine) + ": " + refused.error.code);
    }
  };
  job.finish = [this, link, outcome,
                stored = std::move(stored)](const std::optional<std::string>& error) {
    later(static_cast<std::int64_t>(node_.random.below(3)),
          [outcome, stored, failed = !!error] { stored(failed ? nullptr : outcome.get()); });
  };
  job.alone = kept->received.must_be_alone();
  world_.spoil(*kept, *this);
  if (world_.options.trace) tell_window(*kept, *link);
  post(std::move(job));
}

void Process::tell_window(const VerifiedWindow& window, const SimLink& link) {
  std::string text = "machine " + std::to_string(node_.machine) + " verified from machine " +
                     std::to_string(link.options().peer_machine) + ":";
  for (const VerifiedPiece& piece : window.received.pieces)
    text += " " + to_hex(piece.feed().id.view()).substr(0, 8) + "/" +
            std::to_string(piece.piece().first.value) + "-" +
            std::to_string(piece.piece().last().value);
  for (const RefusedPiece& refused : window.refused)
    text += " refused " + to_hex(refused.feed.view()).substr(0, 8) + " " + refused.error.code;
  if (window.received.held)
    for (const Arrival arrival : window.received.held->arrivals)
      text += " " + std::to_string(arrival.value);
  world_.tell(text + (window.account.end ? " END" : ""));
}

void Process::dial_later(std::size_t at) {
  Call& call = calls_[at];
  std::int64_t most = retry_min_ms;
  for (int i = 1; i < call.failures && most < retry_max_ms; ++i) most *= 2;
  most = std::min(most, retry_max_ms);
  const auto wait =
      static_cast<std::int64_t>(node_.random.below(static_cast<std::size_t>(most) + 1));
  later(wait, [this, at] { dial(at); });
}

void Process::dial(std::size_t at) {
  Call& call = calls_[at];
  if (call.link != nullptr) return;
  const Route& way = world_.network.route(node_.machine, call.machine);
  const bool reachable = !way.is_down && world_.is_listening(call.machine);
  if (reachable) return later(2 * way.delay_ms, [this, at] { connected(at); });
  ++call.failures;
  later(way.is_down ? unreachable_ms : way.delay_ms, [this, at] { dial_later(at); });
}

void Process::connected(std::size_t at) {
  Call& call = calls_[at];
  SimNode& other = world_.node(call.machine);
  if (!world_.is_listening(call.machine)) {
    ++call.failures;
    return dial_later(at);
  }
  LinkOptions options;
  options.side = Side::dialler;
  options.peer_machine = call.machine;
  options.peer = other.id();
  options.push_at_once = call.had_session;
  call.link = std::make_shared<SimLink>(*this, options);
  links_.push_back(call.link);
  const auto accepted = other.process->accept(node_.machine, node_.id());
  const ConnectionId id =
      world_.network.connect(node_.machine, other.machine, call.link.get(), accepted.get());
  accepted->attach(id);
  call.link->attach(id);
  other.process->later(0, [accepted] { accepted->start(); });
  call.link->start();
}

std::shared_ptr<SimLink> Process::accept(int machine, const PublicKey& peer) {
  LinkOptions options;
  options.peer_machine = machine;
  options.peer = peer;
  return links_.emplace_back(std::make_shared<SimLink>(*this, options));
}

void Process::link_ended(const SimLink& link) {
  for (std::size_t at = 0; at < calls_.size(); ++at) {
    Call& call = calls_[at];
    if (call.link.get() != &link) continue;
    call.had_session = link.was_open() && link.options().peer_machine == call.machine;
    call.failures = link.was_open() ? 0 : call.failures + 1;
    call.link.reset();
    dial_later(at);
  }
  std::erase_if(links_, [&](const auto& each) { return each.get() == &link; });
}

void Process::link_opened(const SimLink& link) {
  const auto links = links_;
  for (const auto& other : links)
    if (other.get() != &link && other->options().peer == link.options().peer)
      other->close("link.replaced");
}

void Process::session_opened(const SimLink& link) {
  const int peer = link.options().peer_machine;
  const bool is_rogue = !world_.is_machine(peer);  // perhaps of a chapter above
  const bool is_copy = !is_rogue && world_.node(peer).copy_of >= 0;
  node_.has_met = node_.has_met || is_rogue || is_copy || link.options().side == Side::dialler ||
                  world_.chapter_of(node_).parent < 0;
}

void Process::redirect(int from, int to) {
  for (Call& call : calls_)
    if (call.machine == from) call.machine = to;
}

bool Process::calls(int machine) const {
  return std::ranges::any_of(calls_, [&](const Call& call) { return call.machine == machine; });
}

void Process::close() {
  if (!started_ || node_.disk->is_dead()) return;
  try {
    replica_->close();
  } catch (const DiskFull&) {  // NOLINT(bugprone-empty-catch): as the daemon: an older mark stays
  } catch (const Broken&) {    // NOLINT(bugprone-empty-catch): the supervisor starts it again
  }
}

void Process::end(bool silently) {
  ended_ = true;
  for (const auto& link : links_) link->vanish(silently);
}

}  // namespace chapterd::sim
