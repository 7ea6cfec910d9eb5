// Bundles: the way there, the answer home, and what never travels in them.
#include "replication/format/limits.h"
#include "tests/support/bundles.h"
#include "tests/support/tree.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace chapterd {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): the nodes and their words

constexpr Address chapter{Audience::chapter, {}};

bool holds(ByteView bytes, std::string_view text) {
  return as_text(bytes).find(text) != std::string_view::npos;
}

// Two nodes that have never met, as after joining by files.
struct Bundle : Pair {
  std::size_t receipts(TestNode& author, Audience audience) {
    const KnownFeed* feed = author.directory->feed(author.head(audience).feed);
    return feed == nullptr ? 0 : author.store->receipts_of(feed->row).size();
  }

  // Much that Kenya has to say, in several files.
  std::vector<Bytes> several_parts() {
    write_noise(*kenya, up, 8000, 1000);
    BundlePlan plan;
    plan.recipients = {global->id()};
    plan.limit_bytes = part_bytes;
    return write_bundle(*kenya, plan);
  }

  static constexpr std::uint64_t part_bytes = 2 * limits::bundle_run_bytes;
};

TEST_F(Bundle, BringsWorkUpAndTheReceiptHome) {
  kenya->write_text(up, "insight", "title", "boats");
  const BundleOutcome there = read_bundle(*global, write_bundle(*kenya, *global));
  EXPECT_EQ(there.code, "");
  EXPECT_TRUE(there.complete);
  EXPECT_TRUE(there.refused.empty());
  EXPECT_EQ(global->values(Audience::up, "insight", "title"), Values{"boats"});
  EXPECT_EQ(receipts(*kenya, Audience::up), 0U);

  const BundleOutcome home = read_bundle(*kenya, write_bundle(*global, *kenya, BundleKind::ack));
  EXPECT_EQ(home.code, "");
  EXPECT_TRUE(home.complete);
  EXPECT_EQ(receipts(*kenya, Audience::up), 1U);
}

TEST_F(Bundle, CarriesWhatComesDownAndTheReceiptsWithIt) {
  kenya->write_text(up, "insight", "title", "boats");
  read_bundle(*global, write_bundle(*kenya, *global));
  global->write_text(all, "synthesis", "title", "boats everywhere");
  read_bundle(*kenya, write_bundle(*global, *kenya));
  EXPECT_EQ(kenya->values(Audience::all, "synthesis", "title"), Values{"boats everywhere"});
  EXPECT_EQ(receipts(*kenya, Audience::up), 1U);
}

// What was there before the two had met counts as not held there.
TEST_F(Bundle, BringsDownWhatIsOlderThanTheFirstMeeting) {
  global->write_text(all, "theme", "title", "immunisation");
  read_bundle(*global, write_bundle(*kenya, *global));
  read_bundle(*kenya, write_bundle(*global, *kenya));
  EXPECT_EQ(kenya->values(Audience::all, "theme", "title"), Values{"immunisation"});
}

TEST_F(Bundle, LeavesOutWhatTheOtherHasAcknowledged) {
  write_noise(*kenya, up, 200, 1000);
  const Bytes first = write_bundle(*kenya, *global);
  read_bundle(*global, first);
  // Until an answer comes nothing counts as arrived: a lost stick costs nothing but its bytes.
  EXPECT_GE(write_bundle(*kenya, *global).size(), first.size());
  read_bundle(*kenya, write_bundle(*global, *kenya, BundleKind::ack));
  EXPECT_LT(write_bundle(*kenya, *global).size(), first.size() / 10);
  kenya->write_text(up, "insight", "title", "one more");
  EXPECT_EQ(read_bundle(*global, write_bundle(*kenya, *global)).entries, 1U);
  EXPECT_EQ(global->values(Audience::up, "insight", "title"), Values{"one more"});
}

TEST_F(Bundle, AnAnswerFromARestoredNodeBringsBackWhatItLost) {
  read_bundle(*global, write_bundle(*kenya, *global));
  const Bytes empty_handed = write_bundle(*global, *kenya, BundleKind::ack);
  kenya->write_text(up, "insight", "title", "boats");
  read_bundle(*global, write_bundle(*kenya, *global));
  read_bundle(*kenya, write_bundle(*global, *kenya, BundleKind::ack));
  const std::size_t small = write_bundle(*kenya, *global).size();
  // What it says now it no longer has, counts.
  read_bundle(*kenya, empty_handed);
  EXPECT_GT(write_bundle(*kenya, *global).size(), small);
}

