// Bytes and signatures of receipts.
#include "replication/format/receipt.h"

#include "base/byte_stream.h"

namespace chapterd {
namespace {

constexpr std::uint8_t receipt_version = 1;

Bytes message(const FederationId& federation, ByteView body) {
  ByteWriter out;
  return out.bytes(as_bytes("chapterd/receipt/1")).u8(0).fixed(federation).bytes(body).take();
}

}  // namespace

Bytes sign_receipt(const FederationId& federation, const Receipt& receipt, const SigningKey& node) {
  ByteWriter out;
  out.u8(receipt_version).u8(algorithm_ed25519).fixed(receipt.node).u64(receipt.epoch.value);
  out.fixed(receipt.head.feed).u64(receipt.head.seq.value).fixed(receipt.head.hash);
  const Signature signature = node.sign(message(federation, out.view()));
  return out.fixed(signature).take();
}

Result<Receipt> decode_receipt(ByteView bytes) {
  ByteReader in(bytes);
  Receipt receipt;
  if (in.u8() != receipt_version || in.u8() != algorithm_ed25519) in.mark_bad();
  receipt.node = in.fixed<PublicKey>();
  receipt.epoch = Epoch(in.u64());
  receipt.head.feed = in.fixed<FeedId>();
  receipt.head.seq = Sequence(in.u64());
  receipt.head.hash = in.fixed<EntryHash>();
  in.fixed<Signature>();
  if (!in.finished())
    return fail(Errc::malformed, "format.receipt", "A receipt has the wrong shape.");
  return receipt;
}

bool verify_receipt(const FederationId& federation, ByteView receipt, const PublicKey& node) {
  if (receipt.size() < Signature::size) return false;
  const ByteView body = receipt.first(receipt.size() - Signature::size);
  const auto signature = Signature::from(receipt.last(Signature::size));
  return verify(node, message(federation, body), Signature{signature->bytes});
}

}  // namespace chapterd
