// The table of settings: every row is complete, and a mistyped name finds its row.
#include "config/settings.h"

#include "config/load.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace chapterd {
namespace {

const Setting& the(std::string_view name) {
  return *find_setting(name);
}

TEST(Settings, EveryRowHasASectionAKeyAndOneSentenceOfHelp) {
  std::set<std::string_view> names;
  for (const Setting& setting : settings()) {
    SCOPED_TRACE(setting.name);
    EXPECT_TRUE(names.insert(setting.name).second) << "twice";
    EXPECT_EQ(std::ranges::count(setting.name, '.'), 1);
    EXPECT_GT(setting.help.size(), 20U);
    EXPECT_TRUE(setting.help.ends_with('.'));
    EXPECT_EQ(setting.type == SettingType::number, !setting.unit.empty());
    EXPECT_EQ(setting.type == SettingType::choice, !setting.choices.empty());
    EXPECT_NE(setting.slot, nullptr);
  }
}

TEST(Settings, EveryDefaultIsAllowedAndReadsBackAsItself) {
  for (const Setting& setting : settings()) {
    SCOPED_TRACE(setting.name);
    const std::string standard = text_of(setting, Config{});
    Config config;
    EXPECT_TRUE(assign(setting, standard, config));
    EXPECT_EQ(text_of(setting, config), standard);
    if (standard.empty() || standard == "0") {
      EXPECT_FALSE(setting.blank_means.empty());
    }
  }
}

TEST(Settings, EveryRowHasAPlaceOfItsOwn) {
  Config config;
  std::set<Slot> places;
  for (const Setting& setting : settings()) {
    EXPECT_TRUE(places.insert(setting.slot(config)).second) << setting.name;
  }
}

TEST(Settings, EveryChoiceReadsBackAsItself) {
  for (const Setting& setting : settings()) {
    for (const std::string_view word : setting.choices) {
      Config config;
      EXPECT_TRUE(assign(setting, word, config)) << word;
      EXPECT_EQ(text_of(setting, config), word);
    }
  }
  Config config;
  ASSERT_TRUE(assign(the("log.level"), "debug", config));
  ASSERT_TRUE(assign(the("log.format"), "json", config));
  EXPECT_EQ(config.log.level, LogLevel::debug);
  EXPECT_EQ(config.log.format, LogFormat::json);
}

TEST(Settings, AMistypedNameFindsTheClosestRow) {
  EXPECT_EQ(closest_setting("sync.lisen"), &the("sync.listen"));
  EXPECT_EQ(closest_setting("synk.ping_s"), &the("sync.ping_s"));
  EXPECT_EQ(closest_setting("level"), &the("log.level"));
  EXPECT_EQ(closest_setting("sync.retry_mx_s"), &the("sync.retry_max_s"));
  EXPECT_EQ(closest_setting("web.theme"), nullptr);
  EXPECT_EQ(closest_setting(std::string(100'000, 'x')), nullptr);
}

TEST(Settings, TheEnvironmentNameHasTwoLinesBetweenSectionAndKey) {
  EXPECT_EQ(environment_name(the("sync.retry_min_s")), "CHAPTERD_SYNC__RETRY_MIN_S");
}

TEST(Settings, NumbersAreWholeUnsignedAndWithinTheirRange) {
  const Setting& ping = the("sync.ping_s");
  Config config;
  for (const char* bad :
       {"", "0", "3601", "-1", "+5", " 5", "5 ", "5s", "1e2", "99999999999999999999"}) {
    EXPECT_FALSE(assign(ping, bad, config)) << bad;
  }
  EXPECT_EQ(config.sync.ping_s, 15U) << "a refused value changes nothing";
  EXPECT_TRUE(assign(ping, "1", config));
  EXPECT_TRUE(assign(ping, "3600", config));
}

TEST(Settings, ListenTakesOneAddressOrNone) {
  const Setting& listen = the("sync.listen");
  Config config;
  for (const char* good : {"", "0.0.0.0:7468", "node.example.org:443", "[::1]:0", "127.0.0.1:0"}) {
    EXPECT_TRUE(assign(listen, good, config)) << good;
  }
  for (const char* bad :
       {"7468", ":7468", "host:", "host:65536", "::1:7468", "[]:1", "a b:1", "a/b:1"}) {
    EXPECT_FALSE(assign(listen, bad, config)) << bad;
  }
}

TEST(Settings, ParentTakesSeveralAddresses) {
  const Setting& parent = the("sync.parent");
  Config config;
  ASSERT_TRUE(assign(parent, "a.example:1, [fe80::1%eth0]:2", config));
  EXPECT_EQ(config.sync.parents, (std::vector<std::string>{"a.example:1", "[fe80::1%eth0]:2"}));
  EXPECT_FALSE(assign(parent, "a:1,", config));
  EXPECT_FALSE(assign(parent, "a:0", config)) << "nobody can dial port 0";
  ASSERT_TRUE(assign(parent, "", config));
  EXPECT_TRUE(config.sync.parents.empty());
}

TEST(Settings, AnAddressSplitsIntoHostAndPort) {
  EXPECT_EQ(split_address("[::1]:7468").host, "::1");
  EXPECT_EQ(split_address("[::1]:7468").port, 7468);
  EXPECT_EQ(split_address("node.example.org:443").host, "node.example.org");
  EXPECT_EQ(split_address("nonsense").host, "");
}

TEST(Explain, TellsHelpDefaultRangeAndEveryPlaceToSetIt) {
  EXPECT_EQ(explain("sync.budget_day_bytes").value(),
            "sync.budget_day_bytes\n"
            "  How much all links may move in a day (UTC), both ways; what is left waits.\n"
            "  default:     0\n"
            "  allowed:     a whole number of bytes from 0 to 9223372036854775807\n"
            "  0 means:     no budget\n"
            "  file:        [sync] budget_day_bytes\n"
            "  environment: CHAPTERD_SYNC__BUDGET_DAY_BYTES\n"
            "  flag:        --sync.budget_day_bytes\n");
}

TEST(Explain, SuggestsTheClosestKeyForAMistypedOne) {
  const auto explained = explain("log.levl");
  ASSERT_FALSE(explained);
  EXPECT_EQ(explained.error().code, "config.unknown-key");
  EXPECT_NE(explained.error().next.find("log.level"), std::string::npos);
}

}  // namespace
}  // namespace chapterd
