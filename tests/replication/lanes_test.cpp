// Sessions of which one side wants less than everything.
#include "replication/session.h"
#include "tests/support/liar.h"
#include "tests/support/tree.h"

#include <gtest/gtest.h>

namespace chapterd {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): nodes and their lies

// Kenya has saved too much today already.
struct Saving : Tree {
  // Everybody has met, and a receipt of the global node waits at Kenya for Kisumu.
  void SetUp() override {
    Wire(*kenya, *global).run();
    Wire(*kisumu, *kenya).run();
    kisumu->write_text(up, "insight", "title", "from the ground");
    Wire(*kisumu, *kenya).run();
    Wire(*kenya, *global).run();
    global->write_text(all, "synthesis", "title", "from the top");
    Wire(*kenya, *global).run();
  }
};

TEST_F(Saving, RevocationsAndReceiptsGoAndTheRestWaits) {
  kisumu->write_text(up, "insight", "title", "later");
  Wire(*uganda, *global).run();
  global->revoke(uganda->id());
  Wire(*kenya, *global).run();
  ASSERT_EQ(receipts_by(*global, *kisumu), 0U);
  Wire wire(*kisumu, *kenya, Lanes::without_bulk);
  wire.run();
  EXPECT_EQ(wire.listener().lanes(), Lanes::without_bulk);
  EXPECT_TRUE(wire.dialler().agrees());
  EXPECT_FALSE(wire.dialler().caught_up());
  EXPECT_FALSE(wire.listener().caught_up());
  EXPECT_TRUE(kisumu->directory->authority().is_revoked(uganda->id()));
  EXPECT_GT(receipts_by(*global, *kisumu), 0U);
  EXPECT_EQ(kenya->values(Audience::up, "insight", "title"), Values{"from the ground"});
  EXPECT_EQ(kisumu->values(Audience::all, "synthesis", "title"), Values{});

  Wire tomorrow(*kisumu, *kenya);
  tomorrow.run();
  EXPECT_TRUE(tomorrow.dialler().caught_up());
  EXPECT_EQ(kenya->values(Audience::up, "insight", "title"), Values{"later"});
  EXPECT_EQ(kisumu->values(Audience::all, "synthesis", "title"), Values{"from the top"});
}

// Whatever is asked for by WANT as well.
TEST_F(Saving, WhoAsksForMoreAllTheSameGetsNothing) {
  Wire wire(*kisumu, *kenya, Lanes::without_bulk);
  wire.run();
  const FeedId feed = global->head(Audience::all).feed;
  wire.say_to_listener(WantFrame{{{short_name(feed), Sequence(1)}}});
  wire.run();
  EXPECT_EQ(wire.listener().state(), SessionState::open);
  EXPECT_EQ(kisumu->directory->feed(feed), nullptr);
}

TEST_F(Saving, WhatALiarSendsAllTheSameIsNotTaken) {
  kisumu->write_text(up, "insight", "title", "unasked");
  const StoredPeer before = kenya->store->peers().back();
  Wire wire(*kisumu, *kenya, Lanes::without_bulk);
  wire.run();
  wire.say_to_listener(segment_of(*kisumu, Audience::up));
  wire.say_to_listener(MarkFrame{2, Arrival(1'000'000)});
  wire.say_to_listener(EndFrame{{Arrival(1'000'000), Arrival(1'000'000), Arrival(1'000'000)}, {}});
  EXPECT_EQ(wire.listener().state(), SessionState::open);
  EXPECT_EQ(kenya->values(Audience::up, "insight", "title"), Values{"from the ground"});
  EXPECT_EQ(kenya->store->peers().back().held[2], before.held[2]);
}

// The least that one of both wants holds.
TEST_F(Saving, ANodeThatWaitsIsNotSentReceiptsEither) {
  std::filesystem::remove(kenya->folder.file("instance"));
  kenya->restart();
  Wire wire(*kisumu, *kenya, Lanes::without_bulk);
  wire.run();
  EXPECT_EQ(wire.dialler().lanes(), Lanes::statements);
  EXPECT_EQ(receipts_by(*global, *kisumu), 0U);
}

// As a child calls a node further up, to learn what its parent may keep back.
TEST_F(Saving, AnAncestorFurtherUpTellsOfARevocationThatTheParentKeepsBack) {
  global->revoke(kenya->id());
  Wire(*kisumu, *kenya).run();  // Kenya has not heard of it, or says nothing
  ASSERT_FALSE(kisumu->directory->authority().is_revoked(kenya->id()));
  global->write_text(all, "news", "title", "from the top");
  Wire wire(*kisumu, *global, Lanes::statements);
  wire.run();
  EXPECT_TRUE(wire.dialler().agrees());
  EXPECT_TRUE(kisumu->directory->authority().is_revoked(kenya->id()));
  EXPECT_EQ(kisumu->values(Audience::all, "news", "title"), Values{});
  EXPECT_LT(wire.bytes(), 8'000U);
}

TEST_F(Saving, ReceiptsThatALiarSendsAmongStatementsAreNotTaken) {
  Wire wire(*kisumu, *global, Lanes::statements);
  wire.run();
  wire.say_to_dialler(receipt_by(*global, kisumu->head(Audience::up)));
  EXPECT_EQ(wire.dialler().state(), SessionState::open);
  EXPECT_EQ(receipts_by(*global, *kisumu), 0U);
}

}  // namespace
}  // namespace chapterd
