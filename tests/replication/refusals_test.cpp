// What a node refuses to write, to open or to make anew, and what stays as it was.
#include "replication/format/limits.h"
#include "replication/stored_piece.h"
#include "tests/support/disk_damage.h"
#include "tests/support/tree.h"

#include <gtest/gtest.h>

namespace chapterd {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): the nodes and their words

struct Refusals : Pair {
  const Change change = a_change(record_named("insight"), "title", "boats");
};

TEST_F(Refusals, NothingIsWrittenToAChapterThatIsNotKnown) {
  const Address nobody{Audience::to, random.fixed<ChapterId>()};
  EXPECT_EQ(kenya->replica->may_write(nobody, change).error().code, "chapter.unknown");
  EXPECT_EQ(kenya->replica->write(nobody, change).error().code, "chapter.unknown");
  EXPECT_FALSE(kenya->replica->has_staged());
  EXPECT_TRUE(kenya->replica->may_write({Audience::to, global->chapter()}, change));
}

// A form says so before somebody has typed for an hour.
TEST_F(Refusals, MayWriteSaysWhatWritingWouldSay) {
  const std::string long_text(limits::payload_bytes, 'x');
  const Change large = a_change(record_named("insight"), "title", long_text);
  EXPECT_EQ(kenya->replica->may_write(up, large).error().code, "change.too-large");
  const Change nameless = a_change(record_named("insight"), "", "boats");
  const auto refused = kenya->replica->may_write(up, nameless);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Errc::usage);
  EXPECT_EQ(kenya->replica->write(up, nameless).error().code, refused.error().code);
  kenya->lock();
  EXPECT_EQ(kenya->replica->may_write(home, change).error().code, "chapter.locked");
  EXPECT_TRUE(kenya->replica->may_write(up, change));
}

TEST_F(Refusals, ThereMustBeSomethingToErase) {
  const Written written = kenya->write_text(up, "insight", "title", "boats");
  const auto asked = [&](const EntryHash& entry) {
    const Erasing wanted{up, record_named("insight"), {entry}, EraseReason::request, nullptr};
    const auto checked = kenya->replica->check_erase(wanted);
    EXPECT_FALSE(kenya->replica->has_staged()) << "a question changes nothing";
    return checked ? "" : checked.error().code;
  };
  EXPECT_EQ(asked(random.fixed<EntryHash>()), "erase.nothing");
  EXPECT_EQ(asked(written.hash), "");
}

TEST_F(Refusals, AFolderHoldsOneNode) {
  const auto again = Replica::initialise(
      *kenya->store, random, kenya->replica->directory().authority().genesis(), global->id());
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, "node.exists");
  EXPECT_EQ(Directory::load(Snapshot(*kenya->store))->self(), kenya->id());
}

TEST_F(Refusals, ADatabaseWithoutAnIdentityIsNoNode) {
  SqliteOptions options;
  options.seal = kenya->vault.get();
  const auto empty = SqliteStore::open(kenya->folder.file("empty.db"), options);
  EXPECT_EQ(Directory::load(Snapshot(**empty)).error().code, "node.not-initialised");
  const auto opened = Replica::open(**empty, clock, random, *kenya->key, *kenya->vault);
  EXPECT_EQ(opened.error().code, "node.not-initialised");
}

TEST_F(Refusals, TheCertificatesOfAnotherNodeIntroduceNobody) {
  SqliteOptions options;
  options.seal = kenya->vault.get();
  const auto store = SqliteStore::open(kenya->folder.file("fresh.db"), options);
  const SigningKey key = SigningKey::generate(random);
  const Authority& known = kenya->replica->directory().authority();
  ASSERT_TRUE(Replica::initialise(**store, random, known.genesis(), key.public_key()));
  const auto replica = Replica::open(**store, clock, random, key, *kenya->vault);
  const auto introduced = (*replica)->introduce(known.chain(kenya->id()));
  ASSERT_FALSE(introduced);
  EXPECT_EQ(introduced.error().code, "node.unknown");
  EXPECT_FALSE((*replica)->introduce({Bytes{1, 2, 3}}));
  EXPECT_FALSE((*replica)->has_staged());
}

// Nothing is dropped before all of it can be made again.
TEST_F(Refusals, ARebuildFromADamagedLogLeavesTheRecordsAsTheyWere) {
  kenya->write_text(up, "insight", "title", "boats");
  const KnownFeed& feed = *kenya->directory->feed(kenya->head(Audience::up).feed);
  const std::string row = std::to_string(feed.row.value);
  change_rows(kenya->folder.file("chapterd.db"),
              "UPDATE piece SET body = x'5A5A5A' WHERE feed = " + row);
  kenya->restart();
  const auto rebuilt = kenya->replica->rebuild();
  ASSERT_FALSE(rebuilt);
  EXPECT_EQ(rebuilt.error().code, "store.damaged-log");
  EXPECT_EQ(rebuilt.error().kind, Errc::check_failed);
  EXPECT_EQ(title(*kenya, Audience::up), Values{"boats"});
  EXPECT_FALSE(kenya->replica->must_rebuild());
}

struct DamagedNotes : Refusals, ::testing::WithParamInterface<const char*> {};

INSTANTIATE_TEST_SUITE_P(,
                         DamagedNotes,
                         ::testing::Values("erase/order/zz/0000000000000001",
                                           "erase/hole/nonsense",
                                           "erase/doubt/0000000000000001",
                                           "erase/doubt/short"));

// What was to be erased must never be guessed.
TEST_P(DamagedNotes, OfErasuresAreToldAsDamage) {
  kenya->replica->set_value(GetParam(), {1});
  kenya->commit();
  EXPECT_THROW(static_cast<void>(Erasures::load(*kenya->store)), Damaged);
}

}  // namespace
}  // namespace chapterd
