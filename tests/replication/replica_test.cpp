// The one door for writes: what is staged, what is kept, what is refused.
#include "replication/replica.h"

#include "replication/forks.h"
#include "replication/format/limits.h"
#include "tests/support/tree.h"

#include <gtest/gtest.h>

namespace chapterd {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): the nodes and their words

struct OneNode : Pair {
  // The pieces of kenya's `up` feed as a peer would be sent them, with what a verifier needs.
  struct Sent {
    std::shared_ptr<FeedOffer> feed;
    std::vector<Piece> pieces;
    std::vector<Bytes> bodies;
  };

  Sent sent_by_kenya() {
    const KnownFeed& feed = *kenya->directory->feed(kenya->head(Audience::up).feed);
    Sent sent;
    sent.feed =
        std::make_shared<FeedOffer>(FeedOffer{feed.head.feed, feed.intro, feed.intro_bytes});
    for (const StoredPiece& stored : kenya->store->pieces_of(feed.row, Sequence(1), 1U << 30U)) {
      sent.bodies.push_back(stored.body);
      Piece piece = *decode_piece(sent.bodies.back());
      const Head end{feed.head.feed, piece.last(), stored.last};
      piece.checkpoint =
          sign_checkpoint(*kenya->key, kenya->directory->authority().federation(), end);
      sent.pieces.push_back(piece);
    }
    return sent;
  }

  [[nodiscard]] Result<VerifiedPiece> checked(const Sent& sent, const Bytes& bytes) {
    PieceVerifier verifier(global->directory->authority().federation());
    return verifier.verify(InboundPiece{sent.feed, Head{sent.feed->id, Sequence(0), {}}, bytes});
  }
};

TEST_F(OneNode, WhatIsCommittedIsThereAfterARestartAndTheFeedGoesOn) {
  kenya->write_text(up, "insight", "title", "before");
  const Head before = kenya->head(Audience::up);
  kenya->restart();
  EXPECT_EQ(kenya->head(Audience::up), before);
  kenya->write_text(up, "insight", "title", "after");
  EXPECT_EQ(kenya->head(Audience::up).seq, before.seq.next());
  EXPECT_EQ(kenya->values(Audience::up, "insight", "title"), Values{"after"});
  Wire(*kenya, *global).run();
  EXPECT_EQ(global->values(Audience::up, "insight", "title"), Values{"after"});
}

TEST_F(OneNode, WhatWasStagedAndNotCommittedIsGone) {
  kenya->write(up, a_change(record_named("insight"), "title", "lost"));
  kenya->restart();
  EXPECT_TRUE(kenya->values(Audience::up, "insight", "title").empty());
}

TEST_F(OneNode, AnEditInTheSameGroupSeesTheOneBefore) {
  kenya->write(up, a_change(record_named("insight"), "title", "first"));
  kenya->write_text(up, "insight", "title", "second");  // commits both
  EXPECT_EQ(kenya->values(Audience::up, "insight", "title"), Values{"second"});
}

