// What a peer may say against what was agreed, made by hand; and what can be seen of its effect.
#pragma once

#include "replication/format/receipt.h"
#include "tests/support/node.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace chapterd::testing {

// All that a node holds of its own feed, as one frame that any peer entitled to it would take.
inline Frame segment_of(TestNode& node, Audience audience) {
  const Directory& directory = node.replica->directory();
  const KnownFeed& feed = *directory.feed(node.head(audience).feed);
  Segment segment;
  segment.audience = audience;
  for (const StoredPiece& stored : node.store->pieces_of(feed.row, Sequence(1), SIZE_MAX)) {
    auto piece = decode_piece(stored.body);
    if (!piece->checkpoint) {
      piece->checkpoint = sign_checkpoint(*node.key, directory.authority().federation(),
                                          {feed.head.feed, piece->last(), stored.last});
    }
    SegmentPiece part;
    part.feed = 1000 + static_cast<std::uint32_t>(audience);
    if (segment.pieces.empty()) part.intro = feed.intro_bytes;
    part.piece = encode(*piece);
    segment.pieces.push_back(std::move(part));
  }
  SegmentFrame frame;
  frame.audience = audience;
  frame.content = encode(segment);
  frame.size = frame.content.size();
  return frame;
}

// Its receipt for a feed that it holds, as it would sign it.
inline Frame receipt_by(TestNode& node, const Head& head) {
  const Directory& directory = node.replica->directory();
  return ReceiptsFrame{{sign_receipt(directory.authority().federation(),
                                     {node.id(), directory.epoch(), head}, *node.key)}};
}

// Of this node, as another one holds them.
inline std::size_t receipts_by(TestNode& node, TestNode& at) {
  const auto receipts = at.store->receipts_after(Arrival(0), 100);
  return static_cast<std::size_t>(std::ranges::count(receipts, node.id(), &StoredReceipt::node));
}

inline std::vector<AckFrame> acknowledgements(const Bytes& bytes) {
  FrameParser parser;
  parser.append(bytes);
  std::vector<AckFrame> found;
  for (auto frame = parser.next(); frame && *frame; frame = parser.next()) {
    if (const auto* ack = std::get_if<AckFrame>(&**frame)) found.push_back(*ack);
  }
  return found;
}

}  // namespace chapterd::testing
