// Loading: which source wins, and what a person is told when something is wrong.
#include "config/load.h"

#include "config/settings.h"

#include <gtest/gtest.h>

namespace chapterd {
namespace {

Sources some_sources() {
  Sources sources;
  sources.toml_name = "node.toml";
  sources.environment = {{"HOME", "/home/amina"}, {"PATH", "/bin"}};
  return sources;
}

Sources file(std::string text) {
  Sources sources = some_sources();
  sources.toml_text = std::move(text);
  return sources;
}

Sources variable(std::string name, std::string value) {
  Sources sources = some_sources();
  sources.environment[std::move(name)] = std::move(value);
  return sources;
}

Sources flag(std::string name, std::string value) {
  Sources sources = some_sources();
  sources.flags[std::move(name)] = std::move(value);
  return sources;
}

void expect_refused(const Sources& sources,
                    const std::string& code,
                    const std::string& what,
                    const std::string& next) {
  const auto loaded = load(sources);
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().kind, Errc::usage);
  EXPECT_EQ(loaded.error().code, code);
  EXPECT_EQ(loaded.error().what, what);
  EXPECT_FALSE(loaded.error().safe.empty());
  EXPECT_NE(loaded.error().next.find(next), std::string::npos) << loaded.error().next;
}

std::string origin_of(const Loaded& loaded, const std::string& key) {
  return loaded.origins.at(key).words;
}

TEST(Load, NothingGivenMeansDefaultsAndTheFoldersOfThePerson) {
  const auto loaded = load(some_sources());
  ASSERT_TRUE(loaded) << loaded.error().what;
  EXPECT_EQ(loaded->config.node.data, "/home/amina/.local/share/chapterd");
  EXPECT_EQ(loaded->config.control.socket, "/home/amina/.local/share/chapterd/control.sock");
  EXPECT_EQ(loaded->config.sync.listen, "127.0.0.1:7468");
  EXPECT_EQ(loaded->origins.size(), settings().size());
  EXPECT_EQ(origin_of(*loaded, "sync.listen"), "default");
}

TEST(Load, TheDataFolderFollowsXdgOnlyWhenItIsAWholePath) {
  EXPECT_EQ(load(variable("XDG_DATA_HOME", "/srv"))->config.node.data, "/srv/chapterd");
  EXPECT_EQ(load(variable("XDG_DATA_HOME", "srv"))->config.node.data,
            "/home/amina/.local/share/chapterd");
}

TEST(Load, FlagsBeatTheEnvironmentWhichBeatsTheFileWhichBeatsDefaults) {
  Sources sources = file("[sync]\nping_s = 1\ndead_s = 101\nretry_min_s = 11\n");
  sources.environment["CHAPTERD_SYNC__PING_S"] = "2";
  sources.environment["CHAPTERD_SYNC__DEAD_S"] = "102";
  sources.flags["sync.ping_s"] = "3";
  const auto loaded = load(sources);
  ASSERT_TRUE(loaded) << loaded.error().what;
  EXPECT_EQ(loaded->config.sync.ping_s, 3U);
  EXPECT_EQ(loaded->config.sync.dead_s, 102U);
  EXPECT_EQ(loaded->config.sync.retry_min_s, 11U);
  EXPECT_EQ(loaded->config.sync.retry_max_s, 900U);
  EXPECT_EQ(origin_of(*loaded, "sync.ping_s"), "--sync.ping_s");
  EXPECT_EQ(origin_of(*loaded, "sync.dead_s"), "CHAPTERD_SYNC__DEAD_S");
  EXPECT_EQ(origin_of(*loaded, "sync.retry_min_s"), "node.toml:4");
  EXPECT_EQ(loaded->origins.at("sync.retry_min_s").kind, Origin::Kind::file);
}

TEST(Load, TheFileMayNameOneParentOrSeveral) {
  EXPECT_EQ(load(file("sync.parent = 'a:1'"))->config.sync.parents.size(), 1U);
  EXPECT_EQ(load(file("sync.parent = ['a:1', 'b:2']"))->config.sync.parents,
            (std::vector<std::string>{"a:1", "b:2"}));
  EXPECT_TRUE(load(file("sync.parent = []"))->config.sync.parents.empty());
}

TEST(Load, AnEmptySectionIsNoMistake) {
  EXPECT_TRUE(load(file("[sync]\n[log]\n")));
}

TEST(Load, ThePathOfTheHomeFolderMayBeWrittenShort) {
  const auto loaded = load(file("[node]\ndata = '~/node'\n"));
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->config.node.data, "/home/amina/node");
  EXPECT_EQ(loaded->config.control.socket, "/home/amina/node/control.sock");
  EXPECT_FALSE(load(file("node.data = '~else/node'")));
}

TEST(Load, WithoutAHomeTheDataFolderMustBeNamed) {
  Sources sources;
  expect_refused(sources, "config.no-home",
                 "The environment has no HOME for \"~/.local/share/chapterd\".", "node.data");
  sources.flags["node.data"] = "/var/lib/chapterd";
  EXPECT_TRUE(load(sources));
}

TEST(Load, AnUnknownKeyOfTheFileIsRefusedWithPlaceAndSuggestion) {
  expect_refused(file("[sync]\nping_s = 2\n  lisen = ''\n"), "config.unknown-key",
                 "node.toml:3:3: there is no setting \"sync.lisen\".", "Did you mean sync.listen?");
}

TEST(Load, AnUnknownSectionIsRefused) {
  expect_refused(file("[web]\n"), "config.unknown-key",
                 "node.toml:1:2: there is no setting \"web\".", "chapterd config show");
}

