// What one certified node, in wrong hands, can make others do: keep in memory, compute, show.
#include "replication/format/limits.h"
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

}  // namespace
}  // namespace chapterd
