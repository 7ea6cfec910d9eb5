// What the next key of a chapter signs, and what genesis keeps of the recovery key.
#include "base/byte_stream.h"
#include "replication/format/statements.h"

namespace chapterd {
namespace {

constexpr std::string_view successor_label = "chapterd/successor/1";
constexpr std::string_view recovery_label = "chapterd/recovery/1";

Bytes acceptance_message(const FederationId& federation,
                         const ChapterId& chapter,
                         const PublicKey& authority) {
  ByteWriter out;
  out.bytes(as_bytes(successor_label)).u8(0).fixed(federation).fixed(chapter);
  return out.u8(algorithm_ed25519).fixed(authority).take();
}

}  // namespace

Signature accept_succession(const FederationId& federation,
                            const ChapterId& chapter,
                            const SigningKey& authority) {
  return authority.sign(acceptance_message(federation, chapter, authority.public_key()));
}

bool verify_acceptance(const FederationId& federation, const Successor& successor) {
  return verify(successor.authority,
                acceptance_message(federation, successor.chapter, successor.authority),
                successor.acceptance);
}

Digest recovery_hash(const PublicKey& recovery) {
  return hash(recovery_label, recovery.view());
}

}  // namespace chapterd
