// CBOR as a reader of any item sees it.
#pragma once

#include "replication/format/cbor.h"

#include <cstdint>
#include <limits>

namespace chapterd::testing {

// Reads one item by its type and writes what was understood.
inline void copy_item(CborReader& in, CborWriter& out) {
  constexpr std::size_t any = std::numeric_limits<std::size_t>::max();
  switch (in.peek()) {
    case CborType::uint:
    case CborType::negative:
      out.integer(in.integer());
      return;
    case CborType::bytes:
      out.bytes(in.bytes(any));
      return;
    case CborType::text:
      out.text(in.text(any));
      return;
    case CborType::boolean:
      out.boolean(in.boolean());
      return;
    case CborType::real:
      out.real(in.real());
      return;
    case CborType::array: {
      const std::uint64_t items = in.array(any);
      out.array(items);
      for (std::uint64_t i = 0; i < items; ++i) copy_item(in, out);
      return;
    }
    case CborType::map: {
      const std::uint64_t pairs = in.map(any);
      out.map(pairs);
      for (std::uint64_t i = 0; i < 2 * pairs; ++i) copy_item(in, out);
      return;
    }
    case CborType::null:
    case CborType::invalid:
      break;
  }
  in.null();
  out.null();
}

}  // namespace chapterd::testing
