// Passphrases from files of all editors, and how long a new one must be.
#include "crypto/passphrase.h"

#include <gtest/gtest.h>

namespace chapterd {
namespace {

TEST(Passphrase, IsTheFirstLineWhicheverEditorWroteIt) {
  for (const char* text : {"four words in it", "four words in it\n", "four words in it\r\n",
                           "four words in it\r\nanother line\r\n"}) {
    const auto read = passphrase_in(text);
    ASSERT_TRUE(read) << text;
    EXPECT_EQ(*read, "four words in it");
  }
}

TEST(Passphrase, AnEmptyFirstLineIsNone) {
  for (const char* text : {"", "\n", "\r\n", "\nsecond line"}) {
    const auto read = passphrase_in(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code, "passphrase.empty");
  }
}

TEST(Passphrase, ANewOneHasTenCharactersOfAnyScript) {
  EXPECT_TRUE(check_new_passphrase("0123456789"));
  EXPECT_FALSE(check_new_passphrase("012345678"));
  EXPECT_FALSE(check_new_passphrase("नमस्ते"));  // 18 bytes, 6 characters
  EXPECT_EQ(check_new_passphrase("").error().code, "passphrase.short");
}

}  // namespace
}  // namespace chapterd
