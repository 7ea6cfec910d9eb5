// Joining online: the one thing that an unknown node may ask for.
#include "daemon/net/join.h"
#include "tests/support/two_nodes.h"

#include <gtest/gtest.h>

namespace chapterd {
namespace {

using testing::LiveNode;
using testing::SeededRandom;
using testing::TwoNodes;

constexpr auto timeout = std::chrono::seconds(30);

// A new machine that was handed an invite.
struct Newcomer {
  explicit Newcomer(Random& random)
      : node(SigningKey::generate(random)), authority(SigningKey::generate(random)) {}

  [[nodiscard]] Bytes request(const Invite& invite) const {
    const JoinRequest request{invite_id(invite.secret), node.public_key(), authority.public_key(),
                              BoxKey::from_seed(node.seed()).public_key(), "mini-PC"};
    return make_join_request(invite, request, node, authority);
  }

  SigningKey node;
  SigningKey authority;
};

struct Join : ::testing::Test {
  TwoNodes nodes;
  LiveNode& global = *nodes.global;
  SeededRandom random{77};
  Newcomer tanzania{random};

  Invite invite() {
    Invite invite;
    invite.parent = global.id();
    invite.code = "TZ";
    invite.name = "Tanzania";
    invite.level = 1;
    invite.secret = random.fixed<InviteSecret>();
    invite.expires = global.clock.now().plus_ms(3'600'000);
    const auto kept = global.writer().run([&](Replica& replica) -> Result<FederationId> {
      invite.federation = replica.directory().authority().federation();
      invite.chapter = chapter_id_below(replica.directory().chapter(), invite.code);
      replica.set_value(stored_invite_name(invite_id(invite.secret)),
                        encode(KeptInvite{invite, InviteState::open, {}}));
      return invite.federation;
    });
    EXPECT_TRUE(kept);
    return invite;
  }

  Result<Bytes> ask(const Newcomer& who, const Bytes& request) const {
    return request_join(global.address(), global.id(), who.node, request, timeout);
  }
};

TEST_F(Join, AnInviteBringsTheCertificates) {
  const Invite invite = this->invite();
  const auto answered = ask(tanzania, tanzania.request(invite));
  ASSERT_TRUE(answered) << answered.error().code;
  const auto answer = check_answer(invite, tanzania.authority.public_key(), *answered);
  ASSERT_TRUE(answer) << answer.error().code;
  EXPECT_EQ(federation_id(answer->genesis), invite.federation);
}

TEST_F(Join, AskingAgainGivesTheSameAnswerAndAnotherMachineNone) {
  const Invite invite = this->invite();
  const auto first = ask(tanzania, tanzania.request(invite));
  const auto again = ask(tanzania, tanzania.request(invite));
  ASSERT_TRUE(first);
  ASSERT_TRUE(again);
  EXPECT_EQ(*first, *again);
  const Newcomer thief(random);
  const auto stolen = ask(thief, thief.request(invite));
  ASSERT_FALSE(stolen);
  EXPECT_EQ(stolen.error().kind, Errc::not_allowed);
  EXPECT_EQ(stolen.error().code, "invite.used");
}

TEST_F(Join, AnInviteThatWasNeverMadeIsUnknown) {
  Invite invite = this->invite();
  invite.secret = random.fixed<InviteSecret>();
  const auto answered = ask(tanzania, tanzania.request(invite));
  ASSERT_FALSE(answered);
  EXPECT_EQ(answered.error().code, "invite.unknown");
}

TEST_F(Join, AnInviteExpiresByTheParentsDate) {
  const Invite invite = this->invite();
  global.clock.push_ms(3'700'000);
  const auto answered = ask(tanzania, tanzania.request(invite));
  ASSERT_FALSE(answered);
  EXPECT_EQ(answered.error().code, "invite.expired");
}

TEST_F(Join, ARequestOfAnotherKeyThanTheConnectionsIsRefused) {
  const Invite invite = this->invite();
  const Newcomer other(random);
  const auto answered = ask(other, tanzania.request(invite));
  ASSERT_FALSE(answered);
  EXPECT_EQ(answered.error().code, "invite.other-key");
}

TEST_F(Join, ALockedAuthorityKeySaysSo) {
  const Invite invite = this->invite();
  global.on_loop([&] { global.authority.reset(); });
  const auto answered = ask(tanzania, tanzania.request(invite));
  ASSERT_FALSE(answered);
  EXPECT_EQ(answered.error().code, "invite.authority-locked");
}

TEST_F(Join, AnotherNodeAtTheAddressIsNotAsked) {
  const auto answered = request_join(global.address(), tanzania.node.public_key(), tanzania.node,
                                     tanzania.request(invite()), timeout);
  ASSERT_FALSE(answered);
  EXPECT_EQ(answered.error().code, "tls.other-key");
}

TEST_F(Join, AnAddressWhereNobodyListensIsUnreachable) {
  const Bytes request = tanzania.request(invite());
  const auto nobody = request_join("127.0.0.1:1", global.id(), tanzania.node, request, timeout);
  ASSERT_FALSE(nobody);
  EXPECT_EQ(nobody.error().code, "net.unreachable");
  const auto nowhere = request_join("nonsense", global.id(), tanzania.node, request, timeout);
  ASSERT_FALSE(nowhere);
  EXPECT_EQ(nowhere.error().code, "net.address");
}

TEST_F(Join, SomebodyWhoNeverAnswersIsNotWaitedForForever) {
  asio::io_context loop;
  asio::tcp::acceptor silent(loop, {asio::ip::address_v4::loopback(), 0});
  const std::string address = "127.0.0.1:" + std::to_string(silent.local_endpoint().port());
  const auto answered = request_join(address, global.id(), tanzania.node,
                                     tanzania.request(invite()), std::chrono::milliseconds(50));
  ASSERT_FALSE(answered);
  EXPECT_EQ(answered.error().code, "net.slow");
}

}  // namespace
}  // namespace chapterd
