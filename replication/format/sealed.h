// What only a chapter can read: sealed payloads of its entries, and how its keys are handed to its
// nodes. docs/protocol.md, section 19.
#pragma once

#include "base/random.h"
#include "base/result.h"
#include "crypto/seal.h"
#include "crypto/signature.h"
#include "replication/format/ids.h"

#include <compare>
#include <cstdint>
#include <vector>

namespace chapterd {

// First eight bytes of a hash over the key: two nodes may start one generation at the same time.
using ChapterKeyId = Fixed<8, struct ChapterKeyIdTag>;

struct ChapterKeyName {
  std::uint32_t generation = 0;  // from 1
  ChapterKeyId id;

  friend auto operator<=>(const ChapterKeyName&, const ChapterKeyName&) = default;
};

[[nodiscard]] ChapterKeyName name_chapter_key(const FederationId& federation,
                                              const ChapterId& chapter,
                                              std::uint32_t generation,
                                              const ChapterKey& key);

// --- payloads ---

// What sealing adds to a payload at most: generation, nonce, tag, form.
inline constexpr std::size_t sealed_payload_overhead = 4 + seal_overhead_bytes + 1;

// What is authenticated with a payload: federation, home chapter and author of the feed. Not the
// feed's id and sequence: entries that have not left the node are chained anew, also while the key
// is locked.
[[nodiscard]] Bytes payload_context(const FederationId& federation,
                                    const ChapterId& chapter,
                                    const PublicKey& author);

// Compressed when that is smaller, then sealed.
[[nodiscard]] Bytes seal_payload(const ChapterKey& key,
                                 std::uint32_t generation,
                                 ByteView plain,
                                 ByteView context,
                                 Random& random);
// Which generation sealed it; 0 when it is too short to be a sealed payload.
[[nodiscard]] std::uint32_t generation_of(ByteView payload);
// Errors: seal.refused (another key or context, or changed), seal.malformed. What unpacks to more
// than a payload may have is malformed.
[[nodiscard]] Result<Bytes> open_payload(const ChapterKey& key, ByteView payload, ByteView context);

// --- keys for nodes: the payload of an entry of kind `key` in a `chapter` feed ---

// A chapter's key, sealed to the X25519 key of one node.
struct KeyWrap {
  ChapterKeyName key;
  PublicKey node;
  Fixed<ChapterKey::key_size + seal_to_overhead_bytes, struct WrappedTag> sealed;
};

[[nodiscard]] Bytes encode(const std::vector<KeyWrap>& wraps);
// Errors: format.key-wraps (malformed); not_compatible for a later version.
[[nodiscard]] Result<std::vector<KeyWrap>> decode_key_wraps(ByteView payload);

}  // namespace chapterd