TEST_F(Bundle, DoubledOldAndReorderedOnesAreHarmless) {
  kenya->write_text(up, "insight", "title", "first");
  const Bytes first = write_bundle(*kenya, *global);
  kenya->write_text(up, "insight", "title", "second");
  const Bytes second = write_bundle(*kenya, *global);
  read_bundle(*global, second);
  const std::string view = global->view_hash();
  for (const Bytes* again : {&first, &second, &first}) {
    const BundleOutcome outcome = read_bundle(*global, *again);
    EXPECT_EQ(outcome.code, "");
    EXPECT_TRUE(outcome.refused.empty());
    EXPECT_EQ(outcome.entries, 0U);
  }
  EXPECT_EQ(global->view_hash(), view);
  EXPECT_EQ(global->values(Audience::up, "insight", "title"), Values{"second"});
}

TEST_F(Bundle, IsReadByNobodyElse) {
  kenya->write_text(up, "insight", "title", "boats");
  const Bytes file = write_bundle(*kenya, *global);
  auto uganda = TestNode::below(*global, "UG");
  auto office = TestNode::beside(*global);
  EXPECT_EQ(read_bundle(*uganda, file).code, "bundle.not-for-us");
  EXPECT_EQ(read_bundle(*office, file).code, "bundle.not-for-us");
  SeededRandom other(99);
  auto stranger = TestNode::founder(other, clock);
  EXPECT_EQ(read_bundle(*stranger, file).code, "federation.other");
}

TEST_F(Bundle, ALinkGoesOnWhereTheBundleEnded) {
  write_noise(*kenya, up, 300, 1000);
  const std::size_t whole = [&] {
    auto other = TestNode::below(*global, "UG");
    write_noise(*other, up, 300, 1000);
    return Wire(*other, *global).run();
  }();
  const BundleOutcome outcome = read_bundle(*global, write_bundle(*kenya, *global));
  EXPECT_TRUE(outcome.moved_cursor);
  Wire wire(*kenya, *global);
  EXPECT_LT(wire.run(), whole / 10);
  EXPECT_TRUE(wire.dialler().caught_up());
}

TEST_F(Bundle, ALargeOneComesInParts) {
  const std::vector<Bytes> parts = several_parts();
  ASSERT_GT(parts.size(), 1U);
  std::uint64_t entries = 0;
  for (const Bytes& part : parts) {
    EXPECT_LE(part.size(), part_bytes);
    const BundleOutcome outcome = read_bundle(*global, part);
    EXPECT_EQ(outcome.code, "");
    EXPECT_TRUE(outcome.complete);
    EXPECT_TRUE(outcome.moved_cursor);
    EXPECT_TRUE(outcome.refused.empty());
    entries += outcome.entries;
  }
  EXPECT_GT(entries, 8000U);
  EXPECT_EQ(global->view_hash(), kenya->view_hash());
}

// Parts in the wrong order: nothing is stored out of its place, and reading them again heals it.
TEST_F(Bundle, PartsInTheWrongOrderAreTakenOnceThoseBeforeThemAre) {
  const std::vector<Bytes> parts = several_parts();
  ASSERT_GT(parts.size(), 1U);
  const BundleOutcome early = read_bundle(*global, parts[1]);
  EXPECT_FALSE(early.refused.empty());
  EXPECT_FALSE(early.moved_cursor);
  EXPECT_EQ(early.refused.front(), "piece.gap");
  for (const Bytes& part : parts) read_bundle(*global, part);
  EXPECT_EQ(global->view_hash(), kenya->view_hash());
}

TEST_F(Bundle, WhatOnlyTheChapterMayHoldIsInNoBundleInAnyForm) {
  const std::string canary = "achieng@example.org";
  const std::string open_word = "boats-kept-vaccines";
  auto office = TestNode::beside(*kenya);
  Wire(*office, *kenya).run();
  kenya->write_text(chapter, "member", "email", canary);
  kenya->write_text(up, "insight", "title", open_word);
  for (TestNode* to : {global.get(), office.get()}) {
    const Bytes file = write_bundle(*kenya, *to);
    EXPECT_FALSE(holds(file, canary));
    EXPECT_FALSE(holds(file, open_word));
    const Bytes inside = testing::opened_bundle(*to, file);
    EXPECT_TRUE(holds(inside, open_word));
    EXPECT_FALSE(holds(inside, canary));
    const Head head = kenya->head(Audience::chapter);
    EXPECT_FALSE(holds(inside, as_text(head.feed.view())));
    EXPECT_FALSE(holds(inside, as_text(head.feed.view().first(8))));
  }
}

