// A node that dies between any two bytes it writes: what was acknowledged is there, the rest comes
// again.
#include "replication/session.h"
#include "tests/store/faulty_vfs.h"
#include "tests/support/erasing.h"
#include "tests/support/node.h"

#include <gtest/gtest.h>

namespace chapterd {
namespace {

using testing::SeededRandom;
using testing::SetClock;
using testing::TestNode;
using testing::Wire;

constexpr Address up{Audience::up, {}};
constexpr int records = 12;

// Global and Kenya, with a few changes at Kenya that global has not.
struct Two {
  SeededRandom random{21};
  SetClock clock;
  std::unique_ptr<TestNode> global = TestNode::founder(random, clock);
  std::unique_ptr<TestNode> kenya = TestNode::below(*global, "KE");

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

class Crash : public ::testing::Test {
 protected:
  void TearDown() override { faults() = Faults{}; }
};

TEST_F(Crash, AtAnyByteOfReceivingLosesNothingAndTheNextSessionFinishes) {
  bool reached_the_end = false;
  for (std::int64_t room = 0; !reached_the_end; room += 1777) {
    Two two;
    two.global->restart(faulty_vfs());
    faults().room_bytes = room;
    try {
      Wire(*two.kenya, *two.global).run();
      reached_the_end = true;
    } catch (const DiskFull&) {
    } catch (const Broken&) {
    }
    faults() = Faults{};
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
    ASSERT_EQ(two.global->values(Audience::up, "insight 0", "title"),
              std::vector<std::string>{"the newest"});
  }
}

TEST_F(Crash, AtAnyByteOfWritingKeepsWhatWasSaved) {
  bool reached_the_end = false;
  for (std::int64_t room = 0; !reached_the_end; room += 977) {
    SeededRandom random(22);
    SetClock clock;
    auto node = TestNode::founder(random, clock);
    node->restart(faulty_vfs());
    faults().room_bytes = room;
    int saved = 0;
    try {
      for (; saved < 8; ++saved) node->write_text(up, "insight", "title", std::to_string(saved));
      reached_the_end = true;
    } catch (const DiskFull&) {
    } catch (const Broken&) {
    }
    faults() = Faults{};
    node->restart();
    expect_whole(*node);
    const auto values = node->values(Audience::up, "insight", "title");
    ASSERT_EQ(values.empty(), saved == 0) << "crash after " << room;
    if (saved > 0) {
      ASSERT_EQ(values, std::vector<std::string>{std::to_string(saved - 1)});
    }
    node->write_text(up, "insight", "title", "goes on");
    ASSERT_EQ(node->values(Audience::up, "insight", "title"), std::vector<std::string>{"goes on"});
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
    faults().room_bytes = room;
    try {
      testing::erase_texts(*node, up, "insight", "title");
      reached_the_end = true;
    } catch (const DiskFull&) {
    } catch (const Broken&) {
    }
    faults() = Faults{};
    node->restart();
    expect_whole(*node);
    const bool ordered = !node->replica->erasures().orders().empty();
    ASSERT_EQ(node->values(Audience::up, "insight", "title").empty(), ordered) << room;
    ASSERT_EQ(testing::holds_text(*node, "Wanjiku"), !ordered) << room;
    ASSERT_EQ(node->values(Audience::up, "insight", "note"), std::vector<std::string>{"stays"});
  }
}

// The same node goes on after a full disk, without a restart.
TEST_F(Crash, AFullDiskRefusesTheGroupAndNothingElse) {
  Two two;
  two.kenya->restart(faulty_vfs());
  two.kenya->write_text(up, "insight", "title", "before");
  faults().room_bytes = 0;
  EXPECT_THROW(two.kenya->write_text(up, "insight", "title", "refused"), DiskFull);
  EXPECT_EQ(two.kenya->values(Audience::up, "insight", "title"),
            std::vector<std::string>{"before"});
  faults() = Faults{};
  two.kenya->write_text(up, "insight", "title", "after");
  EXPECT_EQ(two.kenya->values(Audience::up, "insight", "title"), std::vector<std::string>{"after"});
  Wire wire(*two.kenya, *two.global);
  wire.run();
  EXPECT_TRUE(wire.dialler().caught_up());
}

}  // namespace
}  // namespace chapterd
