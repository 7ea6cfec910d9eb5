// A chapter with work under way goes below another parent: what everybody holds then.
#include "replication/entitlement.h"
#include "replication/session.h"
#include "tests/support/tree.h"

#include <gtest/gtest.h>

namespace chapterd {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): the nodes and their words

struct Moving : Tree {
  std::unique_ptr<TestNode> office = TestNode::below(*kisumu, "KE-17-1");

  // Nothing is refused, and nobody holds more than may be held there.
  static void meet(TestNode& child, TestNode& parent) {
    EXPECT_EQ(testing::meet(child, parent), "");
    for (TestNode* node : {&child, &parent}) {
      for (const KnownFeed& feed : node->replica->directory().feeds()) {
        EXPECT_TRUE(may_hold(node->replica->directory().authority(), node->id(), feed.intro));
      }
    }
  }

  void before_the_move() {
    for (int round = 0; round < 2; ++round) {
      meet(*office, *kisumu);
      meet(*kisumu, *kenya);
      meet(*kenya, *global);
      meet(*uganda, *global);
    }
  }

  void after_the_move() {
    for (int round = 0; round < 2; ++round) {
      meet(*office, *kisumu);
      meet(*kisumu, *uganda);
      meet(*uganda, *global);
      meet(*kenya, *global);
    }
  }

  // The global node knows it, and nobody else does yet.
  void approve() {
    const Authority& known = global->directory->authority();
    ChapterCertificate certificate = known.chapter(kisumu->chapter())->certificate;
    certificate.above = {global->chapter(), uganda->chapter()};
    Move body;
    body.certificate = sign_statement(
        known.federation(), Statement{uganda->chapter(), 2, certificate}, *uganda->authority);
    body.keys = known.keys_of(kisumu->chapter());
    body.parent = uganda->id();
    global->statement(Statement{global->chapter(), 2, body});
  }

  // KE-17 learns of it from below, so that what it wrote last has not left when it does.
  void move() {
    approve();
    Wire(*office, *global).run();
    Wire(*office, *kisumu).run();
    const std::vector<ChapterId> above = {global->chapter(), uganda->chapter()};
    ASSERT_EQ(kisumu->directory->authority().path_of(kisumu->chapter()).above, above);
  }
};

TEST_F(Moving, WhatWasWrittenBeforeStaysWithThoseOfBeforeAndTheRestGoesToThoseOfNow) {
  kisumu->write_text(up, "old", "title", "before");
  kisumu->write_text(all, "public", "title", "for all");
  kisumu->write_text(down, "guidance", "title", "boil");
  before_the_move();
  kisumu->write_text(up, "unsent", "title", "a draft");
  move();
  kisumu->write_text(up, "new", "title", "after");
  kisumu->write_text(down, "guidance", "title", "boil longer");
  office->write_text(up, "report", "title", "from below");
  after_the_move();

  EXPECT_EQ(title(*kenya, Audience::up, "old"), Values{"before"});
  EXPECT_EQ(title(*kenya, Audience::up, "new"), Values{});
  EXPECT_EQ(title(*kenya, Audience::up, "report"), Values{});
  EXPECT_EQ(title(*uganda, Audience::up, "old"), Values{});
  EXPECT_EQ(title(*uganda, Audience::up, "new"), Values{"after"});
  EXPECT_EQ(title(*uganda, Audience::up, "report"), Values{"from below"});
  for (const char* record : {"old", "new", "report"})
    EXPECT_EQ(title(*global, Audience::up, record).size(), 1U) << record;
  for (TestNode* node : {kenya.get(), uganda.get(), global.get()}) {
    EXPECT_EQ(title(*node, Audience::up, "unsent"), Values{});
    EXPECT_EQ(title(*node, Audience::all, "public"), Values{"for all"});
  }
  EXPECT_EQ(title(*kisumu, Audience::up, "unsent"), Values{"a draft"});
  EXPECT_EQ(title(*office, Audience::down, "guidance"), Values{"boil longer"});
}

// What the window stores as its place in the other one's log.
bool passes_over(const InboundWindow& window, TestNode& log) {
  constexpr auto live = static_cast<std::size_t>(Lane::live);
  return window.held && window.held->arrivals[live] >= log.directory->arrival();
}

// The chapter has not heard of its move, and the node that it calls has: that one begins with what
// is new, and lets the digests find the rest.
TEST_F(Moving, ACursorDoesNotPassOverWhatIsLeftOutForAChapterThatMovedUnawares) {
  before_the_move();
  kenya->write_text(all, "public", "title", "for all");
  approve();
  Wire(*kenya, *global).run();
  Session dialler(kisumu->context(), kenya->id(), {Side::dialler, 0, false}, clock.now());
  Session listener(kenya->context(), kisumu->id(), {}, clock.now());
  ASSERT_TRUE(listener.receive(dialler.take_output(), clock.now()));
  ASSERT_TRUE(dialler.receive(listener.take_output(), clock.now()));
  ASSERT_EQ(dialler.state(), SessionState::open);
  EXPECT_FALSE(passes_over(dialler.take_inbound(), *kenya));
}