TEST_F(OneNode, AChangeOverTheLimitIsRefusedAndTheNextOneGoesThrough) {
  const auto refused =
      kenya->replica->write(up, a_change(record_named("x"), "text", std::string(60'000, 'x')));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "change.too-large");
  EXPECT_FALSE(refused.error().next.empty());
  kenya->write_text(up, "insight", "title", "small");
  EXPECT_EQ(kenya->values(Audience::up, "insight", "title"), Values{"small"});
}

TEST_F(OneNode, ARebuildShowsTheSame) {
  for (int i = 0; i < 200; ++i) {
    kenya->write_text(up, "insight " + std::to_string(i % 50), "title",
                      "version " + std::to_string(i));
    kenya->write_text({Audience::chapter, {}}, "member " + std::to_string(i % 7), "name",
                      "n" + std::to_string(i));
  }
  Wire(*kenya, *global).run();
  const std::string before = kenya->view_hash();
  const std::string at_global = global->view_hash();
  EXPECT_EQ(kenya->replica->rebuild(), 401U);  // with the entry that hands out the key
  EXPECT_EQ(kenya->view_hash(), before);
  EXPECT_FALSE(kenya->replica->must_rebuild());
  EXPECT_TRUE(global->replica->rebuild());
  EXPECT_EQ(global->view_hash(), at_global);
}

TEST_F(OneNode, ARebuildThatWasCutShortIsNoticed) {
  kenya->write_text(up, "insight", "title", "kept");
  kenya->replica->set_value(stored_name::rebuilding, Bytes(8, 0));
  kenya->commit();
  kenya->store->drop_layers();
  kenya->restart();
  ASSERT_TRUE(kenya->replica->must_rebuild());
  EXPECT_TRUE(kenya->replica->rebuild());
  EXPECT_EQ(kenya->values(Audience::up, "insight", "title"), Values{"kept"});
}

TEST_F(OneNode, AnotherNodesKeyDoesNotOpenTheDatabase) {
  const SigningKey other = SigningKey::generate(random);
  const auto opened = Replica::open(*kenya->store, clock, random, other, *kenya->vault);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, "node.other-key");
}

TEST_F(OneNode, ALayerLinksToAllOfItsEntries) {
  for (int i = 0; i < 5; ++i) kenya->write_text(up, "insight", "title", std::to_string(i));
  Wire(*kenya, *global).run();
  for (TestNode* node : {kenya.get(), global.get()}) {
    const auto layers = node->store->layers_of(record_named("insight"));
    ASSERT_EQ(layers.size(), 1U);
    int entries = 0;
    for (Arrival at = layers[0].newest; at != Arrival(0); ++entries) {
      const auto piece = node->store->piece_at(at);
      ASSERT_TRUE(piece);
      ByteReader links(piece->links);
      std::uint64_t link = 0;
      for (std::uint64_t i = piece->arrival.value; i <= at.value; ++i) link = links.varint();
      at = Arrival(link);
    }
    EXPECT_EQ(entries, 5);
  }
}

// Every byte of a piece flipped: either it does not decode, or its signature does not hold.
TEST_F(OneNode, AnyChangedByteOfAPieceIsRefused) {
  for (int i = 0; i < 3; ++i)
    kenya->write(up, a_change(record_named("insight"), "title", std::to_string(i)));
  kenya->commit();
  const Sent sent = sent_by_kenya();
  ASSERT_EQ(sent.pieces.size(), 1U);
  const Bytes whole = encode(sent.pieces[0]);
  ASSERT_TRUE(checked(sent, whole));
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const unsigned mask : {0x01U, 0x80U}) {
      Bytes changed = whole;
      changed[at] = static_cast<std::uint8_t>(changed[at] ^ mask);
      EXPECT_FALSE(checked(sent, changed)) << "byte " << at;
    }
  }
}

TEST_F(OneNode, APieceUnderAnotherAuthorsNameIsRefused) {
  kenya->write_text(up, "insight", "title", "mine");
  Sent sent = sent_by_kenya();
  const Bytes whole = encode(sent.pieces[0]);
  auto offer = std::make_shared<FeedOffer>(*sent.feed);
  offer->intro.node = global->id();
  offer->intro_bytes = encode(offer->intro);
  offer->id = feed_id(global->directory->authority().federation(), offer->intro_bytes);
  sent.feed = offer;
  EXPECT_EQ(checked(sent, whole).error().code, "piece.signature");
}

TEST_F(OneNode, AGapIsNotStoredAndARepetitionChangesNothing) {
  kenya->write_text(up, "insight", "title", "one");
  kenya->write_text(up, "insight", "title", "two");
  const Sent sent = sent_by_kenya();
  ASSERT_EQ(sent.pieces.size(), 2U);
  EXPECT_EQ(checked(sent, encode(sent.pieces[1])).error().code, "piece.gap");
  Wire(*kenya, *global).run();
  const std::uint64_t entries = global->entries();
  auto again = checked(sent, encode(sent.pieces[0]));
  ASSERT_TRUE(again);
  ReceivedWindow window;
  window.peer = kenya->id();
  window.pieces.push_back(std::move(*again));
  EXPECT_TRUE(global->replica->receive(std::move(window)).refused.empty());
  global->commit();
  EXPECT_EQ(global->entries(), entries);
}

