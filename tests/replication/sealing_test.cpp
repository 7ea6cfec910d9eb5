// What only a chapter may read: sealed on its disks, shared by its nodes, waiting while locked.
#include "replication/format/limits.h"
#include "replication/session.h"
#include "replication/vault.h"
#include "tests/support/erasing.h"
#include "tests/support/tree.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace chapterd {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): the nodes and their words

constexpr const char* marker = "achieng-0722-marker";

struct Sealing : Pair {
  static bool lies_open(const TestNode& node, const std::string& text) {
    for (const auto& file : std::filesystem::directory_iterator(node.folder.path())) {
      std::ifstream in(file.path(), std::ios::binary);
      const std::string bytes{std::istreambuf_iterator<char>(in), {}};
      if (bytes.find(text) != std::string::npos) return true;
    }
    return false;
  }

  static Values phones(TestNode& node) { return node.values(Audience::chapter, "member", "phone"); }

  // The entries of the chapter's feeds that this node has, sealed ones.
  static std::vector<std::pair<FeedIntro, PieceEntry>> sealed_entries(
      TestNode& node, std::vector<StoredPiece>& pieces) {
    std::vector<std::pair<FeedIntro, PieceEntry>> entries;
    for (const KnownFeed& feed : node.replica->directory().feeds()) {
      if (feed.intro.audience != Audience::chapter) continue;
      for (StoredPiece& stored : node.store->pieces_of(feed.row, Sequence(1), SIZE_MAX)) {
        pieces.push_back(std::move(stored));
        const auto piece = decode_piece(pieces.back().body);
        for (const PieceEntry& entry : piece->entries) {
          if (entry.kind == EntryKind::data) entries.emplace_back(feed.intro, entry);
        }
      }
    }
    return entries;
  }
};

TEST_F(Sealing, NothingPrivateLiesOpenOnTheDisk) {
  kenya->write_text(home, "member", "phone", marker);
  kenya->write_text(up, "insight", "title", "shared-marker");
  EXPECT_EQ(phones(*kenya), Values{marker});
  EXPECT_FALSE(lies_open(*kenya, marker));
  EXPECT_TRUE(lies_open(*kenya, "shared-marker"));
  kenya->restart();
  EXPECT_EQ(phones(*kenya), Values{marker});
  EXPECT_FALSE(lies_open(*kenya, marker));
}

TEST_F(Sealing, TwoNodesOfAChapterReadEachOthers) {
  kenya->write_text(home, "member", "phone", "one");
  auto office = TestNode::beside(*kenya);
  office->write_text(home, "member", "email", "two");  // before it has met the first
  for (int i = 0; i < 2; ++i) Wire(*office, *kenya).run();
  EXPECT_EQ(phones(*office), Values{"one"});
  EXPECT_EQ(kenya->values(Audience::chapter, "member", "email"), Values{"two"});
  EXPECT_EQ(kenya->view_hash(), office->view_hash());
  // After the restart of both they still do, and one key is enough for what comes.
  office->restart();
  office->write_text(home, "member", "phone", "three");
  Wire(*office, *kenya).run();
  EXPECT_EQ(phones(*kenya), Values{"three"});
}

// Nobody but the node that it is for can see that a key does not open.
TEST_F(Sealing, AStolenNodeThatClaimsToHaveHandedOutAKeyDelaysItOnlyUntilItIsRevoked) {
  kenya->write_text(home, "member", "phone", "one");
  auto laptop = TestNode::beside(*kenya);
  laptop->write_text(home, "member", "email", "two");
  for (int i = 0; i < 2; ++i) Wire(*laptop, *kenya).run();
  auto office = TestNode::beside(*kenya);
  std::vector<KeyWrap> claims;
  for (const auto& key : kenya->replica->vault().keys()->keys)
    claims.push_back({key->name, office->id(), {}});
  testing::send_forced(*laptop, *kenya, laptop->head(Audience::chapter).feed, EntryKind::key,
                       encode(claims));
  for (int i = 0; i < 2; ++i) Wire(*office, *kenya).run();
  EXPECT_EQ(phones(*office), Values{});
  kenya->revoke(laptop->id(), {laptop->head(Audience::chapter)});
  for (int i = 0; i < 2; ++i) Wire(*office, *kenya).run();
  EXPECT_EQ(phones(*office), Values{"one"});
  office->restart();
  EXPECT_EQ(phones(*office), Values{"one"});
}

