// Entitlement that changes in the middle of a session, credit and budgets.
#include "replication/format/limits.h"
#include "replication/session.h"
#include "tests/support/tree.h"

#include <gtest/gtest.h>

namespace chapterd {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): the nodes and their words

struct Session3 : Pair {
  // More than a session may send before it hears that it was taken.
  void kenya_writes_much() {
    for (int i = 0; i < 4000; ++i) {
      const std::string text = std::to_string(i) + std::string(2000, 'x');
      kenya->write(up, a_change(record_named(std::to_string(i)), "t", text));
    }
    kenya->commit();
  }

  void greet(Session& sender, Session& receiver) {
    ASSERT_TRUE(receiver.receive(sender.take_output(), clock.now()));
    ASSERT_TRUE(sender.receive(receiver.take_output(), clock.now()));
  }
};

TEST_F(Session3, ARevokedNodeIsToldAndGetsNothingMore) {
  Wire wire(*kenya, *global);
  wire.run();
  ASSERT_EQ(wire.dialler().state(), SessionState::open);
  global->revoke(kenya->id());
  global->write_text(all, "synthesis", "title", "after the revocation");
  wire.announce();
  wire.run();
  EXPECT_EQ(wire.listener().state(), SessionState::closed);
  EXPECT_EQ(wire.listener().end_code(), "node.revoked");
  EXPECT_EQ(wire.dialler().end_code(), "peer.node.revoked");
  EXPECT_TRUE(kenya->values(Audience::all, "synthesis", "title").empty());
  // It learned why: the statement itself reached it.
  EXPECT_EQ(kenya->directory->authority().revoked_because(kenya->id()), "stolen");
}

TEST_F(Session3, ARevokedNodeThatCallsAgainIsRefusedAndLearnsWhy) {
  Wire(*kenya, *global).run();
  global->revoke(kenya->id());
  Wire wire(*kenya, *global);
  wire.run();
  EXPECT_EQ(wire.dialler().end_code(), "peer.node.revoked");
  EXPECT_EQ(kenya->directory->authority().revoked_because(kenya->id()), "stolen");
}

TEST_F(Session3, WhatIsWrittenAfterTheCutIsNotTaken) {
  kenya->write_text(up, "insight", "title", "before");
  Wire(*kenya, *global).run();
  auto office = TestNode::beside(*kenya);
  Wire(*office, *kenya).run();
  global->revoke(kenya->id(), {kenya->head(Audience::up)});
  kenya->write_text(up, "insight", "title", "after");
  // Another way round the revoked node's own link: its office still calls the global node.
  Wire(*office, *kenya).run();
  Wire wire(*office, *global);
  wire.run();
  EXPECT_EQ(global->values(Audience::up, "insight", "title"), Values{"before"});
}

// A second machine of the chapter, certified by the chapter itself, may hold its private feed.
TEST_F(Session3, ASecondNodeOfTheChapterGetsWhatOnlyTheChapterMayHold) {
  kenya->write_text({Audience::chapter, {}}, "member", "email", "achieng@example.org");
  auto office = TestNode::beside(*kenya);
  Wire wire(*office, *kenya);
  wire.run();
  EXPECT_EQ(office->values(Audience::chapter, "member", "email").size(), 1U);
}

TEST_F(Session3, ATransferIsCutIntoWindowsAndNeverExceedsTheCredit) {
  kenya_writes_much();
  Session sender(kenya->context(), global->id(), {Side::dialler, 0, false}, clock.now());
  Session receiver(global->context(), kenya->id(), {}, clock.now());
  greet(sender, receiver);
  // The receiver takes everything and acknowledges nothing.
  std::uint64_t content = 0;
  for (Bytes out = sender.take_output(); !out.empty(); out = sender.take_output()) {
    ASSERT_TRUE(receiver.receive(out, clock.now()));
    while (receiver.has_inbound()) {
      WindowAccount account = receiver.take_inbound().account;
      content += std::exchange(account.content_bytes, 0);
      receiver.stored({{}, {}, account});
      ASSERT_TRUE(receiver.resume());
    }
  }
  EXPECT_LE(content, limits::credit_bytes + limits::window_bytes + limits::frame_bytes);
  EXPECT_GE(content, limits::credit_bytes);
}