// Two links brought the same: the second one's piece begins before what is held by now.
TEST_F(OneNode, OfAPieceThatOverlapsOnlyTheNewEntriesAreTaken) {
  Wire(*kenya, *global).run();
  kenya->write(up, a_change(record_named("insight"), "title", "one"));
  kenya->write(up, a_change(record_named("insight"), "note", "two"));
  kenya->commit();
  const Sent before = sent_by_kenya();
  kenya->write(up, a_change(record_named("insight"), "more", "three"));
  kenya->commit();
  auto office = TestNode::beside(*kenya);
  Wire(*office, *kenya).run();  // joins all three into one piece
  const auto whole = office->store->pieces_of(
      office->directory->feed(kenya->head(Audience::up).feed)->row, Sequence(1), SIZE_MAX);
  ASSERT_EQ(whole.size(), 1U);
  ASSERT_EQ(whole[0].count, 3U);
  // Both were verified against nothing, then stored one after the other.
  auto first = checked(before, encode(before.pieces[0]));
  auto second = checked(before, whole[0].body);
  ASSERT_TRUE(first);
  ASSERT_TRUE(second);
  for (auto* piece : {&first, &second}) {
    ReceivedWindow window;
    window.peer = kenya->id();
    window.pieces.push_back(std::move(**piece));
    EXPECT_TRUE(global->replica->receive(std::move(window)).refused.empty());
    global->commit();
  }
  EXPECT_EQ(global->values(Audience::up, "insight", "more"), Values{"three"});
  const KnownFeed feed = *global->directory->feed(kenya->head(Audience::up).feed);
  EXPECT_EQ(feed.head, kenya->head(Audience::up));
  const auto stored = global->store->pieces_of(feed.row, Sequence(1), SIZE_MAX);
  ASSERT_EQ(stored.size(), 2U);
  EXPECT_EQ(stored[1].seq, Sequence(3));
}

// A second branch after the same entry: stored beside the first.
TEST_F(OneNode, ABranchOfAFeedStandsBesideWhatIsHeld) {
  kenya->write_text(up, "insight", "title", "one");
  Wire(*kenya, *global).run();
  const Head held = kenya->head(Audience::up);
  Piece branch;
  branch.first = Sequence(1);
  branch.seed = RunSeed{};
  const Bytes payload = encode(a_change(record_named("insight"), "title", "other"));
  for (int i = 0; i < 2; ++i) {
    PieceEntry entry;
    entry.payload = payload;
    entry.payload_bytes = static_cast<std::uint32_t>(payload.size());
    branch.entries.push_back(entry);
  }
  const auto hashes = chain(branch, held.feed, EntryHash{});
  branch.checkpoint = sign_checkpoint(*kenya->key, global->directory->authority().federation(),
                                      Head{held.feed, Sequence(2), hashes[1]});
  const Sent sent = sent_by_kenya();
  auto verified = checked(sent, encode(branch));
  ASSERT_TRUE(verified);
  ReceivedWindow window;
  window.peer = kenya->id();
  window.pieces.push_back(std::move(*verified));
  const Received received = global->replica->receive(std::move(window));
  EXPECT_TRUE(received.refused.empty());
  global->commit();
  EXPECT_EQ(global->values(Audience::up, "insight", "title").size(), 3U);
  const auto forked = forked_feeds(global->replica->directory());
  ASSERT_EQ(forked.size(), 1U);
  EXPECT_EQ(forked[0].node, kenya->id());
  EXPECT_EQ(forked[0].tips.size(), 2U);
  EXPECT_EQ(forked[0].shared, Sequence(0));
  EXPECT_FALSE(forked[0].closed);
}

