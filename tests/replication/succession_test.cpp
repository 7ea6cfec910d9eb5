// Authority keys that are replaced, and chapters that move: what stands afterwards, in whatever
// order the statements come to be known.
#include "replication/entitlement.h"
#include "tests/support/tree.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

namespace chapterd {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): the nodes and their words

struct Federation : DeepTree {
  const SigningKey next = SigningKey::generate(random);
  const SigningKey later = SigningKey::generate(random);

  template <class Body>
  [[nodiscard]] Bytes said(TestNode& by,
                           const SigningKey& key,
                           std::uint64_t number,
                           const Body& body) const {
    return sign_statement(authority().federation(), Statement{by.chapter(), number, body}, key);
  }

  [[nodiscard]] Successor successor(TestNode& of, SuccessorBy by, const SigningKey& key) const {
    Successor body;
    body.chapter = of.chapter();
    body.authority = key.public_key();
    body.by = by;
    body.acceptance = accept_succession(authority().federation(), of.chapter(), key);
    return body;
  }

  // A node of the chapter, certified with this key.
  [[nodiscard]] Bytes certified(TestNode& of,
                                const SigningKey& by,
                                const SigningKey& node,
                                std::uint64_t number = 1) const {
    NodeCertificate certificate;
    certificate.node = node.public_key();
    certificate.chapter = of.chapter();
    certificate.proof = prove_node(authority().federation(), certificate, node);
    return said(of, by, number, certificate);
  }

  [[nodiscard]] Bytes agreed(TestNode& parent, TestNode& child, std::uint8_t level) const {
    ChapterCertificate certificate = authority().chapter(child.chapter())->certificate;
    certificate.above = authority().path_of(parent.chapter()).above;
    certificate.above.push_back(parent.chapter());
    certificate.level = level;
    return said(parent, *parent.authority, 2, certificate);
  }

  [[nodiscard]] Move move(TestNode& child, TestNode& parent, std::uint8_t level = 2) const {
    Move body;
    body.certificate = agreed(parent, child, level);
    body.keys = {child.authority->public_key()};
    body.parent = parent.id();
    body.addresses = {"parent.example.org:7700"};
    return body;
  }

  [[nodiscard]] Authority after(const std::vector<Bytes>& statements) const {
    Authority known = authority();
    for (const Bytes& each : statements) known.apply_or_keep(each);
    return known;
  }

  // What anybody can ask of it, as one text.
  [[nodiscard]] static std::string shown(const Authority& known) {
    std::string text;
    for (const KnownChapter* each : known.chapters()) {
      text += each->certificate.code + " " + to_hex(each->certificate.authority.view()) + " below";
      for (const ChapterId& above : each->certificate.above) text += " " + to_hex(above.view());
      text += "\n";
    }
    for (const KnownNode* each : known.nodes()) {
      text += to_hex(each->certificate.node.view()) +
              (known.is_revoked(each->certificate.node) ? " revoked\n" : "\n");
    }
    return text;
  }

  void expect_one_verdict(std::vector<Bytes> statements) const {
    const std::string expected = shown(after(statements));
    std::vector<std::size_t> order(statements.size());
    std::iota(order.begin(), order.end(), 0U);
    do {
      std::vector<Bytes> shuffled;
      for (const std::size_t each : order) shuffled.push_back(statements[each]);
      ASSERT_EQ(shown(after(shuffled)), expected);
    } while (std::next_permutation(order.begin(), order.end()));
  }

  [[nodiscard]] PublicKey key_of(const Authority& known, TestNode& chapter) const {
    return known.chapter(chapter.chapter())->certificate.authority;
  }
};

