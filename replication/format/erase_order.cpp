// Bytes of erase orders.
#include "replication/format/erase_order.h"

#include "base/byte_stream.h"
#include "base/contract.h"
#include "replication/format/cbor.h"
#include "replication/format/limits.h"

#include <algorithm>
#include <tuple>

namespace chapterd {
namespace {

constexpr std::uint64_t order_version = 1;
// version, record, kind, reason, entries, superseded; then the signature, if there is one
constexpr std::uint64_t unsigned_items = 6;
constexpr std::size_t entry_bytes = 32 + 8 + 32;
constexpr std::size_t name_bytes = 8 + 2;
constexpr std::size_t signature_item_bytes = 2 + Signature::size;
constexpr std::uint8_t unsigned_array = 0x80 | unsigned_items;

tl::unexpected<Error> malformed(const char* what) {
  return fail(Errc::malformed, "format.erase-order", what);
}

auto place(const Head& entry) {
  return std::tie(entry.feed, entry.seq, entry.hash);
}

void write_body(CborWriter& out, const EraseOrder& order) {
  out.uint(order_version).bytes(order.record.view()).text(order.kind);
  out.uint(static_cast<std::uint64_t>(order.reason)).array(order.entries.size());
  for (const Head& entry : order.entries) {
    ByteWriter raw(entry_bytes);
    out.bytes(raw.fixed(entry.feed).u64(entry.seq.value).fixed(entry.hash).view());
  }
  out.array(order.superseded.size());
  for (const Superseded& each : order.superseded) {
    ByteWriter raw(each.names.size() * name_bytes);
    for (const ValueName& name : each.names) raw.u64(name.entry).u16(name.operation);
    out.array(2).text(each.field).bytes(raw.view());
  }
}

Bytes signed_message(const FederationId& federation, ByteView unsigned_payload) {
  ByteWriter out(unsigned_payload.size() + 64);
  out.bytes(as_bytes("chapterd/erase/1")).u8(0).fixed(federation).bytes(unsigned_payload);
  return out.take();
}

bool read_entries(CborReader& in, EraseOrder& order) {
  const std::uint64_t count = in.array(limits::order_entries);
  if (count == 0) return false;
  for (std::uint64_t i = 0; i < count && in.good(); ++i) {
    const ByteView item = in.bytes(entry_bytes);
    if (item.size() != entry_bytes) return false;
    ByteReader raw(item);
    Head entry;
    entry.feed = raw.fixed<FeedId>();
    entry.seq = Sequence(raw.u64());
    entry.hash = raw.fixed<EntryHash>();
    if (entry.seq.value == 0) return false;
    if (i > 0 && place(entry) <= place(order.entries.back())) return false;
    order.entries.push_back(entry);
  }
  return in.good();
}

bool read_names(CborReader& in, Superseded& into) {
  const ByteView item = in.bytes(limits::payload_bytes);
  if (item.empty() || item.size() % name_bytes != 0) return false;
  for (ByteReader raw(item); raw.remaining() > 0;) {
    ValueName name;
    name.entry = raw.u64();
    name.operation = raw.u16();
    if (name.operation >= limits::operations) return false;
    if (!into.names.empty() && name <= into.names.back()) return false;
    into.names.push_back(name);
  }
  return true;
}

bool read_superseded(CborReader& in, EraseOrder& order) {
  const std::uint64_t count = in.array(limits::operations);
  for (std::uint64_t i = 0; i < count && in.good(); ++i) {
    if (in.array(2) != 2) return false;
    Superseded each;
    each.field = std::string(in.text(limits::field_bytes));
    if (each.field.empty() || !read_names(in, each)) return false;
    if (i > 0 && each.field <= order.superseded.back().field) return false;
    order.superseded.push_back(std::move(each));
  }
  return in.good();
}

}  // namespace

Bytes encode(const EraseOrder& order) {
  CHECK(!order.entries.empty() && order.entries.size() <= limits::order_entries);
  CborWriter out;
  out.array(unsigned_items + (order.chapter_signature ? 1U : 0U));
  write_body(out, order);
  if (order.chapter_signature) out.bytes(order.chapter_signature->view());
  return out.take();
}

void sign(EraseOrder& order, const FederationId& federation, const SigningKey& authority) {
  order.chapter_signature.reset();
  order.chapter_signature = authority.sign(signed_message(federation, encode(order)));
}

bool verify_erase_order(const FederationId& federation,
                        ByteView payload,
                        const PublicKey& authority) {
  if (payload.size() <= signature_item_bytes || payload.front() != unsigned_array + 1) return false;
  const auto signature = Signature::from(payload.last(Signature::size));
  const ByteView body = payload.first(payload.size() - signature_item_bytes);
  Bytes unsigned_payload(body.begin(), body.end());
  unsigned_payload.front() = unsigned_array;
  return signature && verify(authority, signed_message(federation, unsigned_payload),
                             Signature{signature->bytes});
}

Result<EraseOrder> decode_erase_order(ByteView payload) {
  CborReader in(payload);
  const std::uint64_t items = in.array(64);
  const std::uint64_t version = in.uint();
  if (!in.good()) return malformed("An erase order is no CBOR array with a version.");
  if (version > order_version) {
    return fail(Errc::not_compatible, "format.newer-erase-order",
                "An erase order is in a newer format than this program knows.",
                "It is kept and passed on unchanged.", "Update this node; it is then obeyed.");
  }
  if (version != order_version || (items != unsigned_items && items != unsigned_items + 1))
    return malformed("An erase order has the wrong shape.");
  EraseOrder order;
  const auto record = RecordId::from(in.bytes(RecordId::size));
  order.kind = std::string(in.text(limits::kind_bytes));
  const std::uint64_t reason = in.uint();
  if (!in.good() || !record || order.kind.empty() || reason > UINT8_MAX)
    return malformed("An erase order does not say which record it is about.");
  order.record = RecordId{record->bytes};
  order.reason = static_cast<EraseReason>(reason);
  if (!read_entries(in, order)) return malformed("An erase order names entries wrongly.");
  if (!read_superseded(in, order)) return malformed("An erase order names values wrongly.");
  if (items == unsigned_items + 1) {
    const auto signature = Signature::from(in.bytes(Signature::size));
    if (!in.good() || !signature) return malformed("An erase order has a damaged signature.");
    order.chapter_signature = Signature{signature->bytes};
  }
  if (!in.finished()) return malformed("An erase order is cut short or has bytes left over.");
  return order;
}

}  // namespace chapterd