// Its new parent has heard of it first, and offers at once what is for those below it.
TEST_F(Moving, WhatWasRefusedBeforeAChapterHeardOfItsMoveComesOnTheSameLink) {
  before_the_move();
  uganda->write_text(down, "guidance", "title", "boil");
  approve();
  meet(*uganda, *global);
  Wire(*kisumu, *uganda).run();
  EXPECT_EQ(title(*kisumu, Audience::down, "guidance"), Values{"boil"});
}

TEST_F(Moving, AFeedEndsOnceAndItsSuccessorNamesIt) {
  kisumu->write_text(up, "old", "title", "before");
  before_the_move();
  move();
  const Head ended = kisumu->head(Audience::up);
  EXPECT_EQ(ended.seq, Sequence(2));
  const auto pieces =
      kisumu->store->pieces_of(kisumu->directory->feed(ended.feed)->row, Sequence(2), 1);
  EXPECT_EQ(decode_piece(pieces.front().body)->entries.back().kind, EntryKind::end_of_feed);
  kisumu->write_text(up, "new", "title", "after");
  kisumu->restart();
  kisumu->write_text(up, "new", "title", "after a restart");
  EXPECT_EQ(own_feeds(*kisumu, Audience::up), 2U);
  EXPECT_EQ(kisumu->head(Audience::up), ended);
  const KnownFeed& next = kisumu->replica->directory().feeds().back();
  const std::vector<Predecessor> expected = {{ended, Continues::move}};
  EXPECT_EQ(next.intro.predecessors, expected);
}

TEST_F(Moving, AChapterThatGoesBackBeginsNewFeedsAgain) {
  kisumu->write_text(up, "old", "title", "before");
  before_the_move();
  move();
  kisumu->write_text(up, "abroad", "title", "in Uganda");
  after_the_move();
  const Authority& known = global->directory->authority();
  ChapterCertificate certificate = known.chapter(kisumu->chapter())->certificate;
  certificate.above = {global->chapter(), kenya->chapter()};
  Move body;
  body.certificate = sign_statement(known.federation(), Statement{kenya->chapter(), 3, certificate},
                                    *kenya->authority);
  body.keys = known.keys_of(kisumu->chapter());
  body.parent = kenya->id();
  global->statement(Statement{global->chapter(), 3, body});
  after_the_move();
  kisumu->write_text(up, "back", "title", "home again");
  before_the_move();
  EXPECT_EQ(own_feeds(*kisumu, Audience::up), 3U);
  EXPECT_EQ(title(*kenya, Audience::up, "back"), Values{"home again"});
  EXPECT_EQ(title(*kenya, Audience::up, "abroad"), Values{});
  EXPECT_EQ(title(*uganda, Audience::up, "back"), Values{});
  EXPECT_EQ(title(*uganda, Audience::up, "abroad"), Values{"in Uganda"});
}

// A session that was open all along: from the moment that both know of it.
TEST_F(Moving, TheParentThatWasLeftSendsNothingMoreThatIsForThoseBelowIt) {
  kenya->write_text(down, "guidance", "title", "boil");
  before_the_move();
  Wire wire(*kisumu, *kenya);
  wire.run();
  ASSERT_EQ(title(*kisumu, Audience::down, "guidance"), Values{"boil"});
  move();
  wire.announce();
  wire.run();
  meet(*kenya, *global);
  wire.announce();
  kenya->write_text(down, "guidance", "title", "boil longer");
  kenya->write_text(all, "news", "title", "for everybody");
  wire.announce();
  wire.run();
  EXPECT_EQ(title(*kisumu, Audience::down, "guidance"), Values{"boil"});
  EXPECT_EQ(title(*kisumu, Audience::all, "news"), Values{"for everybody"});
}

// It learns that it was rolled back once it has moved, and what it wrote before had not left it.
TEST_F(Moving, WhatIsChainedAnewGoesToThoseForWhomItWasWritten) {
  before_the_move();
  kisumu->restart();
  kisumu->write_text(up, "draft", "title", "to Kenya");
  move();
  kisumu->write_text(up, "abroad", "title", "to Uganda");
  ReceivedWindow told;
  told.peer = uganda->id();
  told.meeting.emplace().rolled_back = true;
  kisumu->replica->receive(std::move(told));
  kisumu->commit();
  for (int call = 0; call < 2; ++call) Wire(*kisumu, *uganda).run();  // it waits for the one above
  after_the_move();
  EXPECT_EQ(title(*uganda, Audience::up, "draft"), Values{});
  EXPECT_EQ(title(*uganda, Audience::up, "abroad"), Values{"to Uganda"});
  EXPECT_EQ(title(*kisumu, Audience::up, "draft"), Values{"to Kenya"});
  EXPECT_EQ(title(*global, Audience::up, "draft"), Values{});
  kisumu->write_text(up, "abroad", "title", "more");
  after_the_move();
  EXPECT_EQ(title(*uganda, Audience::up, "abroad"), Values{"more"});
}

// What its chapter lost is only at one that left it.
TEST_F(Moving, WhatIsForThoseBelowComesBackFromOneThatWasBelow) {
  kenya->write_text(down, "guidance", "title", "boil");
  before_the_move();
  move();
  meet(*kenya, *global);
  auto anew = TestNode::beside(*kenya);
  Wire(*kisumu, *global).run();
  Wire(*kisumu, *anew).run();
  EXPECT_EQ(title(*anew, Audience::down, "guidance"), Values{"boil"});
}

}  // namespace
}  // namespace chapterd