TEST(Load, TheFirstMistakeOfTheFileIsTheOneTold) {
  expect_refused(file("[sync]\nzzz = 1\naaa = 1\n"), "config.unknown-key",
                 "node.toml:2:1: there is no setting \"sync.zzz\".", "chapterd config show");
}

TEST(Load, AWrongTypeIsRefusedWithLineAndColumn) {
  const std::string allowed_words = "; allowed is a whole number of seconds from 1 to 3600.";
  expect_refused(file("[sync]\nping_s = \"15\"\n"), "config.bad-value",
                 "node.toml:2:10: sync.ping_s is of another type" + allowed_words,
                 "chapterd config explain sync.ping_s");
  EXPECT_FALSE(load(file("log.level = 3")));
  EXPECT_FALSE(load(file("sync.ping_s = 1.5")));
  EXPECT_FALSE(load(file("sync.parent = ['a:1', 2]")));
  EXPECT_FALSE(load(file("[sync.listen]\nhost = 'a'\n")));
}

TEST(Load, AValueOutOfRangeIsRefusedWithTheRange) {
  expect_refused(file("[sync]\nping_s = -4"), "config.bad-value",
                 "node.toml:2:10: sync.ping_s is \"-4\"; allowed is a whole number of seconds "
                 "from 1 to 3600.",
                 "explain sync.ping_s");
  expect_refused(flag("log.level", "loud"), "config.bad-value",
                 "--log.level: log.level is \"loud\"; allowed is one of error, warn, info, debug.",
                 "explain log.level");
}

TEST(Load, BrokenTomlIsRefusedWithLineAndColumn) {
  const auto loaded = load(file("[sync]\nping_s = = 3\n"));
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, "config.bad-syntax");
  EXPECT_TRUE(loaded.error().what.starts_with("node.toml:2:10: this is not TOML: "))
      << loaded.error().what;
  EXPECT_EQ(load(file("sync.ping_s = 1\nsync.ping_s = 2\n")).error().code, "config.bad-syntax");
  EXPECT_EQ(load(file("log.level = \"\xff\"")).error().code, "config.bad-syntax");
}

TEST(Load, ADeeplyNestedOrHugeFileIsRefusedNotCrashed) {
  EXPECT_EQ(load(file("a = " + std::string(16'000, '['))).error().code, "config.bad-syntax");
  std::string dotted = "a";
  for (int i = 0; i < 8'000; ++i) dotted += ".a";
  EXPECT_EQ(load(file(dotted + " = 1")).error().code, "config.unknown-key");
  EXPECT_EQ(load(file(std::string(100'000, '\n'))).error().code, "config.file-too-long");
}

TEST(Load, AMistypedVariableIsRefusedWithASuggestion) {
  expect_refused(variable("CHAPTERD_SYNC__LISEN", ""), "config.unknown-key",
                 "environment: there is no setting \"CHAPTERD_SYNC__LISEN\".",
                 "CHAPTERD_SYNC__LISTEN");
  expect_refused(variable("CHAPTERD_SYNC_LISTEN", ""), "config.unknown-key",
                 "environment: there is no setting \"CHAPTERD_SYNC_LISTEN\".",
                 "CHAPTERD_SYNC__LISTEN");
}

TEST(Load, OtherVariablesAreNoneOfOurBusiness) {
  EXPECT_TRUE(load(variable("CHAPTERD_CONFIG", "/etc/chapterd.toml")));
  EXPECT_TRUE(load(variable("OTHER_SYNC__LISEN", "x")));
}

TEST(Load, AMistypedFlagIsRefusedWithASuggestion) {
  expect_refused(flag("sync.lissten", "a:1"), "config.unknown-key",
                 "command line: there is no setting \"sync.lissten\".", "sync.listen");
}

TEST(Load, ValuesThatContradictEachOtherAreRefusedWithBothPlaces) {
  Sources sources = file("[sync]\nretry_min_s = 60\n");
  sources.flags["sync.retry_max_s"] = "30";
  expect_refused(sources, "config.contradiction",
                 "sync.retry_min_s (60, node.toml:2) may not be more than sync.retry_max_s (30, "
                 "--sync.retry_max_s).",
                 "Change one");
  expect_refused(flag("sync.ping_s", "45"), "config.contradiction",
                 "sync.ping_s (45, --sync.ping_s) must be less than sync.dead_s (45, default).",
                 "Change one");
}

TEST(Load, ASocketPathThatTheSystemCannotBindIsRefused) {
  const auto loaded = load(flag("node.data", "/" + std::string(100, 'd')));
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, "config.socket-path-too-long");
}

TEST(Load, AHostileValueIsShownShortAndPrintable) {
  const auto loaded = load(flag("log.level", "\x1b[2J" + std::string(10'000, 'x')));
  ASSERT_FALSE(loaded);
  EXPECT_LT(loaded.error().what.size(), 200U);
  EXPECT_EQ(loaded.error().what.find('\x1b'), std::string::npos);
  EXPECT_EQ(load(flag("log.level", "\xff\xfe")).error().what.find('\xff'), std::string::npos);
}

TEST(Show, HasARowForEverySettingWithValueAndOrigin) {
  const auto loaded = load(file("[log]\nlevel = 'debug'\n"));
  ASSERT_TRUE(loaded);
  const auto rows = show(*loaded);
  ASSERT_EQ(rows.size(), settings().size());
  EXPECT_EQ(rows[11].key, "log.level");
  EXPECT_EQ(rows[11].value, "debug");
  EXPECT_EQ(rows[11].origin, "node.toml:2");
}

}  // namespace
}  // namespace chapterd