TEST_F(Bundle, ForSeveralBringsOnlyWhatAllOfThemMayHold) {
  auto uganda = TestNode::below(*global, "UG");
  Wire(*kenya, *global).run();
  Wire(*uganda, *global).run();
  Wire(*kenya, *global).run();
  kenya->write_text(up, "insight", "title", "for the line above");
  kenya->write_text(all, "finding", "title", "for everybody");
  BundlePlan plan;
  plan.recipients = {global->id(), uganda->id()};
  const Bytes file = write_bundle(*kenya, plan).at(0);
  for (TestNode* to : {global.get(), uganda.get()}) {
    const BundleOutcome outcome = read_bundle(*to, file);
    EXPECT_EQ(outcome.code, "");
    EXPECT_FALSE(outcome.moved_cursor);
    EXPECT_EQ(to->values(Audience::all, "finding", "title"), Values{"for everybody"});
    EXPECT_TRUE(to->values(Audience::up, "insight", "title").empty());
  }
}

TEST_F(Bundle, AFeedThatItsSenderMayNotHoldIsNotTakenFromIt) {
  auto uganda = TestNode::below(*global, "UG");
  kenya->write_text(up, "insight", "title", "for the line above");
  Wire(*kenya, *global).run();
  Wire(*uganda, *global).run();
  // Uganda hands on what it may not have.
  BundlePlace place;
  place.id = random.fixed<BundleId>();
  const KnownFeed& feed = *kenya->directory->feed(kenya->head(Audience::up).feed);
  const auto stored = kenya->store->pieces_of(feed.row, Sequence(1), 1);
  Segment segment;
  segment.audience = Audience::up;
  segment.pieces.push_back({0, feed.intro_bytes, stored.at(0).body});
  const Bytes content = encode(segment);
  const Bytes frames =
      encode(Frame(SegmentFrame{Audience::up, false, false, content.size(), content}));
  const BundleKey key = BundleKey::generate(random);
  BundleHeader header;
  header.federation = global->directory->authority().federation();
  header.id = place.id;
  header.sender = uganda->id();
  header.chain = uganda->directory->authority().chain(uganda->id());
  const auto box = BoxKey::from_seed(global->key->seed()).public_key();
  header.recipients.push_back(
      {global->id(), SealedBundleKey::from(seal_to(box, key.secret()).value()).value()});
  const Bytes head = sign_bundle_header(header, *uganda->key);
  const BoxKey own = global->box();
  auto reader = BundleReader::open(*global->directory, *global->store, &own, head);
  ASSERT_TRUE(reader);
  BundleProgress progress = reader->begin();
  BundleState state = progress.state;
  const auto run =
      reader->run({seal_chunk(key, state, ChunkEnd::last, frames, random)}, {}, progress);
  ASSERT_TRUE(run);
  EXPECT_EQ(run->pieces, 0U);
  ASSERT_EQ(run->window.refused.size(), 1U);
  EXPECT_EQ(run->window.refused[0].error.code, "feed.not-ours");
}

TEST_F(Bundle, IsNotWrittenForStrangersTheRevokedOrNobody) {
  const auto code = [&](std::vector<PublicKey> recipients) {
    const BundleWriter::Parts parts{*global->directory, *global->store, *global->key, random,
                                    clock.now()};
    BundlePlan plan;
    plan.recipients = std::move(recipients);
    const auto writer = BundleWriter::open(parts, plan);
    return writer ? "" : writer.error().code;
  };
  EXPECT_EQ(code({}), "bundle.no-recipient");
  EXPECT_EQ(code({global->id()}), "bundle.no-recipient");
  EXPECT_EQ(code({SigningKey::generate(random).public_key()}), "bundle.stranger");
  EXPECT_EQ(code(std::vector<PublicKey>(65, kenya->id())), "bundle.too-many");
  Wire(*kenya, *global).run();
  EXPECT_EQ(code({kenya->id()}), "");
  global->revoke(kenya->id());
  EXPECT_EQ(code({kenya->id()}), "bundle.stranger");
}

TEST_F(Bundle, OfARevokedNodeIsNotRead) {
  kenya->write_text(up, "insight", "title", "stolen words");
  Wire(*kenya, *global).run();
  const Bytes file = write_bundle(*kenya, *global);
  global->revoke(kenya->id());
  EXPECT_EQ(read_bundle(*global, file).code, "node.revoked");
}

TEST_F(Bundle, IsNotOpenedWhileTheKeyForItIsLocked) {
  kenya->write_text(up, "insight", "title", "boats");
  const Bytes file = write_bundle(*kenya, *global);
  const auto opened = BundleReader::open(*global->directory, *global->store, nullptr,
                                         ByteView(file).first(item_ends(file).front()));
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, "bundle.locked");
}

}  // namespace
}  // namespace chapterd
