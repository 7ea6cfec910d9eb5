// What one certified node, in wrong hands, can make others do: keep in memory, compute, show.
#include "replication/format/limits.h"
#include "tests/support/liar.h"
#include "tests/support/tree.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace chapterd {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): the nodes and their words

struct HostilePeer : Pair {
  // Feeds that Kenya's key may open, without one right entry.
  Frame invented_feeds(std::uint32_t first, std::size_t count) {
    const auto& known = *kenya->directory->feed(kenya->head(Audience::up).feed);
    Segment segment;
    segment.audience = Audience::up;
    for (std::size_t i = 0; i < count; ++i) {
      FeedIntro intro = known.intro;
      intro.incarnation = random.fixed<Incarnation>();
      segment.pieces.push_back(
          {first + static_cast<std::uint32_t>(i), encode(intro), Bytes{1, 2, 3}});
    }
    SegmentFrame frame;
    frame.audience = Audience::up;
    frame.content = encode(segment);
    frame.size = frame.content.size();
    return frame;
  }
};

TEST_F(HostilePeer, HeadsThatNobodyAskedForAreNotCompared) {
  kenya->write_text(up, "insight", "title", "Cold chain");
  Wire wire(*kenya, *global);
  wire.run();
  // All that it holds is gone, it says: that would be sent again.
  wire.say_to_dialler(Frame(HeadsFrame{0, {0}, {}}));
  EXPECT_TRUE(wire.dialler().take_output().empty());
  EXPECT_TRUE(wire.dialler().caught_up());
}

TEST_F(HostilePeer, QuestionsOfOneSliceAreAnsweredTogetherFromTheEarliest) {
  for (int i = 0; i < 3; ++i) kenya->write_text(up, "insight", "title", std::to_string(i));
  Wire wire(*kenya, *global);
  wire.run();
  const std::uint64_t feed = short_name(kenya->head(Audience::up).feed);
  Bytes questions = encode(Frame(WantFrame{{{feed, Sequence(1)}}}));
  for (int i = 0; i < 500; ++i) append(questions, encode(Frame(WantFrame{{{feed, Sequence(3)}}})));
  const std::uint64_t before = wire.dialler().entries_sent();
  ASSERT_TRUE(wire.dialler().receive(questions, clock.now()));
  static_cast<void>(wire.dialler().take_output());
  EXPECT_EQ(wire.dialler().entries_sent(), before + 3);
}

// Each intro stays in memory for the session; those of feeds that are stored are there anyway.
TEST_F(HostilePeer, IntrosOfFeedsWithoutOneRightEntryAreKeptUpToALimit) {
  kenya->write_text(up, "insight", "title", "Cold chain");
  Wire wire(*kenya, *global);
  wire.run();
  constexpr std::size_t a_frame = 256;
  const auto is_told = [&] {
    return std::ranges::any_of(wire.listener().faults(), [](const RefusedPiece& fault) {
      return fault.error.code == "feed.too-many";
    });
  };
  std::size_t introduced = 0;
  for (; introduced + a_frame <= limits::session_new_feeds; introduced += a_frame)
    wire.say_to_listener(invented_feeds(100 + static_cast<std::uint32_t>(introduced), a_frame));
  EXPECT_FALSE(is_told());
  wire.say_to_listener(invented_feeds(100 + static_cast<std::uint32_t>(introduced), a_frame));
  EXPECT_TRUE(is_told());
  EXPECT_EQ(wire.listener().state(), SessionState::open);
  // What is known goes on.
  kenya->write_text(up, "insight", "title", "Cold chains");
  wire.announce();
  wire.run();
  EXPECT_EQ(global->values(Audience::up, "insight", "title"),
            std::vector<std::string>{"Cold chains"});
}

// What cannot be followed ends the session with its reason, and leaves nothing behind.
struct BrokenStream : HostilePeer {
  // What the global node, in the middle of a session, makes of this from Kenya.
  std::string end_after(const Frame& frame) {
    Wire wire(*kenya, *global);
    wire.run();
    const std::uint64_t before = global->entries();
    wire.say_to_listener(frame);
    EXPECT_EQ(global->entries(), before);
    return wire.listener().end_code();
  }

  // What a node that was just called makes of this, before anybody said who it is.
  std::string end_of_greeting(const Frame& frame) {
    Session listener(global->context(), kenya->id(), {}, clock.now());
    static_cast<void>(listener.receive(encode(frame), clock.now()));
    return listener.end_code();
  }

  HelloFrame hello() {
    HelloFrame said;
    said.federation = global->directory->authority().federation();
    said.chain = kenya->directory->authority().chain(kenya->id());
    return said;
  }

  static Frame framed(const Segment& segment) {
    SegmentFrame frame;
    frame.audience = segment.audience;
    frame.content = encode(segment);
    frame.size = frame.content.size();
    return frame;
  }

