// Reading pieces as the store keeps them.
#pragma once

#include "base/byte_stream.h"
#include "replication/format/piece.h"
#include "replication/store/store.h"

#include <optional>
#include <utility>
#include <vector>

namespace chapterd {

// Borrows from the body; nothing when it is damaged, or its row says another number of entries or
// another place. So what lies within the row lies within the piece.
[[nodiscard]] inline std::optional<Piece> undamaged(const StoredPiece& stored) {
  auto piece = decode_piece(stored.body);
  if (!piece || piece->first != stored.seq || piece->entries.size() != stored.count)
    return std::nullopt;
  return std::move(*piece);
}

// The same; throws Damaged.
[[nodiscard]] inline Piece decoded(const StoredPiece& stored) {
  auto piece = undamaged(stored);
  if (!piece) throw Damaged("a piece in the database is damaged");
  return std::move(*piece);
}

// The hashes of its entries. Throws Damaged when its bytes are not those that were hashed once.
[[nodiscard]] inline std::vector<EntryHash> hashes_in(const StoredPiece& stored,
                                                      const Piece& piece,
                                                      const FeedId& feed) {
  auto hashes = chain(piece, feed, stored.prev);
  if (hashes.back() != stored.last) throw Damaged("a piece in the database is damaged");
  return hashes;
}

[[nodiscard]] inline Sequence last_of(const StoredPiece& piece) {
  return Sequence(piece.seq.value + piece.count - 1);
}

// The entry before this one in the same layer; 0 for none.
[[nodiscard]] inline Arrival link_of(const StoredPiece& piece, std::size_t index) {
  ByteReader links(piece.links);
  for (std::size_t i = 0; i < index; ++i) static_cast<void>(links.varint());
  return Arrival(links.varint());
}

inline void set_link(StoredPiece& piece, std::size_t index, Arrival to) {
  ByteReader links(piece.links);
  ByteWriter out;
  for (std::size_t i = 0; i < piece.count; ++i) {
    const std::uint64_t link = links.varint();
    out.varint(i == index ? to.value : link);
  }
  piece.links = out.take();
}

}  // namespace chapterd