TEST_F(Federation, APlannedRotationLeavesWhatTheOldKeySigned) {
  const SigningKey laptop = SigningKey::generate(random);
  const SigningKey desk = SigningKey::generate(random);
  const std::vector<Bytes> statements = {
      certified(*kenya, *kenya->authority, laptop),
      said(*kenya, *kenya->authority, 2, successor(*kenya, SuccessorBy::rotation, next)),
      certified(*kenya, next, desk),
      said(*kenya, next, 3, successor(*kenya, SuccessorBy::rotation, later))};
  const Authority known = after(statements);
  EXPECT_EQ(key_of(known, *kenya), later.public_key());
  EXPECT_NE(known.node(laptop.public_key()), nullptr);
  EXPECT_NE(known.node(desk.public_key()), nullptr);
  EXPECT_NE(known.node(kisumu->id()), nullptr);
  expect_one_verdict(statements);
}

TEST_F(Federation, ALostKeyIsReplacedFromAboveAndTheLostOneDecidesNothingMore) {
  const SigningKey desk = SigningKey::generate(random);
  const std::vector<Bytes> statements = {
      said(*global, *global->authority, 2, successor(*kenya, SuccessorBy::above, next)),
      certified(*kenya, next, desk),
      // Whoever finds the lost key wants to go on with it.
      said(*kenya, *kenya->authority, 9, successor(*kenya, SuccessorBy::rotation, later))};
  const Authority known = after(statements);
  EXPECT_EQ(key_of(known, *kenya), next.public_key());
  EXPECT_NE(known.node(desk.public_key()), nullptr);
  EXPECT_NE(known.node(kenya->id()), nullptr);
  expect_one_verdict(statements);
}

TEST_F(Federation, OfAStolenKeyOnlyWhatIsListedStandsAndWhatHangsFromIt) {
  const SigningKey planted = SigningKey::generate(random);
  const SigningKey below = SigningKey::generate(random);
  const SigningKey laptop = SigningKey::generate(random);
  ChapterCertificate chapter;
  chapter.code = "KE-99";
  chapter.chapter = chapter_id_below(kenya->chapter(), chapter.code);
  chapter.authority = later.public_key();
  chapter.level = 2;
  chapter.above = {global->chapter(), kenya->chapter()};
  NodeCertificate certificate;
  certificate.node = below.public_key();
  certificate.chapter = chapter.chapter;
  certificate.proof = prove_node(authority().federation(), certificate, below);
  Successor stolen = successor(*kenya, SuccessorBy::above, next);
  stolen.stands = authority().statements_of(kenya->chapter());
  Successor more = successor(*kenya, SuccessorBy::above, next);
  more.stands = {statement_id(certified(*kenya, *kenya->authority, laptop))};
  const std::vector<Bytes> statements = {
      certified(*kenya, *kenya->authority, planted),
      said(*kenya, *kenya->authority, 1, chapter),
      sign_statement(authority().federation(), Statement{chapter.chapter, 1, certificate}, later),
      certified(*kenya, *kenya->authority, laptop),
      said(*global, *global->authority, 2, stolen),
      said(*global, *global->authority, 3, more)};
  const Authority known = after(statements);
  EXPECT_EQ(key_of(known, *kenya), next.public_key());
  EXPECT_EQ(known.node(planted.public_key()), nullptr);
  EXPECT_EQ(known.chapter(chapter.chapter), nullptr);
  EXPECT_EQ(known.node(below.public_key()), nullptr);
  EXPECT_NE(known.node(laptop.public_key()), nullptr) << "several lists add up";
  EXPECT_NE(known.node(kenya->id()), nullptr);
  EXPECT_NE(known.chapter(office->chapter()), nullptr);
  // What a planted node wrote does not count, wherever it got to.
  FeedIntro intro;
  intro.node = planted.public_key();
  intro.home = known.path_of(kenya->chapter());
  intro.audience = Audience::all;
  const FeedId feed = feed_id(known.federation(), encode(intro));
  EXPECT_EQ(known.cuts(intro, feed), Limits(1)) << "a list that names nothing";
  intro.node = kenya->id();
  EXPECT_TRUE(known.cuts(intro, feed).empty());
  expect_one_verdict(statements);
}

