// Who may hold what, for every audience and every place in the tree.
#include "replication/entitlement.h"

#include "tests/support/tree.h"

#include <gtest/gtest.h>

namespace chapterd {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): the nodes and their words

struct Entitlement : DeepTree {
  // Codes of those of the five nodes that may hold it, in the order global, KE, UG, KE-17, KE-17-1.
  [[nodiscard]] std::string holders(const FeedIntro& intro) const {
    std::string codes;
    for (TestNode* node : {global.get(), kenya.get(), uganda.get(), kisumu.get(), office.get()}) {
      if (may_hold(authority(), node->id(), intro))
        codes += authority().chapter(node->chapter())->certificate.code + " ";
    }
    return codes;
  }
};

TEST_F(Entitlement, EveryAudienceHasItsCircle) {
  EXPECT_EQ(holders(intro_of(*kisumu, Audience::auth)), "GLOBAL KE UG KE-17 KE-17-1 ");
  EXPECT_EQ(holders(intro_of(*kisumu, Audience::all)), "GLOBAL KE UG KE-17 KE-17-1 ");
  EXPECT_EQ(holders(intro_of(*kisumu, Audience::chapter)), "KE-17 ");
  EXPECT_EQ(holders(intro_of(*kisumu, Audience::up)), "GLOBAL KE KE-17 ");
  EXPECT_EQ(holders(intro_of(*kisumu, Audience::down)), "KE-17 KE-17-1 ");
  EXPECT_EQ(holders(intro_of(*kenya, Audience::down)), "KE KE-17 KE-17-1 ");
}

TEST_F(Entitlement, ALetterIsHeldByThoseOnTheWayOnly) {
  EXPECT_EQ(holders(intro_of(*global, Audience::to, kisumu.get())), "GLOBAL KE KE-17 ");
  EXPECT_EQ(holders(intro_of(*kisumu, Audience::to, uganda.get())), "GLOBAL KE UG KE-17 ");
  EXPECT_EQ(holders(intro_of(*office, Audience::to, kisumu.get())), "KE-17 KE-17-1 ");
}

TEST_F(Entitlement, AReceiptTakesTheWayToTheAuthorAndNoOther) {
  const auto leads = [&](TestNode& self, TestNode& peer, const FeedIntro& intro) {
    return leads_to_author(authority(), self.chapter(), peer.chapter(), intro);
  };
  const FeedIntro from_kisumu = intro_of(*kisumu, Audience::up);
  EXPECT_TRUE(leads(*global, *kenya, from_kisumu));
  EXPECT_TRUE(leads(*kenya, *kisumu, from_kisumu));
  EXPECT_FALSE(leads(*kenya, *global, from_kisumu));
  EXPECT_FALSE(leads(*global, *uganda, from_kisumu));
  EXPECT_FALSE(leads(*kisumu, *office, from_kisumu));
  const FeedIntro letter = intro_of(*kisumu, Audience::to, uganda.get());
  EXPECT_TRUE(leads(*uganda, *global, letter));
  EXPECT_TRUE(leads(*global, *kenya, letter));
}

TEST_F(Entitlement, ANodeThatTheParentAppointedReadsNothingOfTheChapter) {
  // Kenya's authority certifies a machine of its own as a node of Kisumu.
  const SigningKey planted = SigningKey::generate(random);
  NodeCertificate certificate;
  certificate.node = planted.public_key();
  certificate.chapter = kisumu->chapter();
  certificate.proof = prove_node(authority().federation(), certificate, planted);
  kenya->statement(Statement{kenya->chapter(), 1, certificate});
  const Authority& known = kenya->directory->authority();
  EXPECT_TRUE(may_hold(known, planted.public_key(), intro_of(*kisumu, Audience::up)));
  EXPECT_FALSE(may_hold(known, planted.public_key(), intro_of(*kisumu, Audience::chapter)));
  // Nor is what it writes "for the chapter" the chapter's, which would pass it back.
  FeedIntro own = intro_of(*kisumu, Audience::chapter);
  own.node = planted.public_key();
  for (const PublicKey& key : {planted.public_key(), kisumu->id()})
    EXPECT_FALSE(may_hold(known, key, own));
}

TEST_F(Entitlement, AStrangerMayHoldNothing) {
  const SigningKey stranger = SigningKey::generate(random);
  EXPECT_FALSE(may_hold(authority(), stranger.public_key(), intro_of(*kisumu, Audience::all)));
  EXPECT_FALSE(may_hold(authority(), stranger.public_key(), intro_of(*kisumu, Audience::auth)));
}

TEST_F(Entitlement, ARevokedNodeMayHoldOnlyWhatTellsItWhy) {
  kenya->revoke(kisumu->id());
  Wire(*kenya, *global).run();
  EXPECT_FALSE(may_hold(authority(), kisumu->id(), intro_of(*kisumu, Audience::up)));
  EXPECT_FALSE(may_hold(authority(), kisumu->id(), intro_of(*global, Audience::all)));
  EXPECT_TRUE(may_hold(authority(), kisumu->id(), intro_of(*kenya, Audience::auth)));
}

