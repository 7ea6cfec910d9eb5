// A change: operations on fields of one record in one layer, atomic. The payload of a data entry.
#pragma once

#include "base/result.h"
#include "replication/format/ids.h"

#include <string>
#include <vector>

namespace chapterd {

enum class Action : std::uint8_t {
  set = 0,     // the field has this value
  clear = 1,   // the values seen go; concurrent ones stay
  add = 2,     // the value is in the set
  remove = 3,  // the adds seen of this value go; concurrent ones stay
};

// Names a value: eight bytes of the hash of its entry, and the number of its operation there.
// Matched only within one record, layer, field and (for sets) element.
struct ValueName {
  std::uint64_t entry = 0;
  std::uint16_t operation = 0;

  friend auto operator<=>(const ValueName&, const ValueName&) = default;
};

[[nodiscard]] std::uint64_t name_part(const EntryHash& hash);

// What the author of a change writes.
struct Operation {
  std::string field;
  Action action = Action::set;
  Bytes value;  // one item of deterministic CBOR; empty exactly for clear
  std::vector<ValueName> supersedes;
};

struct Change {
  RecordId record;           // of the author's own chapter, always
  std::string kind;          // "insight"; any text, known here or not
  std::uint32_t schema = 1;  // version of the kind's schema
  std::vector<Operation> operations;
};

// What a reader of a change sees: everything borrows from the payload.
struct OperationView {
  std::string_view field;
  Action action = Action::set;
  ByteView value;
  std::uint32_t first_name = 0;  // into ChangeView::names
  std::uint32_t name_count = 0;
};

struct ChangeView {
  RecordId record;
  std::string_view kind;
  std::uint32_t schema = 1;
  std::vector<OperationView> operations;
  std::vector<ValueName> names;

  [[nodiscard]] std::span<const ValueName> supersedes(const OperationView& operation) const {
    return std::span(names).subspan(operation.first_name, operation.name_count);
  }
};

// docs/protocol.md, "Change". Operations keep their order (their numbers are part of value names).
[[nodiscard]] Bytes encode(const Change& change);

// Strict. `into` is overwritten, so that its vectors can be used again. Errc::malformed for what
// breaks the format; Errc::not_compatible for a later version of the format, to be kept as pending.
[[nodiscard]] Result<void> decode_change(ByteView payload, ChangeView& into);

}  // namespace chapterd
