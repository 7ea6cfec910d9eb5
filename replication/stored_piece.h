// Reading pieces as the store keeps them.
#pragma once

#include "base/byte_stream.h"
#include "replication/format/piece.h"
#include "replication/store/store.h"

#include <utility>

namespace chapterd {

// Borrows from the body. Throws Damaged when the piece is.
[[nodiscard]] inline Piece decoded(const StoredPiece& stored) {
  auto piece = decode_piece(stored.body);
  if (!piece) throw Damaged("a piece in the database is damaged");
  return std::move(*piece);
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
