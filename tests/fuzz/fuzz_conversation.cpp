// Two nodes in conversation while somebody between them cuts, holds back, doubles and changes
// bytes, people write and clocks jump. Nothing crashes, nobody takes what does not verify, and once
// the line is good again both hold the same.
#include "base/byte_stream.h"
#include "replication/format/piece.h"
#include "tests/fuzz/nodes.h"
#include "tests/fuzz/target.h"

#include <deque>
#include <optional>

namespace chapterd {
namespace {

constexpr Address all{Audience::all, {}};
constexpr std::int64_t ten_minutes_ms = 600'000;

fuzz::Pair& pair() {
  static fuzz::Pair made;
  return made;
}

// A session and what is on its way to it.
struct End {
  testing::TestNode& node;
  std::optional<Session> session;
  std::deque<Bytes> coming;
};

class Conversation {
 public:
  Conversation(testing::TestNode& child, testing::TestNode& parent)
      : child_{child, {}, {}}, parent_{parent, {}, {}} {
    connect(false);
  }

  void connect(bool push_at_once) {
    SessionOptions dialler;
    dialler.side = Side::dialler;
    dialler.push_at_once = push_at_once;
    const Instant now = child_.node.clock->now();
    for (End* end : {&child_, &parent_}) end->coming.clear();
    child_.session.emplace(child_.node.context(), parent_.node.id(), dialler, now);
    parent_.session.emplace(parent_.node.context(), child_.node.id(), SessionOptions{}, now);
  }

  [[nodiscard]] End& end(bool parent) { return parent ? parent_ : child_; }

  [[nodiscard]] End& other(const End& end) { return &end == &child_ ? parent_ : child_; }

  // What the session wants to say goes on its way.
  void speak(End& from) {
    Bytes out = from.session->take_output();
    if (!out.empty()) other(from).coming.push_back(std::move(out));
  }

  void hear(End& to) {
    if (to.coming.empty()) return;
    const Bytes bytes = std::move(to.coming.front());
    to.coming.pop_front();
    static_cast<void>(to.session->receive(bytes, to.node.clock->now()));
    store(to);
  }

  void tell(End& end) {
    end.node.directory->refresh(Snapshot(*end.node.store));
    end.session->committed();
  }

  void tick(std::int64_t ms) {
    child_.node.clock->advance_ms(ms);
    for (End* end : {&child_, &parent_}) end->session->tick(end->node.clock->now());
  }

  // Until nothing moves any more.
  void settle() {
    for (int quiet = 0; quiet < 2;) {
      for (End* end : {&child_, &parent_}) speak(*end);
      quiet = child_.coming.empty() && parent_.coming.empty() ? quiet + 1 : 0;
      for (End* end : {&child_, &parent_})
        while (!end->coming.empty()) hear(*end);
    }
  }

 private:
  void store(End& end) {
    while (end.session->has_inbound()) {
      VerifiedWindow window =
          verify(end.session->take_inbound(), end.session->peer(), *end.session->verifier());
      StoredWindow stored{std::move(window.refused), window.received.held, window.account};
      Received received = end.node.replica->receive(std::move(window.received));
      end.node.commit();
      std::move(received.refused.begin(), received.refused.end(),
                std::back_inserter(stored.refused));
      end.session->stored(stored);
      static_cast<void>(end.session->resume());
      end.session->committed();
    }
  }

  End child_;
  End parent_;
};

void disturb(Bytes& bytes, ByteReader& in) {
  bytes[in.u16() % bytes.size()] ^= static_cast<std::uint8_t>(1 + in.u8() % 255);
}

void step(Conversation& talk, ByteReader& in, int& written) {
  const std::uint8_t what = in.u8();
  End& end = talk.end((what & 0x80U) != 0);
  const auto waiting = [&] { return end.coming.empty() ? 0 : end.coming.size(); };
  switch (what % 12) {
    case 0:
    case 1:
      return talk.speak(end);
    case 2:
    case 3:
    case 4:
      return talk.hear(end);
    case 5:  // the line is slower than what is said
      if (waiting() > 0 && end.coming.front().size() > 1) {
        Bytes& front = end.coming.front();
        const std::size_t size = 1 + in.u16() % (front.size() - 1);
        Bytes rest(front.begin() + static_cast<std::ptrdiff_t>(size), front.end());
        front.resize(size);
        end.coming.insert(end.coming.begin() + 1, std::move(rest));
      }
      return;
    case 6:
      if (waiting() > 0) disturb(end.coming.front(), in);
      return;
    case 7:
      if (waiting() > 1) std::swap(end.coming[0], end.coming[1]);
      return;
    case 8:
      if (waiting() > 0) end.coming.push_back(end.coming.front());
      return;
    case 9:
      return talk.connect(in.u8() % 2 == 1);
    case 10:
      ++written;
      end.node.write_text(all, std::to_string(written % 3), "title", std::to_string(written));
      return talk.tell(end);
    default:
      return talk.tick(std::int64_t{in.u8()} * 1000);
  }
}

// Everything held verifies from its bytes.
void check_log(testing::TestNode& node) {
  const FederationId federation = node.directory->authority().federation();
  for (const KnownFeed& feed : node.directory->feeds()) {
    Head head{feed.head.feed, Sequence(0), EntryHash{}};
    for (const StoredPiece& stored : node.store->pieces_of(feed.row, Sequence(1), SIZE_MAX)) {
      const auto piece = decode_piece(stored.body);
      CHECK(piece && piece->first == head.seq.next());
      head = Head{head.feed, piece->last(), chain(*piece, head.feed, head.hash).back()};
      CHECK(piece->checkpoint || feed.intro.node == node.id());
      if (piece->checkpoint)
        CHECK(verify_checkpoint(feed.intro.node, federation, head, *piece->checkpoint));
    }
    CHECK(head == feed.head);
  }
}

std::vector<std::string> shown(testing::TestNode& node) {
  std::vector<std::string> texts;
  for (const char* record : {"theme", "finding", "0", "1", "2"})
    for (const std::string& text : node.values(Audience::all, record, "title"))
      texts.push_back(std::string(record) + "=" + text);
  return texts;
}

void check(ByteView bytes) {
  pair().rewind();
  testing::TestNode& kenya = *pair().kenya;
  testing::TestNode& global = *pair().global;
  Conversation talk(kenya, global);
  ByteReader in(bytes);
  int written = 0;
  for (int steps = 0; steps < 200 && in.remaining() > 0; ++steps) step(talk, in, written);
  // A good line again, called anew as often as one calls.
  for (int call = 0; call < 3; ++call) {
    talk.connect(false);
    talk.settle();
    talk.tick(ten_minutes_ms / 60);
    talk.settle();
  }
  for (testing::TestNode* node : {&kenya, &global}) check_log(*node);
  CHECK(kenya.values(Audience::chapter, "member", "phone").size() == 1);
  CHECK(global.values(Audience::chapter, "member", "phone").empty());
  CHECK(shown(kenya) == shown(global));
}

}  // namespace
}  // namespace chapterd

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  chapterd::check({data, size});
  return 0;
}