TEST_F(Federation, NobodyElseNamesASuccessor) {
  const auto refused = [&](const Bytes& statement) {
    const Authority known = after({statement});
    return shown(known) == shown(authority());
  };
  EXPECT_TRUE(
      refused(said(*uganda, *uganda->authority, 9, successor(*kenya, SuccessorBy::above, next))));
  EXPECT_TRUE(
      refused(said(*kisumu, *kisumu->authority, 9, successor(*kenya, SuccessorBy::above, next))));
  EXPECT_TRUE(
      refused(said(*kenya, *global->authority, 9, successor(*kenya, SuccessorBy::rotation, next))));
  Successor unasked = successor(*kenya, SuccessorBy::above, next);
  unasked.authority = later.public_key();
  EXPECT_TRUE(refused(said(*global, *global->authority, 9, unasked)));
  Successor recovered = successor(*global, SuccessorBy::recovery, next);
  recovered.recovery = later.public_key();
  EXPECT_TRUE(refused(said(*global, later, 9, recovered)));
}

TEST_F(Federation, TheRecoveryKeyOfGenesisReplacesTheRootsKey) {
  const SigningKey paper = SigningKey::generate(random);
  const SigningKey first = SigningKey::generate(random);
  Genesis genesis;
  genesis.chapter = random.fixed<ChapterId>();
  genesis.code = "GLOBAL";
  genesis.authority = first.public_key();
  genesis.recovery = recovery_hash(paper.public_key());
  Authority known = *Authority::found(sign_genesis(genesis, first));
  Successor body;
  body.chapter = genesis.chapter;
  body.authority = next.public_key();
  body.by = SuccessorBy::recovery;
  body.recovery = paper.public_key();
  body.stands.emplace();
  body.acceptance = accept_succession(known.federation(), genesis.chapter, next);
  const Statement statement{genesis.chapter, 1, body};
  ASSERT_TRUE(known.apply(sign_statement(known.federation(), statement, paper)));
  EXPECT_EQ(known.chapter(genesis.chapter)->certificate.authority, next.public_key());
  const auto certify = [&](const SigningKey& by) {
    const SigningKey node = SigningKey::generate(random);
    NodeCertificate certificate;
    certificate.node = node.public_key();
    certificate.chapter = genesis.chapter;
    certificate.proof = prove_node(known.federation(), certificate, node);
    static_cast<void>(known.apply(
        sign_statement(known.federation(), Statement{genesis.chapter, 1, certificate}, by)));
    return known.node(node.public_key()) != nullptr;
  };
  EXPECT_TRUE(certify(next));
  EXPECT_FALSE(certify(first));
}

TEST_F(Federation, AMovedChapterStandsBelowItsNewParentAndItsOwnFollow) {
  const Bytes moved = said(*global, *global->authority, 1, move(*kisumu, *uganda));
  const Authority known = after({moved});
  EXPECT_EQ(known.path_of(kisumu->chapter()).above,
            (std::vector{global->chapter(), uganda->chapter()}));
  EXPECT_EQ(known.path_of(office->chapter()).above,
            (std::vector{global->chapter(), uganda->chapter(), kisumu->chapter()}));
  ASSERT_NE(known.move_of(kisumu->chapter()), nullptr);
  EXPECT_EQ(known.move_of(kisumu->chapter())->body.addresses.front(), "parent.example.org:7700");
  EXPECT_NE(known.node(kisumu->id()), nullptr);
  EXPECT_NE(known.node(office->id()), nullptr);
  // Its feeds from now on are for those above it now; those of before stay with those of then.
  FeedIntro intro;
  intro.node = kisumu->id();
  intro.audience = Audience::up;
  intro.home = known.path_of(kisumu->chapter());
  EXPECT_TRUE(may_open(known, intro));
  EXPECT_TRUE(may_hold(known, uganda->id(), intro));
  EXPECT_FALSE(may_hold(known, kenya->id(), intro));
  intro.home = authority().path_of(kisumu->chapter());
  EXPECT_TRUE(may_open(known, intro));
  EXPECT_TRUE(may_hold(known, kenya->id(), intro));
  EXPECT_FALSE(may_hold(known, uganda->id(), intro));
  // Its chain can be followed by who never heard of any of them.
  Authority stranger = *Authority::found(known.genesis());
  for (const Bytes& statement : known.chain(office->id()))
    ASSERT_TRUE(stranger.apply(statement)) << stranger.apply(statement).error().what;
  EXPECT_EQ(stranger.path_of(office->chapter()), known.path_of(office->chapter()));
}

