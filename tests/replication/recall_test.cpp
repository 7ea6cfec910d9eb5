// Revocations outlive the database: one that was put back does not forget who was revoked.
#include "replication/invite.h"
#include "tests/replication/restored.h"
#include "tests/store/faulty_vfs.h"

namespace chapterd {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): the nodes and their words

struct Recall : Restored {
  // The database alone; the file beside it stays.
  static void put_back(TestNode& node) { Restored::put_back(node, With::database_only); }

  // What a revoked node wrote is refused.
  void exchange() {
    for (int i = 0; i < 4; ++i) Wire(*kenya, *global).run();
  }
};

// The chapter above goes silent afterwards: only this node still knows.
TEST_F(Recall, ADatabasePutBackDoesNotForgetWhoWasRevoked) {
  auto laptop = TestNode::beside(*kenya);
  Wire(*laptop, *kenya).run();
  laptop->write_text(all, "insight", "title", "seen");
  Wire(*laptop, *kenya).run();
  exchange();
  save(*kenya);
  global->revoke(laptop->id(), {laptop->head(Audience::all)});
  exchange();
  ASSERT_TRUE(kenya->directory->authority().is_revoked(laptop->id()));
  put_back(*kenya);
  EXPECT_TRUE(kenya->replica->directory().authority().is_revoked(laptop->id()));
  EXPECT_TRUE(kenya->directory->authority().is_revoked(laptop->id()));
  laptop->write_text(all, "insight", "title", "by a thief");
  Wire thief(*laptop, *kenya);
  thief.run();
  EXPECT_EQ(thief.dialler().end_code(), "peer.node.revoked");
  EXPECT_EQ(kenya->values(Audience::all, "insight", "title"), Values{"seen"});
  // It is in the database again, and others learn of it here.
  std::filesystem::remove(kenya->folder.file("instance"));
  kenya->restart();
  EXPECT_TRUE(kenya->directory->authority().is_revoked(laptop->id()));
}

// The backup is from before the chapter's key was replaced.
TEST_F(Recall, ARevocationByAKeyThatTheBackupDoesNotKnowActsAtOnce) {
  auto laptop = TestNode::beside(*kenya);
  Wire(*laptop, *kenya).run();
  save(*kenya);
  const FederationId federation = kenya->directory->authority().federation();
  const SigningKey next = SigningKey::generate(random);
  Successor body;
  body.chapter = kenya->chapter();
  body.authority = next.public_key();
  body.by = SuccessorBy::rotation;
  body.acceptance = accept_succession(federation, kenya->chapter(), next);
  kenya->statement(Statement{kenya->chapter(), 2, body});
  const Statement revoked{kenya->chapter(), 1, Revoke{laptop->id(), {}, "stolen"}};
  ASSERT_TRUE(kenya->replica->write_statement(sign_statement(federation, revoked, next)));
  kenya->commit();
  put_back(*kenya);
  EXPECT_TRUE(kenya->directory->authority().is_revoked(laptop->id()));
}

// The backup is from before the revoked node's chapter was known.
TEST_F(Recall, ARevocationWaitsForTheCertificatesThatItNeeds) {
  save(*kenya);
  auto uganda = TestNode::below(*global, "UG");
  auto kampala = TestNode::below(*uganda, "UG-1");
  Wire(*kampala, *uganda).run();
  Wire(*uganda, *global).run();
  uganda->revoke(kampala->id());
  Wire(*uganda, *global).run();
  exchange();
  ASSERT_TRUE(kenya->directory->authority().is_revoked(kampala->id()));
  put_back(*kenya);
  EXPECT_EQ(kenya->mark->read_revocations().size(), 1U);
  EXPECT_FALSE(kenya->directory->authority().is_revoked(kampala->id()));
  kenya->restart();
  EXPECT_EQ(kenya->mark->read_revocations().size(), 1U);
  exchange();
  EXPECT_TRUE(kenya->directory->authority().is_revoked(kampala->id()));
  EXPECT_EQ(kenya->mark->read_revocations().size(), 1U);
}

