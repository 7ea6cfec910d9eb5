// An entry: header (hashed, linked) and payload (committed to). And the checkpoint that vouches for
// it.
#pragma once

#include "crypto/commitment.h"
#include "crypto/node_key.h"
#include "crypto/signature.h"
#include "replication/format/hybrid_time.h"
#include "replication/format/ids.h"

#include <cstdint>

namespace chapterd {

// Four bits. Kinds that this program does not know are stored and passed on, never dropped.
enum class EntryKind : std::uint8_t {
  data = 1,
  authority = 2,
  erase = 3,
  anchor = 4,
  end_of_feed = 5,
  key = 6,  // the chapter's keys, sealed to its nodes: format/sealed.h
  life = 7  // of its author's database: format/life.h
};

// Header flags.
inline constexpr std::uint8_t flag_run_end =
    1;  // a checkpoint at this entry is stored and always travels
inline constexpr std::uint8_t flag_sealed = 2;  // payload is ciphertext under the chapter key

// What the hash of an entry is taken over; on the wire most of it is implied.
struct Header {
  FeedId feed;
  Sequence seq;
  EntryHash prev;  // zero for the first entry
  EntryKind kind = EntryKind::data;
  std::uint8_t flags = 0;
  HybridTime time;
  std::uint32_t payload_bytes = 0;
  Commitment commitment;
};

inline constexpr std::size_t header_bytes = 119;

// BLAKE2b-256("chapterd/entry/1\0" | header). docs/protocol.md, "Entry".
[[nodiscard]] EntryHash entry_hash(const Header& header);

// The Ed25519 message that vouches for a feed up to and including `head`.
[[nodiscard]] Bytes checkpoint_message(const FederationId& federation, const Head& head);
[[nodiscard]] Signature sign_checkpoint(const SigningKey& node,
                                        const FederationId& federation,
                                        const Head& head);
[[nodiscard]] bool verify_checkpoint(const PublicKey& node,
                                     const FederationId& federation,
                                     const Head& head,
                                     const Signature& checkpoint);

}  // namespace chapterd
