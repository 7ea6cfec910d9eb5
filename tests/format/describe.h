// What decoded structures say, as JSON: the readable half of the vectors.
#pragma once

#include "replication/format/change.h"
#include "replication/format/erase_order.h"
#include "replication/format/feed.h"
#include "replication/format/frame.h"
#include "replication/format/life.h"
#include "replication/format/piece.h"
#include "replication/format/receipt.h"
#include "replication/format/statements.h"

#include <nlohmann/json.hpp>

namespace chapterd {

using Json = nlohmann::ordered_json;

template <std::size_t N, class Tag>
[[nodiscard]] Json hex_of(const Fixed<N, Tag>& value) {
  return to_hex(value.view());
}

[[nodiscard]] Json describe(const Head& head);
[[nodiscard]] Json describe(const Genesis& genesis);
[[nodiscard]] Json describe(const Statement& statement);
[[nodiscard]] Json describe(const FeedIntro& intro);
[[nodiscard]] Json describe(const Piece& piece);
[[nodiscard]] Json describe(const ChangeView& change);
[[nodiscard]] Json describe(const EraseOrder& order);
[[nodiscard]] Json describe(const Receipt& receipt);
[[nodiscard]] Json describe(const Life& life);
[[nodiscard]] Json describe(const Segment& segment);
[[nodiscard]] Json describe(const Frame& frame);

// A value of deterministic CBOR: bytes as {"bytes": hex}, floats as {"float": hex of binary64}, the
// rest as itself.
[[nodiscard]] Json describe_cbor(ByteView item);

}  // namespace chapterd
