// What a link's bytes mean: who is there, the join lane, and a session's windows on their way
// through verification and the writer.
#include "daemon/log.h"
#include "daemon/net/link.h"
#include "replication/format/limits.h"
#include "replication/invite.h"

#include <algorithm>
#include <utility>

namespace chapterd {
namespace {

// A request to join has a name and two keys; nothing that a stranger sends is larger.
constexpr std::size_t most_request_bytes = 4096;

// How long whoever cannot store asks others to stay away: nothing that comes sooner can be kept.
constexpr std::uint64_t busy_ms = 60'000;

bool is_empty(const InboundWindow& window) {
  return window.pieces.empty() && window.receipts.empty() && !window.held && !window.acknowledged &&
         !window.meeting;
}

}  // namespace

// A window on the writer thread. Refers to its link weakly: the link may be gone by then, and what
// came is stored all the same.
class Link::ReceiveJob final : public Writer::Job {
 public:
  ReceiveJob(asio::io_context& loop, std::weak_ptr<Link> link, VerifiedWindow&& window)
      : Job(load_of(window)), loop_(loop), link_(std::move(link)), window_(std::move(window)) {}

  void stage(Replica& replica) override {
    stored_.held = window_.received.held;
    stored_.account = window_.account;
    stored_.refused = std::move(window_.refused);
    Received received = replica.receive(std::move(window_.received));
    std::move(received.refused.begin(), received.refused.end(),
              std::back_inserter(stored_.refused));
  }

  void finish(const std::optional<Error>& error) override {
    Result<StoredWindow> result = std::move(stored_);
    if (error) result = fail(*error);
    asio::post(loop_,
               [link = std::move(link_), result = std::move(result), entries = load.entries] {
                 if (const auto self = link.lock()) self->stored(result, entries);
               });
  }

 private:
  static Writer::Load load_of(const VerifiedWindow& window) {
    Writer::Load sum{window.account.content_bytes, 0};
    for (const VerifiedPiece& piece : window.received.pieces)
      sum.entries += piece.piece().entries.size();
    if (window.received.must_be_alone()) sum.bytes = Writer::alone_bytes;
    return sum;
  }

