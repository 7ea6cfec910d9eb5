// Those who do not behave: unknown, silent, slow, many, or talking nonsense.
#include "tests/support/raw_client.h"
#include "tests/support/two_nodes.h"

#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <vector>

namespace chapterd {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): the nodes and their words

struct Strangers : ::testing::Test {
  TwoNodes nodes;
  LiveNode& global = *nodes.global;
  LiveNode& kenya = *nodes.kenya;
  SeededRandom random{13};
  SigningKey stranger = SigningKey::generate(random);

  std::size_t strangers() {
    return global.on_loop([&] { return global.peers().strangers(); });
  }

  std::size_t connections() {
    return global.on_loop([&] { return global.peers().connections(); });
  }

  // Kenya is known to the global node, and no daemon runs for it any more.
  void meet_kenya() {
    nodes.start();
    ASSERT_TRUE(comes_true([&] {
      const auto status = kenya.status_of(global.id());
      return status && status->caught_up;
    }));
    kenya.stop();
    ASSERT_TRUE(comes_true([&] { return connections() == 0; }));
  }

  // A session of Kenya's, for a test to carry by hand.
  Session session() {
    return {kenya.node().context(), global.id(), {Side::dialler, 0, false}, kenya.clock.now()};
  }

  void expect_good_service() {
    nodes.start();
    kenya.write_text(up, "insight", "Cold chain");
    EXPECT_TRUE(comes_true([&] { return global.values(Audience::up, "insight").size() == 1; }));
  }
};

TEST_F(Strangers, AnUnknownKeyIsTurnedAway) {
  RawClient client(global.port());
  ASSERT_TRUE(client.shake_hands(stranger, global.id()));
  HelloFrame hello;
  hello.federation = global.node().directory->authority().federation();
  client.send(Frame(hello));
  EXPECT_EQ(client.bye(), "node.unknown");
  EXPECT_TRUE(comes_true([&] { return connections() == 0; }));
}