TEST_F(Session3, WhatHasNoRoomIsKeptUnreadUntilThereIsRoomAgain) {
  kenya_writes_much();
  Session sender(kenya->context(), global->id(), {Side::dialler, 0, false}, clock.now());
  Session receiver(global->context(), kenya->id(), {}, clock.now());
  greet(sender, receiver);
  for (Bytes out = sender.take_output(); !out.empty(); out = sender.take_output())
    ASSERT_TRUE(receiver.receive(out, clock.now()));
  EXPECT_FALSE(receiver.wants_input());
  std::uint64_t content = 0;
  int rounds = 0;
  for (; receiver.has_inbound(); ++rounds) {
    const WindowAccount account = receiver.take_inbound().account;
    EXPECT_LE(account.scratch_bytes, limits::scratch_bytes + 2 * limits::frame_bytes);
    content += account.content_bytes;
    receiver.stored({{}, {}, account});
    ASSERT_TRUE(receiver.resume());
  }
  EXPECT_GT(rounds, 1);
  EXPECT_GE(content, limits::credit_bytes);
  EXPECT_TRUE(receiver.wants_input());
}

// What a peer asks costs a walk over all feeds, and the answer is longer than the question.
TEST_F(Session3, AFloodOfQuestionsIsNotAnswered) {
  Wire wire(*kenya, *global);
  wire.run();
  Bytes questions;
  const BucketsFrame buckets{7, 2, {1, 2, 3, 4}};
  for (int i = 0; i < 1000; ++i) append(questions, encode(Frame(buckets)));
  ASSERT_TRUE(wire.listener().receive(questions, clock.now()));
  const Bytes answers = wire.listener().take_output();
  EXPECT_FALSE(answers.empty());
  EXPECT_LT(answers.size(), questions.size());
}

// Each head of an own feed earns the peer's proof of what it holds; the same one only once.
TEST_F(Session3, AHelloThatRepeatsAHeadDoesNotFloodItsAnswer) {
  Wire(*kenya, *global).run();
  HelloFrame hello;
  hello.federation = global->directory->authority().federation();
  Head behind = kenya->head(Audience::auth);
  behind.seq = Sequence(0);
  hello.own.assign(900, behind);
  Session listener(global->context(), kenya->id(), {}, clock.now());
  ASSERT_TRUE(listener.receive(encode(Frame(hello)), clock.now()));
  EXPECT_EQ(listener.state(), SessionState::open);
  EXPECT_LT(listener.take_output().size(), 4096U);
}

