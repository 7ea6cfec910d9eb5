// Shutting a computer out: which one is meant, and who may; all without a daemon.
#include "daemon/operations/opened_node.h"
#include "tests/daemon/operations_support.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace chapterd::testing {
namespace {

class Revoking : public ::testing::Test {
 protected:
  Revoking() {
    found(top_);
    join(laptop_, {{"code", "KE"}, {"name", "Kenya"}});
  }

  void join(const Config& config, const Json& invite) {
    const Json made = must(ask(top_, "invite.create", invite));
    const Json asked = must(prepare_join(config, made["invite"], "laptop"));
    const Json answer = must(ask(top_, "join.answer", {{"request", asked["request"]}}));
    must(finish_join(config, *from_base32(answer["answer"].get<std::string>())));
    // As if it had called: its certificates are there.
    std::vector<Bytes> chain;
    {
      const auto below = OpenedNode::open(config);
      const Directory& directory = (*below)->replica().directory();
      chain = directory.authority().chain(directory.self());
    }
    const auto above = OpenedNode::open(top_);
    for (const Bytes& statement : chain)
      static_cast<void>((*above)->replica().write_statement(statement));
    (*above)->replica().commit();
  }

  Result<Json> revoke(const char* by, const std::string& wanted) {
    return ask(top_, "peers.revoke", {{by, wanted}, {"reason", "stolen"}});
  }

  static std::string fingerprint_of(const Config& config) {
    const auto opened = OpenedNode::open(config);
    return to_hex((*opened)->replica().directory().self().view()).substr(0, 8);
  }

  Place place_;
  Config top_ = place_.config("top");
  Config laptop_ = place_.config("laptop");
};

TEST_F(Revoking, NamesAComputerByTheCodeOfItsChapterOrByItsFingerprint) {
  const std::string fingerprint = fingerprint_of(laptop_);
  EXPECT_EQ(must(revoke("code", "KE"))["revoked"], fingerprint);
  EXPECT_EQ(must(revoke("fingerprint", fingerprint))["revoked"], fingerprint);
}

TEST_F(Revoking, OfSeveralComputersPicksNone) {
  const Config office = place_.config("office");
  join(office, {{"code", "KE"}, {"replace", true}});
  const auto refused = revoke("code", "KE");
  ASSERT_EQ(code_of(refused), "peers.ambiguous");
  EXPECT_EQ(refused.error().kind, Errc::usage);
  for (const std::string& each : {fingerprint_of(laptop_), fingerprint_of(office)})
    EXPECT_NE(refused.error().what.find(each), std::string::npos) << refused.error().what;
  EXPECT_EQ(refused.error().what.find("revoked"), std::string::npos);
  EXPECT_EQ(must(revoke("fingerprint", fingerprint_of(laptop_)))["revoked"],
            fingerprint_of(laptop_));
  // The code is still said of two, of which one is revoked.
  const std::string what = revoke("code", "KE").error().what;
  const std::size_t at = what.find(fingerprint_of(laptop_));
  EXPECT_EQ(what.find("revoked"), what.find(')', at) - std::string("revoked").size()) << what;
}

// One slip of the finger would name another computer.
TEST_F(Revoking, TakesNoFewerThanFourDigitsOfAFingerprint) {
  const std::string fingerprint = fingerprint_of(laptop_);
  for (const std::size_t digits : {0U, 1U, 3U})
    EXPECT_EQ(code_of(revoke("fingerprint", fingerprint.substr(0, digits))), "argument.missing");
  EXPECT_EQ(must(revoke("fingerprint", fingerprint.substr(0, 7)))["revoked"], fingerprint);
}

TEST_F(Revoking, ASecondTimeSaysTheSameAndWritesNothing) {
  const auto written = [&] {
    const auto opened = OpenedNode::open(top_);
    return (*opened)->replica().directory().arrival();
  };
  const Json first = must(revoke("code", "KE"));
  const Arrival once = written();
  EXPECT_EQ(must(revoke("code", "KE")), first);
  EXPECT_EQ(written(), once);
}

TEST_F(Revoking, AChildCannotRevokeTheNodeAboveIt) {
  // Its own node is the only one that it knows below itself, and it may not revoke that either.
  EXPECT_EQ(code_of(ask(laptop_, "peers.revoke", {{"code", "KE"}, {"reason", "x"}})),
            "peers.not-below");
}

}  // namespace
}  // namespace chapterd::testing
