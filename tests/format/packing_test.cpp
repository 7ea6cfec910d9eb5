// Packed blocks: they come back, and nothing that a peer sends costs more than it may.
#include "replication/format/packing.h"

#include "replication/format/limits.h"
#include "tests/crypto/seeded_random.h"
#include "tests/format/describe.h"
#include "tests/format/samples.h"

#include <gtest/gtest.h>
#include <zstd.h>

#include <fstream>

namespace chapterd {
namespace {

// Text-like: a small alphabet of words, so that later blocks refer back to earlier ones.
Bytes a_block(SeededRandom& random, std::size_t size) {
  constexpr std::array<std::string_view, 5> words{"borehole ", "dry ", "forage ", "insight ", "KE"};
  Bytes block;
  while (block.size() < size) append(block, as_bytes(words[random.number() % words.size()]));
  block.resize(size);
  return block;
}

// One zstd frame of its own, as a stranger would make it.
Bytes zstd_frame(ByteView content, int window_log) {
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, window_log);
  Bytes out(ZSTD_compressBound(content.size()));
  out.resize(ZSTD_compress2(context, out.data(), out.size(), content.data(), content.size()));
  ZSTD_freeCCtx(context);
  return out;
}

TEST(Packing, BringsManyBlocksBackInOrder) {
  SeededRandom random(3);
  Packer packer;
  Unpacker unpacker;
  std::size_t plain = 0;
  std::size_t packed_bytes = 0;
  for (int i = 0; i < 300; ++i) {
    const Bytes block = a_block(random, 1 + random.number() % 20'000);
    const Bytes packed = packer.pack(block);
    const auto back = unpacker.unpack(packed, block.size());
    ASSERT_TRUE(back) << i;
    ASSERT_EQ(*back, block) << i;
    plain += block.size();
    packed_bytes += packed.size();
  }
  EXPECT_LT(packed_bytes, plain / 2);
}

TEST(Packing, BringsRandomAndEmptyAndLargestBlocksBack) {
  SeededRandom random(4);
  Packer packer;
  Unpacker unpacker;
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, limits::frame_bytes - 100}) {
    Bytes block(size);
    random.fill(block);
    const Bytes packed = packer.pack(block);
    const auto back = unpacker.unpack(packed, size);
    ASSERT_TRUE(back) << size;
    EXPECT_EQ(*back, block);
  }
}

TEST(Packing, MakesAnIncompressibleFrameOnlyALittleLonger) {
  SeededRandom random(5);
  Bytes block(limits::frame_bytes);
  random.fill(block);
  EXPECT_LE(Packer().pack(block).size(), block.size() + 64);
}

TEST(Packing, KeepsStreamsOfTwoAudiencesApart) {
  SeededRandom random(6);
  const Bytes block = a_block(random, 3000);
  Packer first;
  Packer second;
  const Bytes alone = first.pack(block);
  EXPECT_EQ(second.pack(block), alone);
  EXPECT_LT(first.pack(block).size(), alone.size());
}

TEST(Packing, NeedsTheBlocksBefore) {
  SeededRandom random(7);
  Packer packer;
  const Bytes block = a_block(random, 3000);
  const Bytes first = packer.pack(block);
  const Bytes second = packer.pack(block);
  EXPECT_FALSE(Unpacker().unpack(second, block.size()));
}

TEST(Packing, RefusesAnotherSizeThanDeclared) {
  SeededRandom random(8);
  const Bytes block = a_block(random, 3000);
  const Bytes packed = Packer().pack(block);
  for (const std::size_t size : {0UL, 1UL, 2999UL, 3001UL, limits::frame_bytes}) {
    EXPECT_FALSE(Unpacker().unpack(packed, size)) << size;
  }
}

TEST(Packing, RefusesWhatIsCutShort) {
  SeededRandom random(9);
  const Bytes block = a_block(random, 500);
  const Bytes packed = Packer().pack(block);
  for (std::size_t size = 0; size < packed.size(); ++size) {
    EXPECT_FALSE(Unpacker().unpack(ByteView(packed).first(size), block.size())) << size;
  }
}

TEST(Packing, NeverGivesMoreThanDeclaredForDamagedBytes) {
  SeededRandom random(10);
  const Bytes block = a_block(random, 500);
  const Bytes packed = Packer().pack(block);
  for (std::size_t bit = 0; bit < packed.size() * 8; ++bit) {
    Bytes damaged = packed;
    damaged[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    const auto back = Unpacker().unpack(damaged, block.size());
    if (back) {
      EXPECT_EQ(back->size(), block.size()) << bit;
    }
  }
}

TEST(Packing, RefusesABomb) {
  const Bytes zeros(limits::frame_bytes, 0);
  const Bytes packed = zstd_frame(zeros, 20);
  ASSERT_LT(packed.size() * limits::frame_ratio, zeros.size());
  EXPECT_FALSE(Unpacker().unpack(packed, zeros.size()));
  EXPECT_FALSE(Unpacker().unpack(packed, packed.size() * limits::frame_ratio));
  const Bytes more = zstd_frame(Bytes(10 * limits::frame_bytes, 0), 20);
  EXPECT_FALSE(Unpacker().unpack(more, limits::frame_bytes + 1));
}

TEST(Packing, RefusesAWindowOverOneMebibyte) {
  SeededRandom random(11);
  const Bytes allowed{0x28, 0xB5, 0x2F, 0xFD, 0x00, 0x50, 0x08, 0x00, 0x00, 'x'};
  EXPECT_TRUE(Unpacker().unpack(allowed, 1));
  Bytes larger = allowed;
  larger[5] = 0x51;  // 2^20 and an eighth
  EXPECT_FALSE(Unpacker().unpack(larger, 1));
}

TEST(Packing, ReadsTheStreamWrittenByHandInTheVectors) {
  const Bytes block(1000, 'x');
  Bytes packed = samples::raw_packed_start();
  append(packed, samples::raw_packed_block(block));
  Unpacker unpacker;
  EXPECT_EQ(unpacker.unpack(packed, block.size()).value(), block);
  EXPECT_EQ(unpacker.unpack(samples::raw_packed_block(block), block.size()).value(), block);
}

}  // namespace
}  // namespace chapterd