// Kenya had named two keys for Kisumu, one after the other. It is left, and its word counts no
// more: whoever hears of Kisumu from now on has its keys from the move.
TEST_F(Federation, AComputerCertifiedWithAKeyOfBeforeAMoveIsKnownToWhoeverHearsOfItLater) {
  const SigningKey laptop = SigningKey::generate(random);
  Authority known =
      after({said(*kenya, *kenya->authority, 2, successor(*kisumu, SuccessorBy::above, next)),
             certified(*kisumu, next, laptop),
             said(*kenya, *kenya->authority, 3, successor(*kisumu, SuccessorBy::above, later))});
  ASSERT_EQ(key_of(known, *kisumu), later.public_key());
  Move body = move(*kisumu, *uganda);
  auto placed = std::get<ChapterCertificate>(decode_statement(body.certificate)->body);
  placed.authority = later.public_key();
  body.certificate = said(*uganda, *uganda->authority, 2, placed);
  body.keys = known.keys_of(kisumu->chapter());
  ASSERT_TRUE(known.apply(said(*global, *global->authority, 1, body)));
  ASSERT_NE(known.node(laptop.public_key()), nullptr);
  Authority stranger = *Authority::found(known.genesis());
  for (const Bytes& statement : known.chain(laptop.public_key()))
    static_cast<void>(stranger.apply(statement));
  EXPECT_EQ(key_of(stranger, *kisumu), later.public_key());
  EXPECT_NE(stranger.node(laptop.public_key()), nullptr);
}

TEST_F(Federation, NobodyCanTakeAChapterAway) {
  const auto path = [&](const std::vector<Bytes>& statements) {
    return after(statements).path_of(kisumu->chapter()).above;
  };
  const std::vector home{global->chapter(), kenya->chapter()};
  const std::vector away{global->chapter(), uganda->chapter()};
  const Move body = move(*kisumu, *uganda);
  EXPECT_EQ(path({said(*uganda, *uganda->authority, 9, body)}), home);
  EXPECT_EQ(path({said(*kenya, *kenya->authority, 9, body)}), home);
  EXPECT_EQ(path({said(*kisumu, *kisumu->authority, 9, body)}), home);
  EXPECT_EQ(path({agreed(*uganda, *kisumu, 2)}), home);
  // Nor can the global chapter put it where nobody agreed to have it.
  Move unasked = body;
  unasked.certificate =
      said(*uganda, *global->authority, 2,
           std::get<ChapterCertificate>(decode_statement(body.certificate)->body));
  EXPECT_EQ(path({said(*global, *global->authority, 9, unasked)}), home);
  // And the parent that was left has no say any more.
  const Bytes moved = said(*global, *global->authority, 1, body);
  ChapterCertificate again = authority().chapter(kisumu->chapter())->certificate;
  again.authority = later.public_key();
  const Bytes taken_back = said(*kenya, *kenya->authority, 99, again);
  const Bytes new_key =
      said(*kenya, *kenya->authority, 99, successor(*kisumu, SuccessorBy::above, later));
  const SigningKey planted = SigningKey::generate(random);
  const std::vector<Bytes> all = {moved, taken_back, new_key, certified(*kisumu, later, planted)};
  const Authority known = after(all);
  EXPECT_EQ(known.path_of(kisumu->chapter()).above, away);
  EXPECT_EQ(key_of(known, *kisumu), kisumu->authority->public_key());
  EXPECT_EQ(known.node(planted.public_key()), nullptr);
  expect_one_verdict(all);
}

