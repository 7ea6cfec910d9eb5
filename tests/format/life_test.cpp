// Lives of a database: their names, and what is left of them in whatever order they were told.
#include "replication/format/life.h"

#include "tests/support/seeded.h"

#include <gtest/gtest.h>

namespace chapterd {
namespace {

TEST(Life, BeginsAfterTheOneBeforeAndUnderANameOfItsOwn) {
  testing::SeededRandom random(1);
  Epoch last;
  for (int i = 0; i < 1000; ++i) {
    const Epoch next = epoch_after(last, random);
    const Epoch of_a_copy = epoch_after(last, random);
    EXPECT_GT(next, last);
    EXPECT_GT(of_a_copy, last);
    EXPECT_NE(next, of_a_copy);
    last = next;
  }
}

// Whatever a database holds, or somebody told.
TEST(Life, HasAGreaterNameAlsoAfterTheGreatestButOne) {
  testing::SeededRandom random(1);
  EXPECT_GT(epoch_after(Epoch(UINT64_MAX - 1), random), Epoch(UINT64_MAX - 1));
  EXPECT_EQ(epoch_after(Epoch(UINT64_MAX), random), Epoch(UINT64_MAX));
}

TEST(Life, ThatNobodySaysIsOverGoesOnInWhateverOrderTheyWereTold) {
  const Life second{Epoch(20), {Epoch(10)}};
  const Life of_a_copy{Epoch(25), {Epoch(10)}};
  const Life third{Epoch(30), {Epoch(20)}};
  ToldLives one;
  ToldLives other;
  EXPECT_TRUE(one.note(second));
  EXPECT_FALSE(one.note(of_a_copy));
  EXPECT_TRUE(one.note(third));
  for (const Life& life : {third, of_a_copy, second}) other.note(life);
  const std::vector<Epoch> left{Epoch(25), Epoch(30)};
  EXPECT_EQ(one.going_on(), left);
  EXPECT_EQ(other.going_on(), left);
  EXPECT_EQ(one.latest(), Epoch(30));
  EXPECT_TRUE(one.is_over(Epoch(10)));
  EXPECT_FALSE(one.is_over(Epoch(25)));
}

}  // namespace
}  // namespace chapterd