TEST_F(Sealing, ALockedNodeExchangesAndHoldsWhatIsPrivateUntilItIsUnlocked) {
  kenya->write_text(home, "member", "phone", "before");
  auto office = TestNode::beside(*kenya);
  for (int i = 0; i < 2; ++i) Wire(*office, *kenya).run();
  office->lock();
  EXPECT_TRUE(office->replica->vault().is_locked());
  const Change change = a_change(record_named("x"), "phone", "y");
  const auto refused = office->replica->write(home, change);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "chapter.locked");
  EXPECT_FALSE(refused.error().next.empty());
  kenya->write_text(home, "member", "phone", "after");
  kenya->write_text(up, "insight", "title", "shared");
  Wire(*office, *kenya).run();
  EXPECT_EQ(office->values(Audience::up, "insight", "title"), Values{"shared"});
  const auto waiting = office->store->pending(Arrival(0), 10);
  ASSERT_EQ(waiting.size(), 1U);
  EXPECT_EQ(waiting.front().waits_for, waits_for_key);
  for (const HeldLayer& held : office->replica->layers_of(record_named("member")))
    EXPECT_EQ(is_sealed(held.layer.state), held.space.audience == Audience::chapter);
  // What waits is passed on: a third node gets it from this one.
  auto third = TestNode::beside(*kenya);
  Wire(*third, *office).run();
  office->unlock();
  EXPECT_EQ(phones(*office), Values{"after"});
  EXPECT_TRUE(office->store->pending(Arrival(0), 10).empty());
  EXPECT_EQ(office->view_hash(), kenya->view_hash());
}

// Whether it is unlocked before, between or after what arrives and is erased, and how often it is
// rebuilt.
TEST_F(Sealing, ViewsAreTheSameWheneverItIsUnlocked) {
  auto office = TestNode::beside(*kenya);
  for (int i = 0; i < 2; ++i) Wire(*office, *kenya).run();
  std::vector<std::unique_ptr<TestNode>> nodes;
  for (int i = 0; i < 4; ++i) nodes.push_back(TestNode::beside(*kenya));
  for (auto& node : nodes) {
    for (int i = 0; i < 2; ++i) Wire(*node, *kenya).run();
  }
  for (int step = 0; step < 60; ++step) {
    TestNode& author = step % 3 == 0 ? *office : *kenya;
    const std::string record = "member" + std::to_string(random.number() % 5);
    const std::string field = "f" + std::to_string(random.number() % 3);
    author.write_text(random.number() % 4 == 0 ? up : home, record, field, std::to_string(step));
    if (random.number() % 3 == 0) Wire(*office, *kenya).run();
    if (step % 8 == 7) testing::erase_some(*kenya, home, record, random);
    TestNode& node = *nodes[random.number() % nodes.size()];
    switch (random.number() % 4) {
      case 0:
        node.lock();
        break;
      case 1:
        node.unlock();
        break;
      case 2:
        ASSERT_TRUE(node.replica->rebuild());
        break;
      default:
        Wire(node, random.number() % 2 == 0 ? *kenya : *office).run();
    }
  }
  Wire(*office, *kenya).run();
  for (auto& node : nodes) {
    Wire(*node, *kenya).run();
    node->unlock();
    EXPECT_TRUE(node->store->pending(Arrival(0), 10).empty());
    EXPECT_EQ(node->view_hash(), kenya->view_hash());
    for (const std::string record : {"member0", "member1", "member2", "member3", "member4"})
      for (const HeldLayer& held : node->replica->layers_of(record_named(record)))
        EXPECT_FALSE(is_sealed(held.layer.state));
  }
  // Their links are whole: a rebuild from the records' own entries gives the same.
  for (auto& node : nodes) {
    ASSERT_TRUE(node->replica->rebuild());
    EXPECT_EQ(node->view_hash(), kenya->view_hash());
  }
}

TEST_F(Sealing, WhatARevokedNodeKnowsOpensNothingLater) {
  kenya->write_text(home, "member", "phone", "before");
  auto stolen = TestNode::beside(*kenya);
  auto office = TestNode::beside(*kenya);
  for (int i = 0; i < 2; ++i) {
    Wire(*stolen, *kenya).run();
    Wire(*office, *kenya).run();
  }
  ASSERT_EQ(phones(*stolen), Values{"before"});
  kenya->revoke(stolen->id());
  kenya->write_text(home, "member", "phone", "after");
  for (int i = 0; i < 2; ++i) Wire(*office, *kenya).run();
  EXPECT_EQ(phones(*office), Values{"after"});
  office->write_text(home, "member", "phone", "later");
  // The thief gets hold of the sealed bytes all the same.
  const auto keys = stolen->replica->vault().keys();
  std::size_t opened = 0;
  std::size_t shut = 0;
  std::vector<StoredPiece> pieces;
  for (const auto& [intro, entry] : sealed_entries(*office, pieces)) {
    Bytes plain;
    ChangeView change;
    const bool open = read_change(keys.get(), intro, entry, plain, change) == ChangeVerdict::good;
    (open ? opened : shut) += 1;
  }
  EXPECT_EQ(opened, 1U);
  EXPECT_EQ(shut, 2U);
}

