// Pieces: what travels and is stored of a run.
#include "replication/format/piece.h"

#include "replication/format/limits.h"
#include "tests/crypto/seeded_random.h"
#include "tests/format/describe.h"
#include "tests/format/samples.h"

#include <gtest/gtest.h>

namespace chapterd {
namespace {

const samples::World& world() {
  static const samples::World made = samples::make_world();
  return made;
}

// A piece and the payloads that it borrows.
struct OwnedPiece {
  std::vector<Bytes> payloads;
  Piece piece;
};

OwnedPiece a_run(std::size_t entries, std::size_t payload_bytes) {
  OwnedPiece run;
  run.payloads.assign(entries, Bytes(payload_bytes, 0x5A));
  run.piece.first = Sequence(1);
  run.piece.seed = samples::counting<RunSeed>(0x50);
  for (const Bytes& payload : run.payloads) {
    PieceEntry entry;
    entry.payload_bytes = static_cast<std::uint32_t>(payload.size());
    entry.payload = payload;
    run.piece.entries.push_back(entry);
  }
  run.piece.checkpoint = samples::counting<Signature>(0);
  return run;
}

OwnedPiece after(const OwnedPiece& first, std::size_t entries, std::size_t payload_bytes) {
  OwnedPiece run = a_run(entries, payload_bytes);
  run.piece.first = first.piece.last().next();
  return run;
}

TEST(Piece, ComesBackAsItWas) {
  for (const auto& [name, chained] : world().pieces) {
    const Bytes bytes = encode(chained.piece);
    const auto read = decode_piece(bytes);
    ASSERT_TRUE(read) << name;
    EXPECT_EQ(describe(*read), describe(chained.piece));
    EXPECT_EQ(encode(*read), bytes);
  }
}

TEST(Piece, ComesBackForAnyKindsFlagsTimesAndSizes) {
  SeededRandom random(7);
  for (int round = 0; round < 500; ++round) {
    OwnedPiece run = a_run(1 + random.number() % limits::run_entries, random.number() % 200);
    run.piece.first = Sequence(1 + (random.number() >> random.number() % 64) / 2);
    for (PieceEntry& entry : run.piece.entries) {
      entry.kind = static_cast<EntryKind>(1 + random.number() % 15);
      entry.flags = static_cast<std::uint8_t>(random.number() % 2 * flag_sealed);
      entry.time = HybridTime{random.number()};
    }
    if (round % 2 == 0) run.piece.entries.back().flags |= flag_run_end;
    if (round % 3 == 0) run.piece.checkpoint.reset();
    const Bytes bytes = encode(run.piece);
    const auto read = decode_piece(bytes);
    ASSERT_TRUE(read) << "round " << round;
    EXPECT_EQ(describe(*read), describe(run.piece)) << "round " << round;
  }
}

TEST(Piece, IsRefusedWhenCutAtAnyByte) {
  for (const auto& [name, chained] : world().pieces) {
    const Bytes bytes = encode(chained.piece);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      EXPECT_FALSE(decode_piece(ByteView(bytes).first(size))) << name << size;
    }
  }
}

// What a receiver relies on: nothing can change under a checkpoint.
bool is_same_run(const Piece& piece, const samples::Chained& original) {
  if (piece.first != original.piece.first || piece.checkpoint != original.piece.checkpoint) {
    return false;
  }
  return chain(piece, original.feed, piece.prev.value_or(original.prev)) ==
         chain(original.piece, original.feed, original.prev);
}

TEST(Piece, WithAnyFlippedBitIsRefusedOrHashesToAnotherHead) {
  for (const auto& [name, chained] : world().pieces) {
    const Bytes bytes = encode(chained.piece);
    for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
      Bytes flipped = bytes;
      flipped[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
      const auto read = decode_piece(flipped);
      if (read) {
        EXPECT_FALSE(is_same_run(*read, chained)) << name << " bit " << bit;
      }
    }
  }
}

TEST(Piece, WithAnyOtherByteIsRefusedOrHashesToAnotherHead) {
  const samples::Chained& chained = world().pieces[1].value;
  const Bytes bytes = encode(chained.piece);
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (unsigned change = 1; change < 256; ++change) {
      Bytes other = bytes;
      other[at] = static_cast<std::uint8_t>(other[at] ^ change);
      const auto read = decode_piece(other);
      if (read) {
        EXPECT_FALSE(is_same_run(*read, chained)) << at << " xor " << change;
      }
    }
  }
}