TEST_F(Federation, TwoMovesThatMakeACircleLeaveATree) {
  const Bytes one = said(*global, *global->authority, 1, move(*kenya, *uganda));
  const Bytes two = said(*global, *global->authority, 2, move(*uganda, *kenya));
  const Authority known = after({one, two});
  EXPECT_EQ(known.path_of(kenya->chapter()).above,
            (std::vector{global->chapter(), uganda->chapter()}));
  EXPECT_EQ(known.path_of(uganda->chapter()).above, std::vector{global->chapter()});
  expect_one_verdict({one, two});
}

// As when the statement comes in one feed, and the certificates in a HELLO or with another feed.
TEST_F(Federation, WhatWaitedForCertificatesStandsOnceTheseCameAnotherWay) {
  Authority known = *Authority::found(authority().genesis());
  EXPECT_FALSE(known.apply_or_keep(said(*global, *global->authority, 1, move(*kisumu, *uganda))));
  for (TestNode* each : {uganda.get(), kisumu.get()})
    for (const Bytes& statement : authority().chain(each->id()))
      EXPECT_TRUE(known.apply(statement));
  EXPECT_EQ(known.path_of(kisumu->chapter()).above,
            (std::vector{global->chapter(), uganda->chapter()}));
}

// Kenya had put the office back below Kisumu before Kisumu went below another parent.
TEST_F(Federation, AMoveStandsWhenItsNewParentMovesOnLater) {
  Authority known = authority();
  const auto moved = [&](TestNode& by, TestNode& child, TestNode& parent, std::uint8_t level) {
    const std::uint64_t number = known.next_number(child.chapter());
    const Bytes statement = said(by, *by.authority, number, move(child, parent, level));
    EXPECT_TRUE(known.apply(statement));
    return statement;
  };
  const std::vector<Bytes> all = {moved(*kenya, *office, *kenya, 2),
                                  moved(*kenya, *office, *kisumu, 3),
                                  moved(*global, *kisumu, *uganda, 2)};
  EXPECT_EQ(known.path_of(office->chapter()).above,
            (std::vector{global->chapter(), uganda->chapter(), kisumu->chapter()}));
  expect_one_verdict(all);
}

TEST_F(Federation, EveryOrderOfChangesGivesOneVerdict) {
  const SigningKey desk = SigningKey::generate(random);
  const SigningKey planted = SigningKey::generate(random);
  Successor stolen = successor(*kenya, SuccessorBy::above, next);
  stolen.stands = authority().statements_of(kenya->chapter());
  expect_one_verdict(
      {said(*global, *global->authority, 1, move(*kisumu, *uganda)),
       said(*uganda, *uganda->authority, 5, successor(*kisumu, SuccessorBy::above, later)),
       certified(*kisumu, later, desk), said(*global, *global->authority, 2, stolen),
       certified(*kenya, *kenya->authority, planted),
       said(*kenya, *kenya->authority, 1, Revoke{office->id(), {}, "left behind"})});
}

TEST_F(Federation, ARevocationOfBeforeAMoveStaysOne) {
  const Bytes revoked = said(*kenya, *kenya->authority, 1, Revoke{office->id(), {}, "stolen"});
  const Bytes moved = said(*global, *global->authority, 1, move(*kisumu, *uganda));
  EXPECT_TRUE(after({revoked, moved}).is_revoked(office->id()));
  EXPECT_TRUE(after({moved, revoked}).is_revoked(office->id()));
}

}  // namespace
}  // namespace chapterd