// A database begun anew beside an old file learns who issued the revocation with its own first
// entries.
TEST_F(Recall, ADatabaseBegunAnewKeepsWhatItRecallsWithItsFirstEntries) {
  auto laptop = TestNode::beside(*kenya);
  Wire(*laptop, *kenya).run();
  const Authority& authority = kenya->replica->directory().authority();
  const Bytes genesis = authority.genesis();
  std::vector<Bytes> chain = authority.chain(laptop->id());
  chain.push_back(authority.chain(kenya->id()).back());
  kenya->revoke(laptop->id());
  const std::string path = kenya->folder.file("anew.db");
  SqliteOptions options;
  options.seal = kenya->vault.get();
  const auto store = SqliteStore::open(path, options);
  ASSERT_TRUE(Replica::initialise(**store, random, genesis, kenya->id()));
  const auto replica = Replica::open(**store, clock, random, *kenya->key, *kenya->vault);
  (*replica)->keep_mark(*kenya->mark);
  ASSERT_TRUE((*replica)->introduce(chain));
  (*replica)->commit();
  const auto stored = Directory::load(Snapshot(**store));
  EXPECT_TRUE(stored->authority().is_revoked(laptop->id()));
  for (const KnownFeed& feed : stored->feeds())
    EXPECT_FALSE((*store)->pieces_of(feed.row, feed.head.seq, 1).empty());
}

// Whom it let in since, the database that was put back does not know.
TEST_F(Recall, AnInviteThatLooksOpenInABackupLetsNobodyInAnyMore) {
  Invite invite;
  invite.federation = global->directory->authority().federation();
  invite.parent = global->id();
  invite.chapter = chapter_id_below(global->chapter(), "SO");
  invite.code = invite.name = "SO";
  invite.level = 1;
  invite.secret = random.fixed<InviteSecret>();
  invite.expires = clock.now().plus_ms(3'600'000);
  const std::string name = stored_invite_name(invite_id(invite.secret));
  global->replica->set_value(name, encode(KeptInvite{invite, InviteState::open, {}}));
  global->commit();
  save(*global);
  const auto ask = [&]() -> std::string {
    const SigningKey node = SigningKey::generate(random);
    const SigningKey key = SigningKey::generate(random);
    const JoinRequest request{invite_id(invite.secret), node.public_key(), key.public_key(),
                              BoxKey::from_seed(node.seed()).public_key(), "laptop"};
    const auto answer = answer_join(*global->replica, *global->authority,
                                    make_join_request(invite, request, node, key), clock.now());
    global->commit();
    return answer ? "let in" : answer.error().code;
  };
  EXPECT_EQ(ask(), "let in");
  put_back(*global);
  EXPECT_EQ(ask(), "invite.revoked");
}

TEST_F(Recall, ACrashBeforeTheFileIsWrittenLeavesTheRevocationInTheDatabase) {
  auto laptop = TestNode::beside(*kenya);
  Wire(*laptop, *kenya).run();
  DiesBeforeWriting dying(*kenya->mark);
  kenya->replica->keep_mark(dying);
  EXPECT_THROW(kenya->revoke(laptop->id()), Broken);
  EXPECT_TRUE(kenya->mark->read_revocations().empty());
  kenya->restart();
  EXPECT_TRUE(kenya->directory->authority().is_revoked(laptop->id()));
  EXPECT_EQ(kenya->mark->read_revocations().size(), 1U);
}

// Whoever was told that it was not saved tries again; until then nobody is revoked, here or
// anywhere.
TEST_F(Recall, ARevocationThatAFullDiskRefusedIsNotKnown) {
  auto laptop = TestNode::beside(*global);
  Wire(*laptop, *global).run();
  global->restart(faulty_vfs());
  faults().room_bytes = 0;
  EXPECT_THROW(global->revoke(laptop->id()), DiskFull);
  faults() = Faults{};
  EXPECT_FALSE(global->replica->directory().authority().is_revoked(laptop->id()));
  global->write_text(all, "insight", "title", "after");
  global->restart();
  EXPECT_FALSE(global->replica->directory().authority().is_revoked(laptop->id()));
}

}  // namespace
}  // namespace chapterd
