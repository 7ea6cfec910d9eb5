// Who gets through the handshake, and who does not.
#include "crypto/certificate.h"
#include "daemon/net/tls.h"
#include "tests/support/raw_tls.h"
#include "tests/support/seeded.h"

#include <gtest/gtest.h>

#include <string>

namespace chapterd {
namespace {

using testing::certificate_of;
using testing::RawTls;
using testing::RawTlsRules;
using testing::SeededRandom;

constexpr std::int64_t year = 365LL * 24 * 3600;

struct Tls : ::testing::Test {
  SeededRandom random{3};
  SigningKey ours = SigningKey::generate(random);
  SigningKey theirs = SigningKey::generate(random);
  TlsContext context = std::move(*TlsContext::make(ours));

  RawTlsRules rules() {
    RawTlsRules rules;
    rules.certificate = *self_signed_certificate(theirs);
    return rules;
  }

  // Somebody calls us.
  RawTls caller(const RawTlsRules& rules) { return {RawTls::Role::client, theirs, rules}; }
};

// Moves everything that two of our own ends have to say.
bool meet(TlsChannel& a, TlsChannel& b) {
  for (;;) {
    if (!a.shake_hands()) return false;
    const Bytes to_b = a.take_output();
    b.feed(to_b);
    const auto shaken = b.shake_hands();
    const Bytes to_a = b.take_output();
    a.feed(to_a);
    if (!shaken) return false;
    if (to_a.empty() && to_b.empty()) return a.is_ready() && b.is_ready();
  }
}

TEST_F(Tls, TwoNodesMeetAndKnowEachOthersKey) {
  const TlsContext other = std::move(*TlsContext::make(theirs));
  TlsChannel dialler = TlsChannel::dial(context, theirs.public_key());
  TlsChannel listener = TlsChannel::accept(other);
  ASSERT_TRUE(meet(dialler, listener));
  EXPECT_EQ(dialler.peer(), theirs.public_key());
  EXPECT_EQ(listener.peer(), ours.public_key());
}

TEST_F(Tls, LargeMessagesComeThroughWholeAndTheEndIsSeen) {
  const TlsContext other = std::move(*TlsContext::make(theirs));
  TlsChannel dialler = TlsChannel::dial(context, theirs.public_key());
  TlsChannel listener = TlsChannel::accept(other);
  ASSERT_TRUE(meet(dialler, listener));
  Bytes sent(300'000);
  random.fill(sent);
  ASSERT_TRUE(dialler.write(sent));
  dialler.close();
  const Bytes wire = dialler.take_output();
  EXPECT_LT(wire.size(), sent.size() + 1000);
  Bytes received;
  Bytes room(7'000);
  for (std::size_t at = 0; at < wire.size(); at += 10'000) {
    listener.feed(ByteView(wire).subspan(at, std::min<std::size_t>(10'000, wire.size() - at)));
    for (auto count = listener.read(room); count && *count > 0; count = listener.read(room))
      append(received, ByteView(room).first(*count));
  }
  EXPECT_EQ(received, sent);
  EXPECT_TRUE(listener.is_ended());
}

TEST_F(Tls, AnotherKeyThanTheExpectedOneIsRefused) {
  const TlsContext other = std::move(*TlsContext::make(theirs));
  TlsChannel dialler = TlsChannel::dial(context, ours.public_key());
  TlsChannel listener = TlsChannel::accept(other);
  ASSERT_TRUE(dialler.shake_hands());
  listener.feed(dialler.take_output());
  ASSERT_TRUE(listener.shake_hands());
  dialler.feed(listener.take_output());
  const auto shaken = dialler.shake_hands();
  ASSERT_FALSE(shaken);
  EXPECT_EQ(shaken.error().code, "tls.other-key");
  EXPECT_FALSE(dialler.is_ready());
}

TEST_F(Tls, ACallerWithoutACertificateIsRefused) {
  RawTlsRules bare;
  RawTls client = caller(bare);
  TlsChannel listener = TlsChannel::accept(context);
  EXPECT_FALSE(client.meet(listener));
  EXPECT_EQ(client.refused_because(), "tls.certificate");
  EXPECT_NE(client.alert().find("certificate required"), std::string::npos) << client.alert();
}

TEST_F(Tls, ACallerWithTwoCertificatesIsRefused) {
  RawTlsRules two = rules();
  two.copies = 2;
  RawTls client = caller(two);
  TlsChannel listener = TlsChannel::accept(context);
  EXPECT_FALSE(client.meet(listener));
  EXPECT_EQ(client.refused_because(), "tls.certificate");
}

TEST_F(Tls, AnOlderVersionIsRefused) {
  RawTlsRules old = rules();
  old.least_version = TLS1_2_VERSION;
  old.most_version = TLS1_2_VERSION;
  RawTls client = caller(old);
  TlsChannel listener = TlsChannel::accept(context);
  EXPECT_FALSE(client.meet(listener));
  EXPECT_EQ(client.refused_because(), "tls.protocol");
  EXPECT_NE(client.alert().find("protocol version"), std::string::npos) << client.alert();
}

TEST_F(Tls, AServerOfAnOlderVersionIsRefused) {
  RawTlsRules old = rules();
  old.least_version = TLS1_2_VERSION;
  old.most_version = TLS1_2_VERSION;
  RawTls server(RawTls::Role::server, theirs, old);
  TlsChannel dialler = TlsChannel::dial(context, theirs.public_key());
  EXPECT_FALSE(server.meet(dialler));
  EXPECT_FALSE(dialler.is_ready());
}

TEST_F(Tls, AnotherProtocolIsRefused) {
  for (const char* protocols : {"", "\x02h2",
                                "\x0a"
                                "chapterd/2",
                                "\x09"
                                "chapterd/"}) {
    RawTlsRules other = rules();
    other.protocols = protocols;
    RawTls client = caller(other);
    TlsChannel listener = TlsChannel::accept(context);
    EXPECT_FALSE(client.meet(listener)) << protocols;
    EXPECT_EQ(client.refused_because(), "tls.protocol") << protocols;
    EXPECT_NE(client.alert().find("no application protocol"), std::string::npos) << client.alert();
  }
}

TEST_F(Tls, AServerThatNamesNoProtocolIsRefused) {
  RawTlsRules silent = rules();
  silent.protocols = "";
  RawTls server(RawTls::Role::server, theirs, silent);
  TlsChannel dialler = TlsChannel::dial(context, theirs.public_key());
  EXPECT_FALSE(server.meet(dialler));
  EXPECT_EQ(server.refused_because(), "tls.protocol");
}

TEST_F(Tls, DatesOfCertificatesDoNotMatter) {
  const std::int64_t dates[][2] = {{0, year}, {129 * year, 130 * year}, {60 * year, 50 * year}};
  for (const auto& [from, to] : dates) {
    RawTlsRules dated = rules();
    dated.certificate = certificate_of(theirs, from, to);
    RawTls client = caller(dated);
    TlsChannel listener = TlsChannel::accept(context);
    EXPECT_TRUE(client.meet(listener)) << from << ' ' << client.alert();
    EXPECT_EQ(listener.peer(), theirs.public_key());
    RawTls server(RawTls::Role::server, theirs, dated);
    TlsChannel dialler = TlsChannel::dial(context, theirs.public_key());
    EXPECT_TRUE(server.meet(dialler)) << from << ' ' << server.alert();
  }
}

TEST_F(Tls, NoTicketIsGiven) {
  RawTls client = caller(rules());
  TlsChannel listener = TlsChannel::accept(context);
  ASSERT_TRUE(client.meet(listener));
  EXPECT_EQ(client.take_session(), nullptr);
}

TEST_F(Tls, AnOfferedSessionIsNotResumed) {
  // A session with a server of the same key that does give tickets.
  RawTlsRules generous = rules();
  generous.certificate = *self_signed_certificate(ours);
  RawTls server(RawTls::Role::server, ours, generous);
  RawTls first = caller(rules());
  ASSERT_TRUE(first.meet(server));
  const auto session = first.take_session();
  ASSERT_NE(session, nullptr);
  ASSERT_EQ(SSL_SESSION_is_resumable(session.get()), 1);

  RawTls again = caller(rules());
  again.offer(session.get());
  TlsChannel listener = TlsChannel::accept(context);
  ASSERT_TRUE(again.meet(listener));
  EXPECT_EQ(SSL_session_reused(again.ssl()), 0);
  EXPECT_EQ(listener.peer(), theirs.public_key());

  // And without a certificate it does not get in by the session alone.
  RawTls bare = caller(RawTlsRules{});
  bare.offer(session.get());
  TlsChannel other = TlsChannel::accept(context);
  EXPECT_FALSE(bare.meet(other));
  EXPECT_EQ(bare.refused_because(), "tls.certificate");
}

TEST_F(Tls, GarbageIsRefused) {
  for (int round = 0; round < 50; ++round) {
    TlsChannel listener = TlsChannel::accept(context);
    Bytes garbage(5 + random.below(2000));
    random.fill(garbage);
    listener.feed(garbage);
    const auto shaken = listener.shake_hands();
    EXPECT_TRUE(!shaken || !listener.is_ready());
  }
}

TEST_F(Tls, AChangedByteEndsTheConnection) {
  const TlsContext other = std::move(*TlsContext::make(theirs));
  TlsChannel dialler = TlsChannel::dial(context, theirs.public_key());
  TlsChannel listener = TlsChannel::accept(other);
  ASSERT_TRUE(meet(dialler, listener));
  ASSERT_TRUE(dialler.write(Bytes(100, 7)));
  Bytes wire = dialler.take_output();
  wire[50] ^= 1U;
  listener.feed(wire);
  Bytes room(1000);
  const auto read = listener.read(room);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, "tls.broken");
}

}  // namespace
}  // namespace chapterd