TEST_F(Entitlement, AnAuthorCannotClaimAnotherPathOrChapter) {
  FeedIntro intro = intro_of(*kisumu, Audience::up);
  EXPECT_TRUE(may_open(authority(), intro));
  intro.home.above = {global->chapter(), uganda->chapter()};
  EXPECT_EQ(may_open(authority(), intro).error().code, "authority.path");
  intro = intro_of(*kisumu, Audience::up);
  intro.home = authority().path_of(uganda->chapter());
  EXPECT_EQ(may_open(authority(), intro).error().code, "authority.other-chapter");
  intro = intro_of(*kisumu, Audience::to, uganda.get());
  intro.target->above.push_back(kenya->chapter());
  EXPECT_EQ(may_open(authority(), intro).error().code, "authority.target");
}

TEST_F(Entitlement, AStatementBeyondItsIssuersScopeIsRefused) {
  // Uganda certifies a chapter below Kenya, and then one above itself.
  ChapterCertificate chapter;
  chapter.code = "KE-99";
  chapter.chapter = chapter_id_below(kenya->chapter(), chapter.code);
  chapter.authority = uganda->authority->public_key();
  chapter.level = 2;
  chapter.above = {global->chapter(), kenya->chapter()};
  Authority known = authority();
  const auto signed_by_uganda = [&](const auto& body) {
    return sign_statement(known.federation(), Statement{uganda->chapter(), 1, body},
                          *uganda->authority);
  };
  EXPECT_EQ(known.apply(signed_by_uganda(chapter)).error().code, "authority.scope");
  chapter.above = {global->chapter(), uganda->chapter()};
  chapter.level = 1;
  EXPECT_EQ(known.apply(signed_by_uganda(chapter)).error().code, "authority.scope");
  chapter.level = 2;
  EXPECT_EQ(known.apply(signed_by_uganda(chapter)).error().code, "authority.scope");
  chapter.chapter = chapter_id_below(uganda->chapter(), chapter.code);
  EXPECT_TRUE(known.apply(signed_by_uganda(chapter)));
  NodeCertificate node;
  node.node = SigningKey::generate(random).public_key();
  node.chapter = kisumu->chapter();
  EXPECT_EQ(known.apply(signed_by_uganda(node)).error().code, "authority.scope");
}

TEST_F(Entitlement, ARevocationByAStrangersChapterHasNoEffect) {
  uganda->revoke(kisumu->id());
  Wire(*uganda, *global).run();
  EXPECT_FALSE(authority().is_revoked(kisumu->id()));
}

TEST_F(Entitlement, TheHighestCutHoldsAndAtOneRankTheShortest) {
  const FeedIntro intro = intro_of(*kisumu, Audience::up);
  const FeedId feed = feed_id(authority().federation(), encode(intro));
  Authority known = authority();
  const auto apply = [&](TestNode& by, std::uint64_t number, std::uint64_t seq) {
    const Statement statement{by.chapter(), number,
                              Revoke{kisumu->id(), {Head{feed, Sequence(seq), {}}}, "stolen"}};
    return known.apply(sign_statement(known.federation(), statement, *by.authority)).has_value();
  };
  // Every list must allow an entry: of several the shortest does.
  const auto shortest = [&] {
    Sequence seq(UINT64_MAX);
    for (const auto& heads : known.cuts(intro, feed)) seq = std::min(seq, heads.at(0).seq);
    return seq;
  };
  EXPECT_TRUE(known.cuts(intro, feed).empty());
  ASSERT_TRUE(apply(*kenya, 1, 9));
  ASSERT_TRUE(apply(*kenya, 2, 5));
  EXPECT_EQ(shortest(), Sequence(5));
  ASSERT_TRUE(apply(*global, 1, 7));
  EXPECT_EQ(shortest(), Sequence(7));
  // Only the chapter itself cuts what only it can read.
  EXPECT_TRUE(known.cuts(intro_of(*kisumu, Audience::chapter), feed).empty());
}

// What an authority says beyond what it may, or of what is not known here, and the code for it.
struct Scope : Entitlement {
  template <class Body>
  static std::string said(TestNode& by, const Body& body, const Authority& known) {
    Authority judge = known;
    const auto applied = judge.apply(
        sign_statement(known.federation(), Statement{by.chapter(), 5, body}, *by.authority));
    return applied ? "" : applied.error().code;
  }

  [[nodiscard]] ChapterCertificate certificate(TestNode& by, const std::string& code) const {
    ChapterCertificate made;
    made.code = code;
    made.chapter = chapter_id_below(by.chapter(), code);
    made.authority = by.authority->public_key();
    made.level = 3;
    made.above = authority().path_of(by.chapter()).above;
    made.above.push_back(by.chapter());
    return made;
  }