TEST_F(Session3, ABudgetEndsTheSessionAndTheNextOneGoesOnFromThere) {
  // Random text does not pack: 300 changes of 1 KiB are more than the budget of one session.
  write_noise(*global, all, 300, 500);
  int sessions = 0;
  std::size_t crossed = 0;
  for (; sessions < 20 && kenya->values(Audience::all, "299", "t").empty(); ++sessions) {
    Session dialler(kenya->context(), global->id(), {Side::dialler, 100'000, false}, clock.now());
    Session listener(global->context(), kenya->id(), {}, clock.now());
    for (int turn = 0; turn < 50 && dialler.state() != SessionState::closed; ++turn) {
      static_cast<void>(listener.receive(dialler.take_output(), clock.now()));
      const Bytes out = listener.take_output();
      for (std::size_t at = 0; at < out.size() && dialler.state() != SessionState::closed;
           at += 10'000) {
        const ByteView slice =
            ByteView(out).subspan(at, std::min<std::size_t>(10'000, out.size() - at));
        crossed += slice.size();
        static_cast<void>(dialler.receive(slice, clock.now()));
        while (dialler.has_inbound()) {
          VerifiedWindow window =
              verify(dialler.take_inbound(), dialler.peer(), *dialler.verifier());
          const StoredWindow stored{{}, window.received.held, window.account};
          kenya->replica->receive(std::move(window.received));
          kenya->commit();
          dialler.stored(stored);
        }
      }
    }
    EXPECT_TRUE(dialler.state() == SessionState::open || dialler.end_code() == "budget.session");
  }
  EXPECT_GT(sessions, 1);
  EXPECT_LT(sessions, 20);
  EXPECT_LT(crossed, 900'000U);
}

TEST_F(Session3, ANodeOfAnotherFederationIsTurnedAway) {
  SeededRandom other_random(99);
  auto stranger = TestNode::founder(other_random, clock);
  Wire wire(*stranger, *global);
  wire.run();
  EXPECT_EQ(wire.listener().end_code(), "federation.other");
  EXPECT_EQ(wire.dialler().end_code(), "peer.federation.other");
}

TEST_F(Session3, AnUncertifiedNodeIsTurnedAway) {
  const SigningKey stranger = SigningKey::generate(random);
  Session listener(global->context(), stranger.public_key(), {}, clock.now());
  HelloFrame hello;
  hello.federation = global->directory->authority().federation();
  EXPECT_FALSE(listener.receive(encode(Frame(hello)), clock.now()));
  EXPECT_EQ(listener.end_code(), "node.unknown");
}

TEST_F(Session3, SilenceIsNoticedAndAPingIsAnswered) {
  Wire wire(*kenya, *global);
  wire.run();
  Session& session = wire.dialler();
  clock.advance_ms(limits::ping_ms);
  session.tick(clock.now());
  EXPECT_FALSE(session.take_output().empty());
  clock.advance_ms(limits::dead_ms);
  session.tick(clock.now());
  EXPECT_EQ(session.end_code(), "peer.silent");
}

TEST_F(Session3, GarbageEndsTheSessionWithoutHarm) {
  Wire wire(*kenya, *global);
  wire.run();
  const Bytes garbage(100, 0xFF);
  EXPECT_FALSE(wire.listener().receive(garbage, clock.now()));
  EXPECT_EQ(wire.listener().end_code(), "stream.malformed");
  Wire again(*kenya, *global);
  again.run();
  EXPECT_TRUE(again.dialler().caught_up());
}

TEST_F(Session3, AFeedThatAPeerMayNotHoldIsNotTakenFromIt) {
  // Ethiopia sends what it may not have: a feed that goes up from Kenya.
  auto ethiopia = TestNode::below(*global, "ET");
  kenya->write_text(up, "insight", "title", "for the line above only");
  Wire(*ethiopia, *global).run();
  const KnownFeed& feed = *kenya->directory->feed(kenya->head(Audience::up).feed);
  Session listener(global->context(), ethiopia->id(), {}, clock.now());
  Session dialler(ethiopia->context(), global->id(), {Side::dialler, 0, false}, clock.now());
  ASSERT_TRUE(listener.receive(dialler.take_output(), clock.now()));
  Segment segment;
  segment.audience = Audience::up;
  segment.pieces.push_back({7, feed.intro_bytes, Bytes{1, 2, 3}});
  const Bytes content = encode(segment);
  SegmentFrame frame{Audience::up, false, false, content.size(), content};
  ASSERT_TRUE(listener.receive(encode(Frame(frame)), clock.now()));
  EXPECT_TRUE(listener.take_inbound().pieces.empty());
  ASSERT_EQ(listener.faults().size(), 1U);
  EXPECT_EQ(listener.faults()[0].error.code, "feed.not-ours");
  EXPECT_EQ(listener.state(), SessionState::open);
}

}  // namespace
}  // namespace chapterd
