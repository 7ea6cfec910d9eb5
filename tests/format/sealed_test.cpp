// Sealed payloads: what opens them, and what they hide.
#include "replication/format/sealed.h"

#include "replication/format/limits.h"
#include "tests/crypto/seeded_random.h"

#include <gtest/gtest.h>

namespace chapterd {
namespace {

struct SealedPayload : ::testing::Test {
  SeededRandom random{9};
  ChapterKey key = ChapterKey::generate(random);
  FederationId federation = random.fixed<FederationId>();
  ChapterId chapter = random.fixed<ChapterId>();
  PublicKey author = random.fixed<PublicKey>();
  Bytes context = payload_context(federation, chapter, author);

  Bytes sealed(const Bytes& plain) { return seal_payload(key, 3, plain, context, random); }
};

TEST_F(SealedPayload, ComesBackAndNeverGrowsBeyondItsOverhead) {
  for (const std::size_t size : {1UL, 10UL, 500UL, limits::payload_bytes}) {
    Bytes noise(size);
    random.fill(noise);
    for (const Bytes& plain : {Bytes(size, 'a'), noise}) {
      const Bytes payload = sealed(plain);
      EXPECT_LE(payload.size(), size + sealed_payload_overhead);
      EXPECT_EQ(generation_of(payload), 3U);
      const auto opened = open_payload(key, payload, context);
      ASSERT_TRUE(opened);
      EXPECT_EQ(*opened, plain);
    }
  }
  EXPECT_LT(sealed(Bytes(500, 'a')).size(), 100U);  // packed before it was sealed
}

TEST_F(SealedPayload, OpensForNobodyElseAndNowhereElse) {
  const Bytes payload = sealed(Bytes(50, 7));
  const ChapterKey other = ChapterKey::generate(random);
  EXPECT_EQ(open_payload(other, payload, context).error().code, "seal.refused");
  for (const Bytes& place : {payload_context(random.fixed<FederationId>(), chapter, author),
                             payload_context(federation, random.fixed<ChapterId>(), author),
                             payload_context(federation, chapter, random.fixed<PublicKey>())})
    EXPECT_EQ(open_payload(key, payload, place).error().code, "seal.refused");
  Bytes changed = payload;
  changed.back() ^= 1;
  EXPECT_FALSE(open_payload(key, changed, context));
  EXPECT_FALSE(open_payload(key, ByteView(payload).first(10), context));
}

// Whoever holds the key may still not make a reader allocate without bounds.
TEST_F(SealedPayload, WhatUnpacksToTooMuchIsRefused) {
  for (const Bytes& inside : {Bytes{1, 0x28, 0xB5, 0x2F, 0xFD, 0xE0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
                                    0xFF, 0xFF, 0x7F, 0x01, 0x00, 0x00},
                              Bytes{1, 'n', 'o', 'n', 'e'}, Bytes{2, 1, 2, 3}}) {
    Bytes payload{0, 0, 0, 3};
    append(payload, key.seal(inside, context, random));
    const auto opened = open_payload(key, payload, context);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, "seal.malformed");
  }
}

TEST_F(SealedPayload, TheSameKeyIsNamedDifferentlyElsewhere) {
  const ChapterKeyName name = name_chapter_key(federation, chapter, 3, key);
  EXPECT_EQ(name, name_chapter_key(federation, chapter, 3, key));
  EXPECT_NE(name.id, name_chapter_key(federation, chapter, 4, key).id);
  EXPECT_NE(name.id, name_chapter_key(federation, random.fixed<ChapterId>(), 3, key).id);
}

TEST_F(SealedPayload, AKeySealedWithHandedInChanceOpensLikeAnyOther) {
  const BoxKey box = BoxKey::generate(random);
  const auto sealed = seal_to(box.public_key(), key.secret(), random);
  ASSERT_TRUE(sealed);
  const auto opened = open_sealed(box, *sealed);
  ASSERT_TRUE(opened);
  EXPECT_TRUE(std::equal(opened->begin(), opened->end(), key.secret().begin()));
  EXPECT_FALSE(open_sealed(BoxKey::generate(random), *sealed));
  EXPECT_EQ(seal_to(BoxPublicKey{}, key.secret(), random).error().code, "seal.bad-recipient");
}

}  // namespace
}  // namespace chapterd