  Successor successor(const ChapterId& chapter, SuccessorBy by) {
    const SigningKey given = SigningKey::generate(random);
    Successor made;
    made.chapter = chapter;
    made.authority = given.public_key();
    made.by = by;
    if (by == SuccessorBy::recovery) made.recovery = SigningKey::generate(random).public_key();
    made.acceptance = accept_succession(authority().federation(), chapter, given);
    return made;
  }

  // Of a chapter below the parent that certified it so.
  [[nodiscard]] Move move(TestNode& parent, const ChapterCertificate& placed) const {
    Move made;
    made.certificate = sign_statement(authority().federation(),
                                      Statement{parent.chapter(), 5, placed}, *parent.authority);
    made.parent = parent.id();
    return made;
  }
};

TEST_F(Scope, AChapterIsCertifiedOnTheWayAndBelowTheLevelOfItsIssuer) {
  ChapterCertificate chapter = certificate(*uganda, "UG-1");
  EXPECT_EQ(said(*uganda, chapter, authority()), "");
  chapter.above = {global->chapter(), kenya->chapter()};
  EXPECT_EQ(said(*uganda, chapter, authority()), "authority.scope");
  chapter.above = {global->chapter(), kenya->chapter(), uganda->chapter()};
  EXPECT_EQ(said(*uganda, chapter, authority()), "authority.scope");
  chapter = certificate(*uganda, "UG-1");
  chapter.level = 1;  // that of Uganda
  EXPECT_EQ(said(*uganda, chapter, authority()), "authority.scope");
}

TEST_F(Scope, ANodeIsCertifiedForAChapterThatIsKnownAndAgreesToIt) {
  const SigningKey key = SigningKey::generate(random);
  NodeCertificate node;
  node.node = key.public_key();
  node.box = BoxKey::from_seed(key.seed()).public_key();
  node.chapter = chapter_id_below(uganda->chapter(), "nobody");
  node.name = "office";
  node.proof = prove_node(authority().federation(), node, key);
  EXPECT_EQ(said(*uganda, node, authority()), "authority.chapter");
  node.chapter = uganda->chapter();
  EXPECT_EQ(said(*uganda, node, authority()), "authority.scope") << "a proof for something else";
  node.proof = prove_node(authority().federation(), node, key);
  EXPECT_EQ(said(*uganda, node, authority()), "");
}

TEST_F(Scope, ASuccessorIsNamedByWhomItSays) {
  const Authority& known = authority();
  EXPECT_EQ(said(*kenya, successor(kenya->chapter(), SuccessorBy::rotation), known), "");
  EXPECT_EQ(said(*kenya, successor(kenya->chapter(), SuccessorBy::above), known),
            "authority.scope");
  EXPECT_EQ(said(*kenya, successor(kisumu->chapter(), SuccessorBy::rotation), known),
            "authority.scope");
  EXPECT_EQ(said(*kenya, successor(kenya->chapter(), SuccessorBy::recovery), known),
            "authority.signature");
  const ChapterId nobody = chapter_id_below(kenya->chapter(), "nobody");
  EXPECT_EQ(said(*kenya, successor(nobody, SuccessorBy::above), known), "authority.chapter");
}

TEST_F(Scope, AMoveSaysWhichKnownChapterGoesWhereAndNeverBelowItself) {
  ChapterCertificate placed = certificate(*uganda, "any");
  placed.chapter = kisumu->chapter();
  placed.code = "KE-17";
  EXPECT_EQ(said(*global, move(*uganda, placed), authority()), "");
  Move empty = move(*uganda, placed);
  empty.certificate = {1, 2, 3};
  EXPECT_NE(said(*global, empty, authority()), "");
  Move other = move(*uganda, placed);
  other.certificate = sign_statement(authority().federation(),
                                     Statement{uganda->chapter(), 5, Revoke{kenya->id(), {}, "x"}},
                                     *uganda->authority);
  EXPECT_EQ(said(*global, other, authority()), "authority.scope");
  placed.chapter = chapter_id_below(kenya->chapter(), "nobody");
  EXPECT_EQ(said(*global, move(*uganda, placed), authority()), "authority.chapter");
  ChapterCertificate circle = certificate(*kisumu, "any");
  circle.chapter = kenya->chapter();
  EXPECT_EQ(said(*global, move(*kisumu, circle), authority()), "authority.scope");
}

// Of a later program: it goes on its way and says nothing here.
TEST_F(Scope, AKindOfStatementThatNobodyKnowsHereHasNoEffect) {
  Authority known = authority();
  const std::uint64_t version = known.version();
  const UnknownStatement later{200, {1, 2, 3}};
  const auto applied = known.apply(sign_statement(
      known.federation(), Statement{global->chapter(), 1, later}, *global->authority));
  ASSERT_TRUE(applied);
  EXPECT_EQ(*applied, Applied::known);
  EXPECT_EQ(known.version(), version);
}

}  // namespace
}  // namespace chapterd