// Signed, but no change at all, of a later format, or of a kind of entry from the future.
TEST_F(OneNode, AnEntryThatCannotBeReadIsKeptPassedOnAndHoldsUpNothing) {
  kenya->write_text(up, "insight", "title", "good");
  const Head held = kenya->head(Audience::up);
  Wire(*kenya, *global).run();
  const Bytes garbage{0xFF, 0x00, 0x01};
  const Bytes later = CborWriter().array(2).uint(2).text("from a later release").take();
  const Bytes good = encode(a_change(record_named("insight 2"), "title", "after it"));
  Piece piece;
  piece.first = held.seq.next();
  piece.seed = RunSeed{};
  for (const Bytes* payload : {&garbage, &later, &good}) {
    PieceEntry entry;
    entry.payload = *payload;
    entry.payload_bytes = static_cast<std::uint32_t>(payload->size());
    piece.entries.push_back(entry);
  }
  piece.entries.push_back(piece.entries.back());
  piece.entries.back().kind = static_cast<EntryKind>(9);
  const auto hashes = chain(piece, held.feed, held.hash);
  piece.checkpoint = sign_checkpoint(*kenya->key, global->directory->authority().federation(),
                                     Head{held.feed, piece.last(), hashes.back()});
  const Sent sent = sent_by_kenya();
  PieceVerifier verifier(global->directory->authority().federation());
  auto verified = verifier.verify(InboundPiece{sent.feed, held, encode(piece)});
  ASSERT_TRUE(verified);
  ReceivedWindow window;
  window.peer = kenya->id();
  window.pieces.push_back(std::move(*verified));
  EXPECT_TRUE(global->replica->receive(std::move(window)).refused.empty());
  global->commit();
  EXPECT_EQ(global->values(Audience::up, "insight 2", "title"), Values{"after it"});
  const auto pending = global->store->pending(Arrival(0), 10);
  ASSERT_EQ(pending.size(), 2U);
  EXPECT_EQ(pending[0].waits_for, "malformed");
  EXPECT_EQ(pending[1].waits_for, "format");
  const auto kept = global->store->piece_at(Arrival(global->entries()));
  EXPECT_EQ(global->directory->feed(held.feed)->head.seq, piece.last());
}

// Both requests are answered by one group of the writer: nothing is committed in between.
TEST_F(OneNode, AnInviteAdmitsOneKeyAlsoWithinOneGroup) {
  Invite invite;
  invite.federation = global->directory->authority().federation();
  invite.code = "ET";
  invite.chapter = chapter_id_below(global->chapter(), invite.code);
  invite.level = 1;
  invite.secret = random.fixed<InviteSecret>();
  invite.expires = clock.now().plus_ms(1000);
  const InviteId id = invite_id(invite.secret);
  global->replica->set_value(stored_invite_name(id),
                             encode(KeptInvite{invite, InviteState::open, {}}));
  global->commit();
  const auto ask = [&] {
    const SigningKey node = SigningKey::generate(random);
    const SigningKey authority = SigningKey::generate(random);
    const JoinRequest request{id, node.public_key(), authority.public_key(), {}, "machine"};
    return answer_join(*global->replica, *global->authority,
                       make_join_request(invite, request, node, authority), clock.now());
  };
  EXPECT_TRUE(ask());
  const auto second = ask();
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, "invite.used");
}

TEST_F(OneNode, AFeedOfAStrangerLeavesNoTrace) {
  const SigningKey stranger = SigningKey::generate(random);
  FeedIntro intro;
  intro.node = stranger.public_key();
  intro.home = {kenya->chapter(), {global->chapter()}};
  intro.audience = Audience::up;
  auto offer = std::make_shared<FeedOffer>();
  offer->intro = intro;
  offer->intro_bytes = encode(intro);
  const FederationId federation = global->directory->authority().federation();
  offer->id = feed_id(federation, offer->intro_bytes);
  const Bytes payload = encode(a_change(record_named("forged"), "title", "forged"));
  Piece piece;
  piece.first = Sequence(1);
  piece.seed = RunSeed{};
  PieceEntry entry;
  entry.payload = payload;
  entry.payload_bytes = static_cast<std::uint32_t>(payload.size());
  piece.entries.push_back(entry);
  const auto hashes = chain(piece, offer->id, EntryHash{});
  piece.checkpoint = sign_checkpoint(stranger, federation, Head{offer->id, Sequence(1), hashes[0]});
  PieceVerifier verifier(federation);
  auto verified =
      verifier.verify(InboundPiece{offer, Head{offer->id, Sequence(0), {}}, encode(piece)});
  ASSERT_TRUE(verified);
  ReceivedWindow window;
  window.peer = kenya->id();
  window.pieces.push_back(std::move(*verified));
  const std::size_t feeds = global->directory->feeds().size();
  const Received received = global->replica->receive(std::move(window));
  ASSERT_EQ(received.refused.size(), 1U);
  EXPECT_EQ(received.refused[0].error.code, "authority.unknown-node");
  global->commit();
  EXPECT_EQ(global->directory->feeds().size(), feeds);
}

}  // namespace
}  // namespace chapterd