TEST_F(Sealing, ARevocationWhileLockedStartsTheNextKeyToo) {
  kenya->write_text(home, "member", "phone", "before");
  auto stolen = TestNode::beside(*kenya);
  for (int i = 0; i < 2; ++i) Wire(*stolen, *kenya).run();
  kenya->lock();
  kenya->revoke(stolen->id());
  kenya->unlock();
  kenya->write_text(home, "member", "phone", "after");
  const auto keys = stolen->replica->vault().keys();
  std::vector<StoredPiece> pieces;
  const auto entries = sealed_entries(*kenya, pieces);
  Bytes plain;
  ChangeView change;
  EXPECT_EQ(read_change(keys.get(), entries.back().first, entries.back().second, plain, change),
            ChangeVerdict::sealed);
  EXPECT_EQ(phones(*kenya), Values{"after"});
}

// The cut of a revocation reaches a node while nobody can say which private records it touches.
TEST_F(Sealing, ACutThatCameWhileLockedIsFollowedOnceItIsUnlocked) {
  auto stolen = TestNode::beside(*kenya);
  kenya->write_text(home, "member", "phone", "kept");
  for (int i = 0; i < 2; ++i) Wire(*stolen, *kenya).run();
  auto office = TestNode::beside(*kenya);
  for (int i = 0; i < 2; ++i) Wire(*office, *kenya).run();
  const Head cut = stolen->head(Audience::chapter);
  stolen->write_text(home, "member", "phone", "by the thief");
  for (int i = 0; i < 2; ++i) {
    Wire(*stolen, *kenya).run();
    Wire(*office, *kenya).run();
  }
  ASSERT_EQ(phones(*office), Values{"by the thief"});
  office->lock();
  kenya->revoke(stolen->id(), cut.seq == Sequence(0) ? std::vector<Head>{} : std::vector{cut});
  ASSERT_EQ(phones(*kenya), Values{"kept"});
  Wire(*office, *kenya).run();
  office->unlock();
  EXPECT_EQ(phones(*office), Values{"kept"});
  EXPECT_EQ(office->view_hash(), kenya->view_hash());
}

TEST_F(Sealing, ANodeThatTheParentAppointedGetsNoKey) {
  kenya->write_text(home, "member", "phone", "private");
  SigningKey key = SigningKey::generate(random);
  NodeCertificate certificate;
  certificate.node = key.public_key();
  certificate.box = BoxKey::from_seed(key.seed()).public_key();
  certificate.chapter = kenya->chapter();
  certificate.name = "spy";
  certificate.proof =
      prove_node(kenya->replica->directory().authority().federation(), certificate, key);
  global->statement(Statement{global->chapter(), 1, certificate});
  Wire(*kenya, *global).run();
  ASSERT_NE(kenya->replica->directory().authority().node(key.public_key()), nullptr);
  const std::string mine = to_hex(kenya->id().view());
  for (const NamedValue& wrap : kenya->store->values(stored_name::wrap_prefix))
    EXPECT_TRUE(wrap.name.ends_with(mine)) << wrap.name;
}

TEST_F(Sealing, AChangeForTheChapterThatIsNotSealedIsNotApplied) {
  const Change change = a_change(record_named("x"), "phone", "open");
  const Bytes payload = encode(change);
  PieceEntry entry;
  entry.payload = payload;
  FeedIntro intro;
  intro.audience = Audience::chapter;
  intro.home.chapter = kenya->chapter();
  Bytes opened;
  ChangeView view;
  const auto keys = kenya->replica->vault().keys();
  EXPECT_EQ(read_change(keys.get(), intro, entry, opened, view), ChangeVerdict::malformed);
  intro.audience = Audience::up;
  EXPECT_EQ(read_change(keys.get(), intro, entry, opened, view), ChangeVerdict::good);
}

