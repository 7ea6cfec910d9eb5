// The recovery kit on paper: whose it is, and that a wrong one harms nothing.
#include "crypto/kit_code.h"
#include "daemon/operations/kit.h"
#include "tests/daemon/operations_support.h"

#include <gtest/gtest.h>

#include <fstream>

namespace chapterd::testing {
namespace {

// Kenya's computer, and the one above it, of one federation.
class Kit : public ::testing::Test {
 protected:
  Kit() {
    founded_ = found(top_);
    const Json made = must(ask(top_, "invite.create", {{"code", "KE"}, {"name", "Kenya"}}));
    const Json asked = must(prepare_join(kenya_, made["invite"], "laptop"));
    const Json answer = must(ask(top_, "join.answer", {{"request", asked["request"]}}));
    must(finish_join(kenya_, *from_base32(answer["answer"].get<std::string>())));
  }

  static Json kit_of(const Config& config) {
    return must(show_kit(config, must(ask(config, "kit.facts", Json::object()))));
  }

  // What Kenya's computer says of a code.
  Json checked(const std::string& code) {
    return must(ask(kenya_, "kit.check", {{"codes", Json::array({code})}}))["checked"].at(0);
  }

  std::string key_file(const char* name) {
    std::ifstream in(place_.path("kenya/" + std::string(name)), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  Place place_;
  Config top_ = place_.config("top");
  Config kenya_ = place_.config("kenya");
  Json founded_;
};

TEST_F(Kit, IsRightAtTheComputerThatItWasMadeForAndAtNoOther) {
  const Json own = kit_of(kenya_);
  const Json other = kit_of(top_);
  for (const char* part : {"authority", "chapter"}) {
    const Json right = checked(own[part]);
    EXPECT_EQ(right, (Json{{"right", true}, {"part", part}}));
    const Json wrong = checked(other[part]);
    EXPECT_EQ(wrong["right"], false);
    EXPECT_EQ(wrong.value("code", ""), "kit.other-node") << part;
    EXPECT_NE(wrong.value("next", ""), "");
  }
}

TEST_F(Kit, ARecoveryKeyThatThisFederationWasNotFoundedWithIsNotCalledRight) {
  const Json right = {{"right", true}, {"part", "recovery"}};
  EXPECT_EQ(checked(founded_["kit"]["recovery"]), right);
  const auto federation = from_hex(founded_["federation"].get<std::string>());
  ASSERT_TRUE(federation);
  const Bytes another(kit_secret_bytes, 7);
  EXPECT_EQ(checked(kit_code(KitPart::recovery, *federation, another)).value("code", ""),
            "kit.other-node");
}

TEST_F(Kit, OfAnotherComputerReplacesNoKey) {
  const Json other = kit_of(top_);
  for (const char* part : {"authority", "chapter"}) {
    const std::string name = std::string(part) + ".key";
    const std::string before = key_file(name.c_str());
    EXPECT_EQ(code_of(restore_kit(kenya_, {other[part]})), "kit.other-node");
    EXPECT_EQ(key_file(name.c_str()), before);
  }
  EXPECT_TRUE(ask(kenya_, "status", Json::object()));
}

}  // namespace
}  // namespace chapterd::testing