TEST(Piece, ChainsTheSameOnceAnEntryIsErased) {
  const auto& seeded = world().pieces[0].value;
  const auto& erased = world().pieces[1].value;
  EXPECT_EQ(chain(seeded.piece, seeded.feed, seeded.prev),
            chain(erased.piece, erased.feed, erased.prev));
}

TEST(Piece, ChainsOneAfterTheOther) {
  const auto& all = world().pieces[0].value;
  const auto& second = world().pieces[2].value;
  const auto hashes = chain(all.piece, all.feed, all.prev);
  EXPECT_EQ(second.prev, hashes[0]);
  EXPECT_EQ(chain(second.piece, second.feed, second.prev).front(), hashes[1]);
}

TEST(Piece, ChainsToSomethingElseInAnotherFeedOrAfterAnotherEntry) {
  const auto& all = world().pieces[0].value;
  const auto hashes = chain(all.piece, all.feed, all.prev);
  EXPECT_NE(chain(all.piece, samples::counting<FeedId>(1), all.prev), hashes);
  EXPECT_NE(chain(all.piece, all.feed, samples::counting<EntryHash>(1)), hashes);
}

TEST(Piece, WithASeedHoldsNoErasedEntrySinceTheSeedWouldGiveItsSaltAway) {
  Piece piece = world().pieces[1].value.piece;
  Bytes bytes = encode(piece);
  bytes[0] ^= 1U;                                        // says: a seed
  bytes.insert(bytes.begin() + 3, RunSeed::size, 0x50);  // the seed
  for (const std::size_t skipped : {std::size_t{0}, std::size_t{2}}) {
    const Salt& salt = *piece.entries[skipped].salt;
    const auto at = std::search(bytes.begin(), bytes.end(), salt.bytes.begin(), salt.bytes.end());
    ASSERT_NE(at, bytes.end());
    bytes.erase(at, at + Salt::size);
  }
  EXPECT_FALSE(decode_piece(bytes));
}

TEST(Piece, OfTheLastPossibleSequencesIsRefusedBeforeTheyWrapAround) {
  OwnedPiece run = a_run(2, 1);
  run.piece.first = Sequence(UINT64_MAX - 2);
  EXPECT_TRUE(decode_piece(encode(run.piece)));
  run.piece.first = Sequence(UINT64_MAX - 1);
  EXPECT_FALSE(decode_piece(encode(run.piece)));
}

TEST(Piece, HoldsAPayloadUpToTheLimitAndNotOneByteMore) {
  EXPECT_TRUE(decode_piece(encode(a_run(1, limits::payload_bytes).piece)));
  EXPECT_FALSE(decode_piece(encode(a_run(1, limits::payload_bytes + 1).piece)));
}

TEST(Piece, WhosePayloadsWouldNotFitAFrameOnceOneIsErasedIsRefused) {
  EXPECT_TRUE(decode_piece(encode(a_run(2, limits::piece_bytes / 2).piece)));
  EXPECT_FALSE(decode_piece(encode(a_run(2, limits::piece_bytes / 2 + 1).piece)));
}

TEST(Piece, StaysWithinItsLimitWhicheverEntriesAreErased) {
  for (const std::size_t erased : {std::size_t{0}, std::size_t{31}, std::size_t{63}}) {
    OwnedPiece owned = a_run(limits::run_entries, limits::piece_bytes / limits::run_entries);
    // Clocks that jump make every time as long as it can be.
    for (std::size_t i = 0; i < limits::run_entries; ++i)
      owned.piece.entries[i].time = HybridTime{i % 2 == 0 ? 0 : UINT64_MAX / 2};
    const FeedId feed;
    const auto before = chain(owned.piece, feed, EntryHash{});
    for (std::size_t i = 0; i <= erased; ++i) erase(owned.piece, i);
    const Bytes bytes = encode(owned.piece);
    EXPECT_LE(bytes.size(), limits::encoded_piece_bytes);
    const auto again = decode_piece(bytes);
    ASSERT_TRUE(again);
    EXPECT_EQ(chain(*again, feed, EntryHash{}), before);
  }
}

