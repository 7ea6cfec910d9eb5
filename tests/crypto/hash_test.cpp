// Labelled hashes against values computed elsewhere.
#include "crypto/hash.h"

#include <gtest/gtest.h>

#include <numeric>

namespace chapterd {
namespace {

Bytes counting(std::size_t count) {
  Bytes bytes(count);
  std::iota(bytes.begin(), bytes.end(), std::uint8_t{0});
  return bytes;
}

// python3: hashlib.blake2b(b"chapterd/entry/1\0" + bytes(range(119)), digest_size=32)
TEST(Hash, OfAnEntryHeaderIsWhatAnotherImplementationComputes) {
  const Digest digest = hash("chapterd/entry/1", counting(119));
  EXPECT_EQ(to_hex(digest.view()),
            "3330d1411c97ea117dff13b6c1c7851ab2b8842da2119821dc053ffcdeb885a2");
}

// python3: hashlib.blake2b(b"chapterd/feed/1\0" + b"\7" + (0x0102030405060708).to_bytes(8, "big"),
//                          digest_size=32)
TEST(Hash, WritesNumbersBigEndian) {
  const Digest digest = Hasher("chapterd/feed/1").u8(7).u64(0x0102030405060708U).finish();
  EXPECT_EQ(to_hex(digest.view()),
            "37e244c6e77e17452786423b5ea2ea2639e7243eed043be2a9d4fb52736c1df2");
}

// python3: hashlib.blake2b(b"chapterd/x/1\0abc", digest_size=16)
TEST(Hash, OfSixteenBytesIsAHashOfItsOwn) {
  using Short = Fixed<16, struct ShortTag>;
  const auto value = hash_as<Short>("chapterd/x/1", as_bytes("abc"));
  EXPECT_EQ(to_hex(value.view()), "98c9b6d51f0baf5fbbcd751033df236c");
}

TEST(Hash, IsTheSameInOnePieceAndInAnyTwo) {
  const Bytes message = counting(250);
  const ByteView all = message;
  const Digest whole = hash("chapterd/entry/1", all);
  for (std::size_t cut = 0; cut <= all.size(); ++cut) {
    Hasher hasher("chapterd/entry/1");
    hasher.add(all.first(cut)).add(all.subspan(cut));
    EXPECT_EQ(hasher.finish(), whole) << "cut at " << cut;
  }
}

TEST(Hash, OfOneMessageDiffersUnderEveryLabel) {
  const Bytes message = counting(40);
  EXPECT_NE(hash("chapterd/entry/1", message), hash("chapterd/feed/1", message));
  EXPECT_NE(hash("chapterd/entry/1", message), hash("chapterd/entry/10", message));
}

TEST(Hash, DoesNotLetALabelGrowIntoTheMessage) {
  EXPECT_NE(hash("chapterd/a", as_bytes("b")), hash("chapterd/ab", {}));
}

TEST(Hash, GivesTheSameBytesUnderAnyTag) {
  using Named = Fixed<32, struct NamedTag>;
  const auto named = Hasher("chapterd/x/1").add(counting(9)).finish_as<Named>();
  EXPECT_EQ(named.bytes, hash("chapterd/x/1", counting(9)).bytes);
  EXPECT_EQ(named.bytes, hash_as<Named>("chapterd/x/1", counting(9)).bytes);
}

}  // namespace
}  // namespace chapterd
