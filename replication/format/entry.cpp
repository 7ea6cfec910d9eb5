// Hashes of entries and signatures over heads.
#include "replication/format/entry.h"

#include "base/byte_stream.h"

#include <cstring>

namespace chapterd {
namespace {

constexpr std::uint8_t header_version = 1;

void put_big_endian(std::uint8_t* to, std::uint64_t value, unsigned bytes) {
  for (unsigned i = 0; i < bytes; ++i)
    to[i] = static_cast<std::uint8_t>(value >> (8 * (bytes - 1 - i)));
}

}  // namespace

EntryHash entry_hash(const Header& header) {
  std::array<std::uint8_t, header_bytes> raw;  // filled whole below
  raw[0] = header_version;
  std::memcpy(&raw[1], header.feed.bytes.data(), 32);
  put_big_endian(&raw[33], header.seq.value, 8);
  std::memcpy(&raw[41], header.prev.bytes.data(), 32);
  raw[73] = static_cast<std::uint8_t>(header.kind);
  raw[74] = header.flags;
  put_big_endian(&raw[75], header.time.value, 8);
  put_big_endian(&raw[83], header.payload_bytes, 4);
  std::memcpy(&raw[87], header.commitment.bytes.data(), 32);
  return EntryHash{hash("chapterd/entry/1", raw).bytes};
}

Bytes checkpoint_message(const FederationId& federation, const Head& head) {
  ByteWriter out(128);
  out.bytes(as_bytes("chapterd/checkpoint/1")).u8(0);
  out.fixed(federation).fixed(head.feed).u64(head.seq.value).fixed(head.hash);
  return out.take();
}

Signature sign_checkpoint(const SigningKey& node,
                          const FederationId& federation,
                          const Head& head) {
  return node.sign(checkpoint_message(federation, head));
}

bool verify_checkpoint(const PublicKey& node,
                       const FederationId& federation,
                       const Head& head,
                       const Signature& checkpoint) {
  return verify(node, checkpoint_message(federation, head), checkpoint);
}

}  // namespace chapterd