TEST(Piece, WithAnErasedStatementEraseOrderOrLifeIsRefused) {
  for (const EntryKind kind : {EntryKind::authority, EntryKind::erase, EntryKind::life}) {
    OwnedPiece owned = a_run(2, 40);
    owned.piece.entries[0].kind = kind;
    EXPECT_TRUE(decode_piece(encode(owned.piece)));
    erase(owned.piece, 0);
    EXPECT_FALSE(decode_piece(encode(owned.piece)));
  }
}

TEST(Piece, JoinsTheOneThatFollowsInTheSameRun) {
  OwnedPiece first = a_run(2, 10);
  const OwnedPiece second = after(first, 3, 20);
  ASSERT_TRUE(can_join(first.piece, second.piece));
  const auto alone = chain(first.piece, {}, {});
  const auto tail = chain(second.piece, {}, alone.back());
  join(first.piece, second.piece);
  const Bytes bytes = encode(first.piece);
  const auto joined = decode_piece(bytes);
  ASSERT_TRUE(joined);
  const auto hashes = chain(*joined, {}, {});
  ASSERT_EQ(hashes.size(), 5U);
  EXPECT_EQ(hashes.back(), tail.back());
  EXPECT_EQ(joined->checkpoint, second.piece.checkpoint);
}

TEST(Piece, DoesNotJoinAcrossAGap) {
  const OwnedPiece first = a_run(2, 10);
  OwnedPiece second = after(first, 1, 10);
  second.piece.first = second.piece.first.next();
  EXPECT_FALSE(can_join(first.piece, second.piece));
  EXPECT_FALSE(can_join(first.piece, first.piece));
}

TEST(Piece, DoesNotJoinPastTheEndOfARun) {
  OwnedPiece first = a_run(2, 10);
  const OwnedPiece second = after(first, 1, 10);
  first.piece.entries.back().flags = flag_run_end;
  EXPECT_FALSE(can_join(first.piece, second.piece));
}

TEST(Piece, DoesNotJoinOneWithAnotherSeedOrWithout) {
  const OwnedPiece first = a_run(2, 10);
  OwnedPiece second = after(first, 1, 10);
  second.piece.seed = samples::counting<RunSeed>(9);
  EXPECT_FALSE(can_join(first.piece, second.piece));
  second.piece.seed.reset();
  EXPECT_FALSE(can_join(first.piece, second.piece));
  EXPECT_FALSE(can_join(second.piece, first.piece));
}

TEST(Piece, JoinsUpToTheLimitsOfEntriesAndBytes) {
  const OwnedPiece sixty = a_run(60, 1);
  EXPECT_TRUE(can_join(sixty.piece, after(sixty, 4, 1).piece));
  EXPECT_FALSE(can_join(sixty.piece, after(sixty, 5, 1).piece));
  const OwnedPiece large = a_run(1, 40 * 1024);
  EXPECT_TRUE(can_join(large.piece, after(large, 1, 20 * 1024).piece));
  EXPECT_FALSE(can_join(large.piece, after(large, 1, 20 * 1024 + 1).piece));
}

TEST(Piece, JoinedToTheLimitFitsAFrameWithItsIntro) {
  OwnedPiece run = a_run(limits::run_entries, limits::piece_bytes / limits::run_entries);
  for (std::size_t i = 0; i < run.piece.entries.size(); ++i) {  // the longest differences of time
    run.piece.entries[i].time = HybridTime{i % 2 == 0 ? 0 : UINT64_MAX / 2};
  }
  const std::size_t headers = 2 + 4 + 3 + limits::intro_bytes + 3;
  EXPECT_LE(encode(run.piece).size() + headers, limits::frame_bytes);
}

}  // namespace
}  // namespace chapterd