  asio::io_context& loop_;
  std::weak_ptr<Link> link_;
  VerifiedWindow window_;
  StoredWindow stored_;
};

// The handshake is complete: who is it?
void Link::identify() {
  peer_ = tls_.peer();
  const Authority& authority = context_.directory.authority();
  if (options_.side == Side::dialler) return open_session();
  if (authority.node(*peer_) == nullptr) {
    phase_ = Phase::greeting;
    deadline_ = context_.clock.now().plus_ms(limits::handshake_ms);
    return;
  }
  open_session();
}

// A key that is not known here may bring its certificates in a HELLO, or ask to join.
void Link::greet(ByteView plain) {
  append(greeting_, plain);
  greeting_parser_.append(plain);
  auto frame = greeting_parser_.next();
  if (!frame) return close("stream.malformed");
  if (!*frame) return;
  if (const auto* join = std::get_if<JoinFrame>(&**frame)) return answer(*join);
  if (!std::holds_alternative<HelloFrame>(**frame)) return close("node.unknown");
  open_session();
  if (phase_ == Phase::session) deliver(std::exchange(greeting_, {}));
}

void Link::open_session() {
  const SessionContext context{context_.directory, context_.reader, context_.key, context_.random};
  const SessionOptions options{options_.side, options_.budget_bytes, options_.push_at_once,
                               options_.patience, options_.lanes};
  session_.emplace(context, *peer_, options, context_.clock.now());
  phase_ = Phase::session;
  announce();
}

bool Link::is_known() const {
  return peer_ &&
         (options_.side == Side::dialler || context_.directory.authority().node(*peer_) != nullptr);
}

// Anybody may begin a session with a HELLO; whoever brings no certificate in it stays a stranger.
void Link::announce() {
  if (is_announced_ || !is_known()) return;
  is_announced_ = true;
  owner_.link_opened(*this);
}

// There is room again: first for what the session kept, then for what comes.
void Link::go_on() {
  if (phase_ == Phase::session) note_stream(session_->resume());
  follow_session();
  input_gate_.open();
}

void Link::note_stream(const Result<void>& taken) const {
  if (taken) return;
  const auto write = is_known() ? log::warn : log::debug;
  write("link.stream", {{"peer", *peer_}, {"code", log::code(taken.error().code)}});
}

// After everything that the session was told: what came goes on, what is to be said is said.
void Link::follow_session() {
  if (phase_ == Phase::session) announce();
  if (phase_ != Phase::session) return;
  pass_on();
  if (session_->state() == SessionState::open) was_open_ = true;
  if (session_->state() == SessionState::closed) begin_closing(session_->end_code());
  output_gate_.open();
}

// One window at a time is verified, so that the next one is checked while the last one is
// committed, and what comes meanwhile makes a larger one.
void Link::pass_on() {
  while (!verifying_ && session_->has_inbound()) {
    InboundWindow window = session_->take_inbound();
    if (is_empty(window) && storing_ == 0) {
      // Nothing of it is worth a transaction.
      session_->stored(StoredWindow{{}, {}, window.account});
      continue;
    }
    verifying_ = true;
    auto* loop = &context_.loop;
    auto* writer = &context_.writer;
    context_.pool.submit(
        std::move(window), *peer_, session_->verifier(),
        [loop, writer, link = weak_from_this()](VerifiedWindow&& checked) {
          asio::post(*loop, [link] {
            if (const auto self = link.lock()) self->verified();
          });
          writer->post(std::make_unique<ReceiveJob>(*loop, link, std::move(checked)));
        });
  }
}

void Link::verified() {
  verifying_ = false;
  ++storing_;
  without_damage([this] { follow_session(); });
}

void Link::stored(const Result<StoredWindow>& window, std::size_t entries) {
  --storing_;
  if (window) entries_received_ += entries;
  if (phase_ != Phase::session) return;
  if (!window) return close(window.error().code, busy_ms);
  without_damage([&] {
    session_->stored(*window);
    go_on();
  });
}

// This session cannot go on, the others can.
void Link::without_damage(const std::function<void()>& work) {
  try {
    work();
  } catch (const Damaged& damaged) {
    if (context_.damaged) context_.damaged(damaged.error);
    close(damaged.error.code, busy_ms);
  }
}

void Link::answer(const JoinFrame& join) {
  const auto request = decode_join_request(join.request);
  if (!request || join.request.size() > most_request_bytes) return close("invite.request");
  if (request->node != *peer_) return close("invite.other-key");
  // Nobody without an invite gives the writer work; an invite's name cannot be guessed.
  if (context_.reader.values(stored_invite_name(request->invite)).empty())
    return close("invite.unknown");
  auto authority = context_.authority ? context_.authority() : nullptr;
  if (!authority) return close("invite.authority-locked");
  phase_ = Phase::joining;
  auto* loop = &context_.loop;
  const Instant date = context_.date.now();
  context_.writer.submit(
      [authority = std::move(authority), bytes = join.request, date](Replica& replica) {
        return answer_join(replica, *authority, bytes, date);
      },
      [loop, link = weak_from_this()](Result<Bytes> answered) {
        asio::post(*loop, [link, answered = std::move(answered)] {
          if (const auto self = link.lock()) self->joined(answered);
        });
      });
}

void Link::joined(const Result<Bytes>& answer) {
  if (phase_ != Phase::joining) return;
  if (!answer) return close(answer.error().code);
  log::info("join.answered", {{"peer", *peer_}});
  say(Frame(JoinedFrame{*answer}));
  begin_closing("join.answered");
}

}  // namespace chapterd
