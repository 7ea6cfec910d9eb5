// Those who do not behave: unknown, silent, slow, many, or talking nonsense.
#include "tests/support/raw_client.h"
#include "tests/support/two_nodes.h"

#include <gtest/gtest.h>

#include <vector>

namespace chapterd {
namespace {

using testing::comes_true;
using testing::LiveNode;
using testing::RawClient;
using testing::SeededRandom;
using testing::test_options;
using testing::TwoNodes;

constexpr Address up{Audience::up, {}};

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
  ASSERT_TRUE(comes_true([&] {
    const auto status = global.status_of(stranger.public_key());
    return status.has_value();
  }));
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
  EXPECT_LE(connections(), 16U);
  global.clock.push_ms(11'000);
  EXPECT_TRUE(comes_true([&] { return strangers() == 0; }));
  expect_good_service();
}

TEST_F(Strangers, AFloodFromEverywhereStaysBoundedAndOthersGetTheirTurn) {
  auto options = test_options();
  options.strangers = 8;
  options.strangers_an_address = 1000;
  LiveNode target(std::move(nodes.uganda), options);
  target.start();
  std::vector<std::unique_ptr<RawClient>> flood;
  const auto count = [&] { return target.on_loop([&] { return target.peers().strangers(); }); };
  for (int i = 0; i < 60; ++i) {
    flood.push_back(std::make_unique<RawClient>(target.port()));
    EXPECT_LE(count(), 8U);
  }
  ASSERT_TRUE(comes_true([&] { return count() == 8; }));
  RawClient late(target.port());
  // Each wave of the silent ones is dropped in turn.
  EXPECT_TRUE(comes_true([&] {
    target.clock.push_ms(11'000);
    return count() == 1 || count() == 0;
  }));
}

}  // namespace
}  // namespace chapterd