  static Frame framed(Audience audience, const SegmentPiece& piece) {
    return framed(Segment{audience, {piece}});
  }

  // The intro of Kenya's feed for those above.
  Bytes intro() const {
    return kenya->directory->feed(kenya->head(Audience::up).feed)->intro_bytes;
  }
};

TEST_F(BrokenStream, NobodySaysAnythingBeforeWhoItIs) {
  EXPECT_EQ(end_of_greeting(PingFrame{}), "stream.order");
  EXPECT_EQ(end_of_greeting(segment_of(*kenya, Audience::auth)), "stream.order");
  EXPECT_EQ(end_of_greeting(WelcomeFrame{}), "stream.order") << "nobody called";
  EXPECT_EQ(end_of_greeting(ByeFrame{"busy", 5}), "peer.busy");
}

TEST_F(BrokenStream, WhoKeepsSilentWhenItsTurnHasComeIsHungUpOn) {
  Session listener(global->context(), kenya->id(), {}, clock.now());
  EXPECT_EQ(listener.next_wake(), clock.now().plus_ms(limits::handshake_ms));
  listener.tick(clock.now().plus_ms(limits::handshake_ms - 1));
  EXPECT_EQ(listener.state(), SessionState::opening);
  listener.tick(clock.now().plus_ms(limits::handshake_ms));
  EXPECT_EQ(listener.end_code(), "stream.slow-hello");
  EXPECT_TRUE(listener.receive(encode(Frame(hello())), clock.now()));
  EXPECT_EQ(listener.state(), SessionState::closed);
}

TEST_F(BrokenStream, OfAnotherVersionIsTurnedAwayOnceBothKnow) {
  HelloFrame later = hello();
  later.version_least = later.version_most = protocol_version + 1;
  EXPECT_EQ(end_of_greeting(later), "version.none-shared");
  HelloFrame earlier = hello();
  earlier.version_least = earlier.version_most = protocol_version - 1;
  EXPECT_EQ(end_of_greeting(earlier), "version.none-shared");
  HelloFrame both = hello();
  both.version_most = protocol_version + 1;
  EXPECT_EQ(end_of_greeting(both), "");
}

TEST_F(BrokenStream, WhoSaysTheSameAgainOrWhatOnlyTheOtherMaySayIsHungUpOn) {
  EXPECT_EQ(end_after(hello()), "stream.order");
  EXPECT_EQ(end_after(WelcomeFrame{}), "stream.order");
  EXPECT_EQ(end_after(JoinFrame{Bytes{1}}), "stream.order");
  EXPECT_EQ(end_after(JoinedFrame{Bytes{1}}), "stream.order");
  Wire wire(*kenya, *global);
  wire.run();
  wire.say_to_dialler(hello());
  EXPECT_EQ(wire.dialler().end_code(), "stream.order");
}

TEST_F(BrokenStream, AnAcknowledgementOfWhatWasNeverSentIsNoneAndEndsIt) {
  EXPECT_EQ(end_after(AckFrame{{}, 1}), "session.ack");
}

TEST_F(BrokenStream, PiecesMustBelongToAFeedThatWasIntroducedAmongItsOwn) {
  kenya->write_text(up, "insight", "title", "Cold chain");
  EXPECT_EQ(end_after(framed(Audience::up, {77, {}, {1}})), "stream.feed");
  EXPECT_EQ(end_after(framed(Audience::up, {77, {1, 2, 3}, {1}})), "stream.feed");
  EXPECT_EQ(end_after(framed(Audience::all, {77, intro(), {1}})), "stream.audience");
  EXPECT_EQ(end_after(framed(Audience::up, {77, intro(), {1}})), "") << "that is the feed's matter";
}

TEST_F(BrokenStream, WhatDoesNotUnpackOrIsNoSegmentEndsIt) {
  SegmentFrame packed;
  packed.audience = Audience::up;
  packed.packed = packed.new_stream = true;
  packed.size = 100;
  packed.content = Bytes(20, 0x5A);
  EXPECT_NE(end_after(packed), "");
  SegmentFrame plain;
  plain.audience = Audience::up;
  plain.content = Bytes{3, 5, 1};  // an intro of five bytes, of which one came
  plain.size = plain.content.size();
  EXPECT_EQ(end_after(plain), "format.frame");
}

// Later programs may say more, and what a node may hold it works out for itself.
TEST_F(BrokenStream, WhatIsNotKnownOrOnlyExplainsChangesNothing) {
  Wire wire(*kenya, *global);
  wire.run();
  ASSERT_TRUE(wire.listener().receive(Bytes{3, 250, 1, 2, 3}, clock.now()));
  const FeedId feed = global->head(Audience::auth).feed;
  wire.say_to_dialler(ScopeFrame{{}, {feed}});
  wire.say_to_dialler(FaultFrame{feed, "piece.gap"});
  EXPECT_EQ(wire.dialler().state(), SessionState::open);
  EXPECT_EQ(wire.listener().state(), SessionState::open);
  EXPECT_NE(kenya->directory->feed(feed), nullptr);
  EXPECT_EQ(wire.dialler().faults().back().error.code, "peer.piece.gap");
}

