// Bytes to the session and back, windows through verification and the writer.
#include "tests/sim/sim_link.h"

#include "tests/sim/process.h"
#include "tests/sim/sim_node.h"
#include "tests/sim/world.h"

#include <utility>

namespace chapterd::sim {
namespace {

// As daemon/net/link: what the session is given and takes at once.
constexpr std::size_t slice_bytes = 64 * 1024;

bool is_empty(const InboundWindow& window) {
  return window.pieces.empty() && window.receipts.empty() && !window.held && !window.acknowledged &&
         !window.meeting;
}

}  // namespace

SimLink::SimLink(Process& owner, const LinkOptions& options) : owner_(owner), options_(options) {}

void SimLink::start() {
  if (ended_) return;
  const SessionContext context{owner_.directory(), owner_.reader(), *owner_.node().key,
                               owner_.node().random};
  SessionOptions options;
  options.side = options_.side;
  options.push_at_once = options_.push_at_once;
  session_.emplace(context, options_.peer, options, owner_.world().agenda.now());
  owner_.link_opened(*this);
  read();
}

void SimLink::arrived(Bytes&& bytes) {
  if (ended_) return;
  append(unread_, bytes);
  if (std::exchange(is_reading_, true)) return;
  owner_.later(0, [self = shared_from_this()] { self->read(); });
}

void SimLink::read() {
  is_reading_ = false;
  if (!session_) return;  // start() reads what came before it
  while (!ended_ && !unread_.empty() && session_->wants_input()) {
    const std::size_t size = std::min(unread_.size(), slice_bytes);
    // An error closes the session, which follow_session() sees.
    static_cast<void>(
        session_->receive(ByteView(unread_).first(size), owner_.world().agenda.now()));
    unread_.erase(unread_.begin(), unread_.begin() + static_cast<std::ptrdiff_t>(size));
  }
  follow_session();
}

void SimLink::can_write() {
  if (!ended_ && session_) owner_.now([this] { write_out(); });
}

void SimLink::broken() {
  end();
}

void SimLink::committed() {
  if (ended_ || !session_) return;
  session_->committed();
  follow_session();
}

void SimLink::close(const std::string& code) {
  if (ended_ || !session_) return;
  session_->close(code);
  follow_session();
}

void SimLink::vanish(bool silently) {
  if (ended_) return;
  ended_ = true;
  Network& network = owner_.world().network;
  if (silently) {
    network.vanish(connection_, owner_.node().machine);
  } else {
    network.close(connection_, owner_.node().machine);
  }
}

// There is room again: first for what the session kept, then for what comes.
void SimLink::go_on() {
  static_cast<void>(session_->resume());
  read();
}

void SimLink::follow_session() {
  if (ended_) return;
  pass_on();
  if (session_->state() == SessionState::open && !std::exchange(was_open_, true))
    owner_.session_opened(*this);
  write_out();
  schedule_tick();
}

void SimLink::write_out() {
  Network& network = owner_.world().network;
  const int self = owner_.node().machine;
  while (!ended_ && network.may_send(connection_, self)) {
    Bytes out = session_->take_output();
    if (out.empty()) break;
    owner_.world().says(owner_.node().machine, options_.peer_machine, out);
    network.send(connection_, self, std::move(out));
  }
  if (!ended_ && session_->state() == SessionState::closed) end();
}

void SimLink::end() {
  if (std::exchange(ended_, true)) return;
  const std::string why = session_ && !session_->end_code().empty() ? session_->end_code() : "cut";
  owner_.world().tell("machine " + std::to_string(owner_.node().machine) +
                      " ends a link to machine " + std::to_string(options_.peer_machine) + ": " +
                      why);
  owner_.world().network.close(connection_, owner_.node().machine);
  // Not at once: whoever called may still stand in one of our functions.
  owner_.later(0, [self = shared_from_this()] { self->owner_.link_ended(*self); });
}

// What a relay that changes bytes does to what it passes on.
void SimLink::corrupt(InboundWindow& window) {
  if (!owner_.world().is_machine(options_.peer_machine)) return;  // a rogue
  SimNode& peer = owner_.world().node(options_.peer_machine);
  if (peer.corrupts_until <= owner_.world().agenda.now()) return;
  for (InboundPiece& piece : window.pieces) {
    if (peer.random.below(3) != 0) continue;
    owner_.world().ledger.refused.insert({owner_.node().machine, piece.feed->id});
    piece.bytes[peer.random.below(piece.bytes.size())] ^=
        static_cast<std::uint8_t>(1U << peer.random.below(8));
  }
}

void SimLink::tell_inbound(const InboundWindow& window) {
  std::string text = "machine " + std::to_string(owner_.node().machine) + " gets from machine " +
                     std::to_string(options_.peer_machine) + ":";
  for (const InboundPiece& inbound : window.pieces) {
    const auto piece = decode_piece(inbound.bytes);
    text += " " + to_hex(inbound.feed->id.view()).substr(0, 8);
    if (piece)
      text += "/" + std::to_string(piece->first.value) + "-" + std::to_string(piece->last().value) +
              "(" + std::to_string(inbound.known.seq.value) + ")";
  }
  owner_.world().tell(text);
}

// One window at a time is verified; what comes meanwhile makes a larger one.
void SimLink::pass_on() {
  while (!verifying_ && session_->has_inbound()) {
    InboundWindow window = session_->take_inbound();
    if (is_empty(window) && storing_ == 0) {
      session_->stored(StoredWindow{{}, {}, window.account});
      continue;
    }
    verifying_ = true;
    corrupt(window);
    if (owner_.world().options.trace) tell_inbound(window);
    const auto ms = static_cast<std::int64_t>(owner_.node().random.below(4));
    auto moved = std::make_shared<InboundWindow>(std::move(window));
    owner_.later(ms, [self = shared_from_this(), moved] {
      self->verified(verify(std::move(*moved), self->options_.peer, *self->session_->verifier()));
    });
  }
}

void SimLink::verified(VerifiedWindow&& window) {
  verifying_ = false;
  ++storing_;
  const auto self = shared_from_this();
  owner_.receive(self, std::move(window), [self](const StoredWindow* stored) {
    --self->storing_;
    if (self->ended_) return;
    if (stored == nullptr) return self->close("store.disk-full");
    self->session_->stored(*stored);
    self->go_on();
  });
  follow_session();
}

void SimLink::schedule_tick() {
  if (ended_) return;
  const Instant wake = session_->next_wake();
  if (wake >= tick_at_) return;  // the one that is due looks again
  tick_at_ = wake;
  const std::int64_t ms = std::max<std::int64_t>(1, wake.ms - owner_.world().agenda.now().ms);
  owner_.later(ms, [self = shared_from_this()] {
    self->tick_at_ = Instant{INT64_MAX};
    if (self->ended_) return;
    self->session_->tick(self->owner_.world().agenda.now());
    self->follow_session();
  });
}

}  // namespace chapterd::sim