TEST_F(Strangers, ConnectionsOfNobodyAreNoChaptersAndWriteNoLog) {
  const auto shown = [&] { return global.on_loop([&] { return global.peers().status().size(); }); };
  ::testing::internal::CaptureStderr();
  const RawClient silent(global.port());
  RawClient quiet(global.port());
  ASSERT_TRUE(quiet.shake_hands(stranger, global.id()));
  ASSERT_TRUE(comes_true([&] { return strangers() == 2; }));
  EXPECT_EQ(shown(), 0U);
  HelloFrame hello;
  hello.federation = global.node().directory->authority().federation();
  quiet.send(Frame(hello));
  EXPECT_EQ(quiet.bye(), "node.unknown");
  EXPECT_EQ(shown(), 0U);
  global.stop();
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

TEST_F(Strangers, AnUnknownKeyMayNotSayAnythingElseFirst) {
  RawClient client(global.port());
  ASSERT_TRUE(client.shake_hands(stranger, global.id()));
  client.send(Frame(PingFrame{}));
  EXPECT_EQ(client.bye(), "node.unknown");
}

TEST_F(Strangers, GarbageOfAnUnknownKeyEndsTheLinkWithoutHarm) {
  for (int round = 0; round < 20; ++round) {
    RawClient client(global.port());
    ASSERT_TRUE(client.shake_hands(stranger, global.id()));
    Bytes garbage(300 + random.below(100'000), 0xFF);
    random.fill(std::span(garbage).subspan(4));
    client.send(garbage);
    EXPECT_TRUE(client.is_hung_up());
  }
  expect_good_service();
}

TEST_F(Strangers, GarbageBeforeTheHandshakeEndsTheLinkWithoutHarm) {
  for (int round = 0; round < 20; ++round) {
    RawClient client(global.port());
    Bytes garbage(300 + random.below(10'000));
    random.fill(garbage);
    garbage[0] = 'G';
    client.send(garbage);
    EXPECT_TRUE(client.is_hung_up());
  }
  expect_good_service();
}

TEST_F(Strangers, GarbageInTheMiddleOfASessionEndsItWithAReason) {
  meet_kenya();
  RawClient client(global.port());
  ASSERT_TRUE(client.shake_hands(*kenya.node().key, global.id()));
  Session session = this->session();
  client.send(session.take_output());
  ASSERT_TRUE(client.next_frame());
  client.send(Bytes(2000, 0xFF));
  EXPECT_EQ(client.bye(), "stream.malformed");
  EXPECT_TRUE(comes_true([&] { return connections() == 0; }));
}

// Strangers could fill a disk with lines, and anybody could put words into them.
TEST_F(Strangers, ABrokenStreamIsOneShortLineOfAChapterAndNoneOfAStranger) {
  meet_kenya();
  const std::string words = "achieng 0722 000 111\n";
  Bytes broken(2000, 0xFF);
  append(broken, as_bytes(words));
  HelloFrame hello;
  hello.federation = global.node().directory->authority().federation();
  ::testing::internal::CaptureStderr();
  for (int round = 0; round < 10; ++round) {
    RawClient client(global.port());
    ASSERT_TRUE(client.shake_hands(stranger, global.id()));
    if (round % 2 == 1) client.send(Frame(hello));
    client.send(broken);
    EXPECT_TRUE(client.is_hung_up());
  }
  ASSERT_TRUE(comes_true([&] { return connections() == 0; }));
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
  ::testing::internal::CaptureStderr();
  RawClient client(global.port());
  ASSERT_TRUE(client.shake_hands(*kenya.node().key, global.id()));
  Session session = this->session();
  client.send(session.take_output());
  ASSERT_TRUE(client.next_frame());
  client.send(broken);
  EXPECT_EQ(client.bye(), "stream.malformed");
  ASSERT_TRUE(comes_true([&] { return connections() == 0; }));
  std::istringstream log(::testing::internal::GetCapturedStderr());
  int streams = 0;
  for (std::string line; std::getline(log, line);) {
    EXPECT_LT(line.size(), 300U);
    EXPECT_EQ(line.find("achieng"), std::string::npos) << line;
    streams += line.find("link.stream") != std::string::npos ? 1 : 0;
  }
  EXPECT_EQ(streams, 1);
}

TEST_F(Strangers, WhoNeverFinishesTheHandshakeIsDropped) {
  RawClient client(global.port());
  ASSERT_TRUE(comes_true([&] { return strangers() == 1; }));
  global.clock.push_ms(11'000);
  EXPECT_TRUE(client.is_hung_up());
  EXPECT_TRUE(comes_true([&] { return connections() == 0; }));
}

TEST_F(Strangers, WhoNeverSaysHelloIsDropped) {
  RawClient client(global.port());
  ASSERT_TRUE(client.shake_hands(stranger, global.id()));
  ASSERT_TRUE(comes_true([&] { return strangers() == 1; }));
  global.clock.push_ms(21'000);
  EXPECT_TRUE(client.is_hung_up());
}

TEST_F(Strangers, AHalfOpenPeerIsFoundByItsSilence) {
  meet_kenya();
  RawClient client(global.port());
  ASSERT_TRUE(client.shake_hands(*kenya.node().key, global.id()));
  Session session = this->session();
  client.send(session.take_output());
  ASSERT_TRUE(comes_true([&] { return global.is_open_to(kenya.id()); }));
  global.clock.push_ms(16'000);
  bool is_asked = false;
  while (!is_asked) {
    const auto frame = client.next_frame();
    ASSERT_TRUE(frame);
    is_asked = std::holds_alternative<PingFrame>(*frame);
  }
  global.clock.push_ms(30'000);
  EXPECT_EQ(client.bye(), "peer.silent");
  // It does not hang up by itself: after a moment the line is cut.
  global.clock.push_ms(1'000);
  EXPECT_TRUE(comes_true([&] { return connections() == 0; }));
  EXPECT_EQ(global.status_of(kenya.id())->end_code, "peer.silent");
}

TEST_F(Strangers, ASecondLinkOfANodeReplacesTheFirst) {
  meet_kenya();
  RawClient first(global.port());
  ASSERT_TRUE(first.shake_hands(*kenya.node().key, global.id()));
  first.send(session().take_output());
  ASSERT_TRUE(comes_true([&] { return global.is_open_to(kenya.id()); }));
  RawClient second(global.port());
  ASSERT_TRUE(second.shake_hands(*kenya.node().key, global.id()));
  second.send(session().take_output());
  EXPECT_EQ(first.bye(), "link.replaced");
  ASSERT_TRUE(comes_true([&] { return connections() == 1; }));
  EXPECT_TRUE(global.is_open_to(kenya.id()));
}

TEST_F(Strangers, AFloodFromOneAddressStaysBounded) {
  std::vector<std::unique_ptr<RawClient>> flood;
  for (int i = 0; i < 200; ++i) {
    flood.push_back(std::make_unique<RawClient>(global.port()));
    EXPECT_LE(strangers(), 16U);
  }
  EXPECT_TRUE(comes_true([&] { return strangers() == 16; }));
  EXPECT_TRUE(comes_true([&] { return connections() == 16; }));
  global.clock.push_ms(11'000);
  EXPECT_TRUE(comes_true([&] { return strangers() == 0; }));
  expect_good_service();
}

// Each says a little, so that it looks as if more were to come, and no time passes.
TEST_F(Strangers, WhoSaysALittleAndNoMoreMakesRoomForTheNext) {
  auto options = test_options();
  options.strangers = 8;
  options.strangers_an_address = 1000;
  LiveNode target(std::move(nodes.uganda), options);
  target.start();
  std::vector<std::unique_ptr<RawClient>> flood;
  const auto count = [&] { return target.on_loop([&] { return target.peers().strangers(); }); };
  for (int i = 0; i < 60; ++i) {
    flood.push_back(std::make_unique<RawClient>(target.port()));
    flood.back()->send(Bytes{0x16, 0x03});
    EXPECT_LE(count(), 8U);
  }
  ASSERT_TRUE(comes_true([&] { return count() == 8; }));
  EXPECT_TRUE(flood.front()->is_hung_up());
  RawClient late(target.port());
  EXPECT_TRUE(late.shake_hands(stranger, target.id()));
  EXPECT_LE(count(), 8U);
}

// One address among many gives up its own places first.
TEST_F(Strangers, AnAddressWithManyConnectionsLosesItsOldestAndNobodyElses) {
  auto options = test_options();
  options.strangers = 8;
  options.strangers_an_address = 1000;
  LiveNode target(std::move(nodes.uganda), options);
  target.start();
  RawClient alone(target.port(), "127.0.0.9");
  alone.send(Bytes{0x16, 0x03});
  const auto count = [&] { return target.on_loop([&] { return target.peers().strangers(); }); };
  ASSERT_TRUE(comes_true([&] { return count() == 1; }));
  std::vector<std::unique_ptr<RawClient>> flood;
  for (int i = 0; i < 60; ++i) flood.push_back(std::make_unique<RawClient>(target.port()));
  ASSERT_TRUE(comes_true([&] { return count() == 8; }));
  EXPECT_TRUE(flood.front()->is_hung_up());
  EXPECT_FALSE(alone.has_ended());
}

// From where a certified node was heard, nobody is sent away as long as there are others.
TEST_F(Strangers, WhoCallsFromWhereAChapterWasHeardKeepsItsPlaceLongest) {
  auto options = test_options();
  options.strangers = 4;
  kenya.stop();
  LiveNode target(kenya.release(), options);
  target.start();
  const auto office = nodes.live(std::move(nodes.kisumu), target);
  office->start();
  ASSERT_TRUE(comes_true([&] { return target.is_open_to(office->id()); }));
  office->stop();
  ASSERT_TRUE(comes_true([&] { return !target.is_open_to(office->id()); }));
  RawClient familiar(target.port());
  familiar.send(Bytes{0x16, 0x03});
  const auto count = [&] { return target.on_loop([&] { return target.peers().strangers(); }); };
  ASSERT_TRUE(comes_true([&] { return count() == 1; }));
  std::vector<std::unique_ptr<RawClient>> flood;
  for (int i = 0; i < 30; ++i) {
    const std::string from = "127.0.1." + std::to_string(i + 1);
    flood.push_back(std::make_unique<RawClient>(target.port(), from));
  }
  EXPECT_TRUE(flood.front()->is_hung_up());
  EXPECT_LE(count(), 4U);
  EXPECT_FALSE(familiar.has_ended());
}

TEST(Origins, OfAnIpv6AddressTheNetworkCounts) {
  EXPECT_EQ(origin_of("2001:db8:1:2::3"), origin_of("2001:db8:1:2:ffff::9"));
  EXPECT_NE(origin_of("2001:db8:1:2::3"), origin_of("2001:db8:1:3::3"));
  EXPECT_NE(origin_of("192.0.2.1"), origin_of("192.0.2.2"));
}

}  // namespace
}  // namespace chapterd
