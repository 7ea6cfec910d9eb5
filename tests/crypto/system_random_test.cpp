// Chance and the start-up self-test.
#include "crypto/system_random.h"

#include "base/bytes.h"

#include <gtest/gtest.h>

namespace chapterd {
namespace {

TEST(SystemRandom, NeverRepeatsItself) {
  using Draw = Fixed<32, struct DrawTag>;
  SystemRandom random;
  EXPECT_NE(random.fixed<Draw>(), random.fixed<Draw>());
}

TEST(SystemRandom, FillsNothingWhenAskedForNothing) {
  SystemRandom random;
  random.fill({});
}

TEST(StartCrypto, MayBeCalledAgain) {
  EXPECT_TRUE(start_crypto());
  EXPECT_TRUE(start_crypto());
}

}  // namespace
}  // namespace chapterd
