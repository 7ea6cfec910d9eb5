// Feed intros and feed ids.
#include "replication/format/feed.h"

#include "replication/format/limits.h"
#include "tests/format/samples.h"

#include <gtest/gtest.h>

#include <set>

namespace chapterd {
namespace {

const samples::World& world() {
  static const samples::World made = samples::make_world();
  return made;
}

FeedIntro an_intro() {
  return world().feeds.front().value.intro;
}

TEST(FeedIntro, ComesBackAsItWasForEveryAudience) {
  for (const auto audience : {Audience::auth, Audience::chapter, Audience::up, Audience::down,
                              Audience::to, Audience::all}) {
    FeedIntro intro = an_intro();
    intro.audience = audience;
    if (audience == Audience::to) intro.target = ChapterPath{intro.home.chapter, {}};
    const auto read = decode_feed_intro(encode(intro));
    ASSERT_TRUE(read) << name_of(audience);
    EXPECT_EQ(*read, intro);
  }
}

TEST(FeedIntro, HasRoomForTwoFullPathsAndEightPredecessors) {
  FeedIntro intro = an_intro();
  intro.home.above.assign(limits::path_chapters, samples::counting<ChapterId>(1));
  intro.audience = Audience::to;
  intro.target = intro.home;
  intro.predecessors.assign(limits::feed_tips, {{{}, Sequence(1), {}}, Continues::clone});
  const Bytes bytes = encode(intro);
  EXPECT_LE(bytes.size(), limits::intro_bytes);
  const auto read = decode_feed_intro(bytes);
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, intro);
}

TEST(FeedIntro, IsRefusedWhenCutAtAnyByte) {
  for (const auto& [name, feed] : world().feeds) {
    for (std::size_t size = 0; size < feed.bytes.size(); ++size) {
      EXPECT_FALSE(decode_feed_intro(ByteView(feed.bytes).first(size))) << name << size;
    }
  }
}

TEST(FeedIntro, IsRefusedWhenLongerThanTheLimit) {
  EXPECT_FALSE(decode_feed_intro(Bytes(limits::intro_bytes + 1, 1)));
}

TEST(FeedIntro, WithAFlippedBitIsRefusedOrNamesAnotherFeed) {
  for (const auto& [name, feed] : world().feeds) {
    for (std::size_t bit = 0; bit < feed.bytes.size() * 8; ++bit) {
      Bytes bytes = feed.bytes;
      bytes[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
      const auto read = decode_feed_intro(bytes);
      if (!read) continue;
      EXPECT_EQ(encode(*read), bytes) << name << bit;
      EXPECT_NE(feed_id(world().federation, bytes), feed.id) << name << bit;
    }
  }
}

TEST(FeedId, DiffersBetweenFederations) {
  const Bytes& intro = world().feeds.front().value.bytes;
  EXPECT_NE(feed_id(world().federation, intro), feed_id(samples::counting<FederationId>(1), intro));
}

TEST(FeedId, DiffersBetweenTheSampleFeeds) {
  std::set<FeedId> ids;
  for (const auto& [name, feed] : world().feeds) ids.insert(feed.id);
  EXPECT_EQ(ids.size(), world().feeds.size());
}

TEST(ChapterPath, KnowsWhoIsAbove) {
  const ChapterPath& path = world().feeds[1].value.intro.home;
  EXPECT_TRUE(is_above(path.above[0], path));
  EXPECT_TRUE(is_above(path.above[1], path));
  EXPECT_FALSE(is_above(path.chapter, path));
}

TEST(Audience, ComesBackFromItsNumberAndItsName) {
  for (std::uint8_t number = 1; number <= 6; ++number) {
    const auto audience = audience_from(number);
    ASSERT_TRUE(audience);
    EXPECT_EQ(audience_from(name_of(*audience)), audience);
  }
}

TEST(Audience, IsNeverGuessed) {
  EXPECT_FALSE(audience_from(std::uint8_t{0}));
  EXPECT_FALSE(audience_from(std::uint8_t{7}));
  EXPECT_FALSE(audience_from(std::uint8_t{255}));
  EXPECT_FALSE(audience_from("false"));
  EXPECT_FALSE(audience_from("ALL"));
  EXPECT_FALSE(audience_from(""));
}

TEST(Audience, LaysNarrowOverWide) {
  EXPECT_LT(width_of(Audience::chapter), width_of(Audience::to));
  EXPECT_LT(width_of(Audience::to), width_of(Audience::up));
  EXPECT_LT(width_of(Audience::up), width_of(Audience::down));
  EXPECT_LT(width_of(Audience::down), width_of(Audience::all));
}

}  // namespace
}  // namespace chapterd