TEST_F(BrokenStream, ANodeThatIsKnownToBeRevokedIsNotTalkedTo) {
  auto kisumu = TestNode::below(*kenya, "KE-17");
  Wire(*kisumu, *kenya).run();
  Wire(*kenya, *global).run();
  global->revoke(kenya->id());
  Wire(*kisumu, *global, Lanes::statements).run();
  Wire wire(*kisumu, *kenya);
  wire.run();
  EXPECT_EQ(wire.dialler().end_code(), "node.revoked");
}

TEST_F(BrokenStream, APieceThatNobodySignedIsRefusedAndAKnownOneIsPassedOver) {
  kenya->write_text(up, "insight", "title", "Cold chain");
  const Frame good = segment_of(*kenya, Audience::up);
  auto content = *decode_segment(Audience::up, std::get<SegmentFrame>(good).content);
  Piece piece = *decode_piece(content.pieces[0].piece);
  piece.checkpoint.reset();
  content.pieces[0].piece = encode(piece);
  Wire wire(*kenya, *global);
  wire.run(0);
  wire.run();
  const std::uint64_t before = global->entries();
  wire.say_to_listener(good);
  EXPECT_TRUE(wire.listener().faults().empty());
  wire.say_to_listener(framed(Audience::up, content.pieces[0]));
  EXPECT_EQ(global->entries(), before);
  EXPECT_EQ(wire.listener().state(), SessionState::open);
}

// A copy went on with what it shares with Kenya, and the global node holds what Kenya wrote there.
struct OtherHistory : BrokenStream {
  static constexpr std::size_t shared = 3;  // pieces
  std::unique_ptr<TestNode> uganda = TestNode::below(*global, "UG");
  std::unique_ptr<TestNode> copy;
  FeedId feed;
  Segment whole;
  std::unique_ptr<Wire> wire;

  OtherHistory() {
    for (std::size_t i = 0; i < shared; ++i)
      kenya->write_text(all, "insight", "title", std::to_string(i));
    copy = TestNode::copy_of(*kenya);
    for (int i = 0; i < 3; ++i) kenya->write_text(all, "insight", "title", "here");
    for (int i = 0; i < 3; ++i) copy->write_text(all, "insight", "title", "there");
    Wire(*kenya, *global).run();
    const Frame frame = segment_of(*copy, Audience::all);
    whole = *decode_segment(Audience::all, std::get<SegmentFrame>(frame).content);
    feed = copy->head(Audience::all).feed;
    wire = std::make_unique<Wire>(*uganda, *global);
    wire->run();
  }

  // Its last piece alone; whether all of the feed is asked for then.
  bool asks_after_the_end() {
    const auto stored =
        copy->store->pieces_of(copy->directory->feed(feed)->row, Sequence(1), SIZE_MAX);
    Piece last = *decode_piece(whole.pieces.back().piece);
    last.prev = stored.back().prev;
    wire->say_to_listener(framed(Audience::all, {77, whole.pieces.front().intro, encode(last)}));
    EXPECT_EQ(wire->listener().faults().back().error.code, "piece.branch");
    bool is_asked_for = false;
    FrameParser parser;
    parser.append(wire->listener().take_output());
    for (auto frame = parser.next(); frame && *frame; frame = parser.next()) {
      if (const auto* want = std::get_if<WantFrame>(&**frame))
        is_asked_for = want->feeds.at(0).feed == short_name(feed) && want->feeds[0].from.value == 1;
    }
    return is_asked_for;
  }

  void expect_both() {
    EXPECT_TRUE(global->replica->directory().is_forked(feed));
    EXPECT_EQ(title(*global), (Values{"here", "there"}));
  }
};

// It is asked for from further back, in the end from its beginning.
TEST_F(OtherHistory, ItsEndMakesANodeAskForTheRestOfIt) {
  EXPECT_TRUE(asks_after_the_end());
  wire->say_to_listener(framed(whole));
  expect_both();
}

TEST_F(OtherHistory, WhatCameDamagedIsAskedForAgain) {
  EXPECT_TRUE(asks_after_the_end());
  Segment damaged = whole;
  damaged.pieces[shared].piece.back() ^= 1U;
  wire->say_to_listener(framed(damaged));
  EXPECT_FALSE(asks_after_the_end()) << "the answer is still coming";
  wire->say_to_listener(EndFrame{});
  EXPECT_TRUE(asks_after_the_end());
  wire->say_to_listener(framed(whole));
  expect_both();
}

}  // namespace
}  // namespace chapterd
