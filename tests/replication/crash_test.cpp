// A node that dies between any two bytes it writes: what was acknowledged is there, the rest comes
// again.
#include "replication/session.h"
#include "tests/store/faulty_vfs.h"
#include "tests/support/erasing.h"
#include "tests/support/tree.h"

#include <gtest/gtest.h>

namespace chapterd {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): the nodes and their words

constexpr int records = 12;

// Global and Kenya, with a few changes at Kenya that global has not.
struct Two : PairOfNodes {
  Two() {
    for (int i = 0; i < records; ++i) {
      kenya->write_text(up, "insight " + std::to_string(i), "title", std::string(300, 'x'));
    }
    kenya->write_text(up, "insight 0", "title", "the newest");
  }
};

// Every position that the database names is backed by entries that hash to it.
void expect_whole(TestNode& node) {
  for (const KnownFeed& feed : node.replica->directory().feeds()) {
    EntryHash hash;
    std::uint64_t seq = 0;
    for (const StoredPiece& stored : node.store->pieces_of(feed.row, Sequence(1), SIZE_MAX)) {
      const auto piece = decode_piece(stored.body);
      ASSERT_TRUE(piece);
      ASSERT_EQ(piece->first.value, seq + 1);
      hash = chain(*piece, feed.head.feed, hash).back();
      seq = piece->last().value;
    }
    EXPECT_EQ(seq, feed.head.seq.value);
    EXPECT_EQ(hash, feed.head.hash);
  }
}

// Whether this comes to its end on a disk with so much room; else it dies in the middle.
template <class Work>
bool ends_within(std::int64_t room_bytes, Work work) {
  faults().room_bytes = room_bytes;
  bool ended = false;
  try {
    work();
    ended = true;
  } catch (const DiskFull&) {
  } catch (const Broken&) {
  }
  faults() = Faults{};
  return ended;
}

class Crash : public ::testing::Test {
 protected:
  void TearDown() override { faults() = Faults{}; }
};

TEST_F(Crash, AtAnyByteOfReceivingLosesNothingAndTheNextSessionFinishes) {
  bool reached_the_end = false;
  for (std::int64_t room = 0; !reached_the_end; room += 1777) {
    Two two;
    two.global->restart(faulty_vfs());
    reached_the_end = ends_within(room, [&] { Wire(*two.kenya, *two.global).run(); });
    two.global->restart();
    two.kenya->restart();
    expect_whole(*two.global);
    Wire rest(*two.kenya, *two.global);
    rest.run();
    ASSERT_TRUE(rest.dialler().caught_up()) << "crash after " << room;
    for (int i = 1; i < records; ++i) {
      ASSERT_EQ(two.global->values(Audience::up, "insight " + std::to_string(i), "title").size(),
                1U)
          << room;
    }
    ASSERT_EQ(two.global->values(Audience::up, "insight 0", "title"), Values{"the newest"});
  }
}

TEST_F(Crash, AtAnyByteOfWritingKeepsWhatWasSaved) {
  bool reached_the_end = false;
  for (std::int64_t room = 0; !reached_the_end; room += 977) {
    SeededRandom random(22);
    SetClock clock;
    auto node = TestNode::founder(random, clock);
    node->restart(faulty_vfs());
    int saved = 0;
    reached_the_end = ends_within(room, [&] {
      for (; saved < 8; ++saved) node->write_text(up, "insight", "title", std::to_string(saved));
    });
    node->restart();
    expect_whole(*node);
    const auto values = node->values(Audience::up, "insight", "title");
    ASSERT_EQ(values.empty(), saved == 0) << "crash after " << room;
    if (saved > 0) {
      ASSERT_EQ(values, Values{std::to_string(saved - 1)});
    }
    node->write_text(up, "insight", "title", "goes on");
    ASSERT_EQ(node->values(Audience::up, "insight", "title"), Values{"goes on"});
  }
}

// Once the order is in the log, the words are in no file any more: also when the machine died right
// behind it.
TEST_F(Crash, AtAnyByteOfErasingLeavesTheOrderAndTheWordsOrNeither) {
  bool reached_the_end = false;
  for (std::int64_t room = 0; !reached_the_end; room += 977) {
    SeededRandom random(23);
    SetClock clock;
    auto node = TestNode::founder(random, clock);
    node->write_text(up, "insight", "title", "Wanjiku told us");
    node->write_text(up, "insight", "note", "stays");
    node->restart(faulty_vfs());
    reached_the_end = ends_within(room, [&] { erase_texts(*node, up, "insight", "title"); });
    node->restart();
    expect_whole(*node);
    const bool ordered = !node->replica->erasures().orders().empty();
    ASSERT_EQ(node->values(Audience::up, "insight", "title").empty(), ordered) << room;
    ASSERT_EQ(holds_text(*node, "Wanjiku"), !ordered) << room;
    ASSERT_EQ(node->values(Audience::up, "insight", "note"), Values{"stays"});
  }
}

// The same node goes on after a full disk, without a restart.
TEST_F(Crash, AFullDiskRefusesTheGroupAndNothingElse) {
  Two two;
  two.kenya->restart(faulty_vfs());
  two.kenya->write_text(up, "insight", "title", "before");
  faults().room_bytes = 0;
  EXPECT_THROW(two.kenya->write_text(up, "insight", "title", "refused"), DiskFull);
  EXPECT_EQ(two.kenya->values(Audience::up, "insight", "title"), Values{"before"});
  faults() = Faults{};
  two.kenya->write_text(up, "insight", "title", "after");
  EXPECT_EQ(two.kenya->values(Audience::up, "insight", "title"), Values{"after"});
  Wire wire(*two.kenya, *two.global);
  wire.run();
  EXPECT_TRUE(wire.dialler().caught_up());
}

}  // namespace
}  // namespace chapterd
