// Hashes of entries, checkpoints, hybrid time.
#include "replication/format/entry.h"

#include "tests/format/samples.h"

#include <gtest/gtest.h>

#include <functional>
#include <set>

namespace chapterd {
namespace {

using samples::counting;

Header a_header() {
  Header header;
  header.feed = counting<FeedId>(1);
  header.seq = Sequence(7);
  header.prev = counting<EntryHash>(33);
  header.kind = EntryKind::data;
  header.flags = flag_run_end;
  header.time = HybridTime{0x0102030405060708U};
  header.payload_bytes = 1000;
  header.commitment = counting<Commitment>(65);
  return header;
}

TEST(Entry, HashChangesWithEveryBitOfEveryFieldOfTheHeader) {
  std::set<EntryHash> hashes{entry_hash(a_header())};
  std::size_t tampered = 0;
  const auto tamper = [&](std::size_t bits, const std::function<void(Header&, std::size_t)>& flip) {
    for (std::size_t bit = 0; bit < bits; ++bit) {
      Header header = a_header();
      flip(header, bit);
      hashes.insert(entry_hash(header));
      ++tampered;
    }
  };
  const auto flip_byte = [](auto& fixed, std::size_t bit) {
    fixed.bytes[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
  };
  tamper(256, [&](Header& header, std::size_t bit) { flip_byte(header.feed, bit); });
  tamper(64, [](Header& header, std::size_t bit) { header.seq.value ^= 1ULL << bit; });
  tamper(256, [&](Header& header, std::size_t bit) { flip_byte(header.prev, bit); });
  tamper(8, [](Header& header, std::size_t bit) {
    header.kind = static_cast<EntryKind>(static_cast<unsigned>(header.kind) ^ 1U << bit);
  });
  tamper(8, [](Header& header, std::size_t bit) {
    header.flags = static_cast<std::uint8_t>(header.flags ^ 1U << bit);
  });
  tamper(64, [](Header& header, std::size_t bit) { header.time.value ^= 1ULL << bit; });
  tamper(32, [](Header& header, std::size_t bit) { header.payload_bytes ^= 1U << bit; });
  tamper(256, [&](Header& header, std::size_t bit) { flip_byte(header.commitment, bit); });
  EXPECT_EQ(tampered, (header_bytes - 1) * 8);  // all but the version
  EXPECT_EQ(hashes.size(), tampered + 1);
}

class Checkpoint : public testing::Test {
 protected:
  SigningKey node = SigningKey::from_seed(counting<Digest>(1).view());
  FederationId federation = counting<FederationId>(2);
  Head head{counting<FeedId>(3), Sequence(64), counting<EntryHash>(4)};
  Signature signature = sign_checkpoint(node, federation, head);
};

TEST_F(Checkpoint, VouchesForItsHead) {
  EXPECT_TRUE(verify_checkpoint(node.public_key(), federation, head, signature));
}

TEST_F(Checkpoint, OfAnotherFederationIsRefused) {
  EXPECT_FALSE(verify_checkpoint(node.public_key(), counting<FederationId>(9), head, signature));
}

TEST_F(Checkpoint, OfAnotherFeedIsRefused) {
  const Head other{counting<FeedId>(9), head.seq, head.hash};
  EXPECT_FALSE(verify_checkpoint(node.public_key(), federation, other, signature));
}

TEST_F(Checkpoint, OfAnotherSequenceIsRefused) {
  const Head other{head.feed, head.seq.next(), head.hash};
  EXPECT_FALSE(verify_checkpoint(node.public_key(), federation, other, signature));
}

TEST_F(Checkpoint, OfAnotherHashIsRefused) {
  const Head other{head.feed, head.seq, counting<EntryHash>(9)};
  EXPECT_FALSE(verify_checkpoint(node.public_key(), federation, other, signature));
}

TEST_F(Checkpoint, OfAnotherNodeIsRefused) {
  const SigningKey other = SigningKey::from_seed(counting<Digest>(9).view());
  EXPECT_FALSE(verify_checkpoint(other.public_key(), federation, head, signature));
}

TEST_F(Checkpoint, WithAnyFlippedByteIsRefused) {
  for (std::size_t i = 0; i < Signature::size; ++i) {
    Signature broken = signature;
    broken.bytes[i] ^= 1U;
    EXPECT_FALSE(verify_checkpoint(node.public_key(), federation, head, broken)) << i;
  }
}

TEST(HybridTime, NeverGoesBack) {
  HybridTime last;
  for (const std::int64_t now : {5LL, 5LL, 3LL, -1LL, 1LL << 50, 10LL, 0LL}) {
    const HybridTime next = next_time(last, Instant{now});
    EXPECT_GT(next, last);
    last = next;
  }
}

TEST(HybridTime, FollowsTheClockWhileItRuns) {
  EXPECT_EQ(next_time(HybridTime{}, Instant{1000}).instant(), Instant{1000});
  EXPECT_EQ(next_time(HybridTime{}, Instant{1000}).value, 1000U << 16U);
}

TEST(HybridTime, StaysAtTheEndOfTimeInsteadOfWrapping) {
  const HybridTime end{UINT64_MAX};
  EXPECT_EQ(next_time(end, Instant{0}), end);
}

}  // namespace
}  // namespace chapterd