// The order reaches one node while it can read the words, one that is locked, and one that never
// had the key.
TEST_F(Sealing, WhatIsErasedIsGoneWhereNobodyCouldReadItToo) {
  kenya->write_text(home, "member", "phone", "kept");
  kenya->write_text(home, "member", "phone", marker);
  kenya->write_text(home, "other", "phone", marker);
  auto office = TestNode::beside(*kenya);
  auto reader = TestNode::beside(*kenya);
  for (int i = 0; i < 2; ++i) {
    Wire(*office, *kenya).run();
    Wire(*reader, *kenya).run();
  }
  auto late = TestNode::beside(*kenya);
  late->lock();
  office->lock();
  erase_texts(*kenya, home, "member", "phone", marker);
  erase_texts(*kenya, home, "other", "phone", marker);
  EXPECT_EQ(phones(*kenya), Values{});
  for (int i = 0; i < 2; ++i) {
    for (TestNode* node : {office.get(), reader.get(), late.get()}) Wire(*node, *kenya).run();
  }
  ASSERT_TRUE(late->replica->rebuild());
  for (TestNode* node : {office.get(), late.get()}) {
    std::vector<StoredPiece> pieces;
    std::size_t erased = 0;
    for (const auto& [intro, entry] : sealed_entries(*node, pieces)) erased += entry.erased ? 1 : 0;
    EXPECT_EQ(erased, 2U);
    node->unlock();
  }
  for (TestNode* node : {office.get(), reader.get(), late.get()}) {
    EXPECT_EQ(phones(*node), Values{});
    EXPECT_TRUE(node->store->pending(Arrival(0), 10).empty());
    EXPECT_EQ(node->view_hash(), kenya->view_hash());
    ASSERT_TRUE(node->replica->rebuild());
    EXPECT_EQ(node->view_hash(), kenya->view_hash());
  }
}

// A copied database becomes a node of its own: it reads what is private, and its own from now on.
TEST_F(Sealing, ANewNodeMadeOfACopyReadsWhatWasPrivateAndTakesOverWhatWasNotSent) {
  kenya->write_text(home, "member", "phone", marker);
  SigningKey key = SigningKey::generate(random);
  const auto& authority = kenya->replica->directory().authority();
  std::vector<Bytes> chain = authority.chain(kenya->id());
  NodeCertificate certificate;
  certificate.node = key.public_key();
  certificate.box = kenya->box().public_key();
  certificate.chapter = kenya->chapter();
  certificate.name = "copy";
  certificate.proof = prove_node(authority.federation(), certificate, key);
  chain.back() = sign_statement(authority.federation(), Statement{kenya->chapter(), 1, certificate},
                                *kenya->authority);
  const BoxKey box = kenya->box();
  kenya->lock();
  const auto taken = kenya->replica->hand_over(
      key.public_key(), ExportMark{random.fixed<InstanceToken>(), 1}, Unsent::take);
  EXPECT_FALSE(taken.empty());
  kenya->replica.reset();
  auto heir = Replica::open(*kenya->store, clock, random, key, *kenya->vault);
  ASSERT_TRUE(heir) << heir.error().what;
  ASSERT_TRUE((*heir)->introduce(chain));
  (*heir)->commit();
  ASSERT_TRUE((*heir)->unlock(BoxKey::from_seed(kenya->key->seed())));
  (*heir)->commit();
  (*heir)->take_over(taken);
  (*heir)->commit();
  const auto layers = (*heir)->layers_of(record_named("member"));
  ASSERT_EQ(layers.size(), 1U);
  EXPECT_NE(as_text(layers.front().layer.state).find(marker), std::string_view::npos);
  ASSERT_TRUE((*heir)->rebuild());
  EXPECT_FALSE((*heir)->layers_of(record_named("member")).empty());
  heir->reset();
  EXPECT_FALSE(lies_open(*kenya, marker));
}

TEST_F(Sealing, AnotherNodesKeyUnlocksNothing) {
  kenya->lock();
  const auto unlocked = kenya->replica->unlock(BoxKey::generate(random));
  ASSERT_FALSE(unlocked);
  EXPECT_EQ(unlocked.error().code, "chapter.other-key");
  EXPECT_TRUE(kenya->replica->vault().is_locked());
}

TEST_F(Sealing, TheLargestChangeFitsAndOneMoreByteIsRefused) {
  const auto sized = [](std::size_t bytes) {
    return a_change(record_named("x"), "text", std::string(bytes, 'x'));
  };
  const std::size_t rest = encode(sized(30'000)).size() - 30'000;
  const std::size_t most = limits::payload_bytes - sealed_payload_overhead - rest;
  EXPECT_TRUE(kenya->replica->write(home, sized(most)));
  EXPECT_FALSE(kenya->replica->write(home, sized(most + 1)));
  kenya->commit();
}

}  // namespace
}  // namespace chapterd
