// What each check covers.
#include "replication/store/sqlite/row_checks.h"

#include "base/byte_stream.h"
#include "crypto/accident_check.h"

namespace chapterd {
namespace {

constexpr std::size_t check_bytes = 8;

void write(ByteWriter& out, const Position& position) {
  out.u64(position.seq.value).fixed(position.hash);
}

std::uint64_t check_of(const StoredLayer& layer, ByteView state) {
  ByteWriter out(state.size() + 64);
  out.u64(layer.row.value).u64(layer.space.value).fixed(layer.record).u64(layer.kind.value);
  return accident_check(out.u64(layer.newest.value).bytes(state).view());
}

}  // namespace

std::uint64_t check_of(const StoredFeed& feed) {
  ByteWriter out(192);
  out.u64(feed.row.value).fixed(feed.id).u64(feed.seq.value).fixed(feed.hash);
  out.u64(feed.trunk.value);
  write(out, feed.fork);
  write(out, feed.stands);
  return accident_check(out.view());
}

std::uint64_t check_of(const StoredSpace& space) {
  ByteWriter out(64);
  out.u64(space.row.value).fixed(space.home).u8(static_cast<std::uint8_t>(space.audience));
  return accident_check(out.fixed(space.target).view());
}

std::uint64_t check_of(const StoredKind& kind) {
  ByteWriter out(64);
  return accident_check(out.u64(kind.row.value).bytes(as_bytes(kind.name)).view());
}

Bytes with_check(const StoredLayer& layer, ByteView state) {
  ByteWriter out(state.size() + check_bytes);
  return out.bytes(state).u64(check_of(layer, state)).take();
}

Bytes without_check(const StoredLayer& layer, Bytes stored) {
  const Bytes damaged(std::begin(damaged_state), std::end(damaged_state));
  if (stored.size() < check_bytes) return damaged;
  const ByteView state = ByteView(stored).first(stored.size() - check_bytes);
  if (ByteReader(ByteView(stored).last(check_bytes)).u64() != check_of(layer, state))
    return damaged;
  stored.resize(state.size());
  return stored;
}

}  // namespace chapterd
