// Bytes of changes.
#include "replication/format/change.h"

#include "base/contract.h"
#include "replication/format/cbor.h"
#include "replication/format/limits.h"

#include <algorithm>

namespace chapterd {
namespace {

constexpr std::uint64_t change_version = 1;
constexpr std::uint64_t change_items =
    6;  // version, record, kind, schema, entries named, operations

tl::unexpected<Error> malformed(const char* what) {
  return fail(Errc::malformed, "format.change", what);
}

// The entries that value names point at, each once, in order.
std::vector<std::uint64_t> named_entries(const Change& change) {
  std::vector<std::uint64_t> entries;
  for (const Operation& operation : change.operations) {
    for (const ValueName& name : operation.supersedes) entries.push_back(name.entry);
  }
  std::sort(entries.begin(), entries.end());
  entries.erase(std::unique(entries.begin(), entries.end()), entries.end());
  return entries;
}

void write_names(CborWriter& out,
                 std::span<const ValueName> names,
                 std::span<const std::uint64_t> entries) {
  out.array(names.size() * 2);
  for (const ValueName& name : names) {
    const auto at = std::lower_bound(entries.begin(), entries.end(), name.entry);
    out.uint(static_cast<std::uint64_t>(at - entries.begin())).uint(name.operation);
  }
}

Bytes big_endian(std::uint64_t value) {
  ByteWriter out;
  return out.u64(value).take();
}

bool read_entries(CborReader& in, std::vector<std::uint64_t>& entries) {
  const std::uint64_t count = in.array(limits::superseded);
  for (std::uint64_t i = 0; i < count && in.good(); ++i) {
    const ByteView raw = in.bytes(8);
    if (raw.size() != 8) return false;
    const std::uint64_t entry = ByteReader(raw).u64();
    if (i > 0 && entry <= entries.back()) return false;
    entries.push_back(entry);
  }
  return in.good();
}

bool read_names(CborReader& in, std::span<const std::uint64_t> entries, ChangeView& into) {
  const std::uint64_t items = in.array(limits::superseded * 2);
  if (items % 2 != 0 || items == 0) return false;
  for (std::uint64_t i = 0; i < items / 2 && in.good(); ++i) {
    const std::uint64_t entry = in.uint();
    const std::uint64_t operation = in.uint();
    if (entry >= entries.size() || operation >= limits::operations) return false;
    into.names.push_back({entries[entry], static_cast<std::uint16_t>(operation)});
  }
  return in.good();
}

// One encoding a change: an entry that no operation names is not listed.
bool names_all(const ChangeView& change, std::span<const std::uint64_t> entries) {
  std::vector<bool> named(entries.size(), false);
  for (const ValueName& name : change.names) {
    const auto at = std::lower_bound(entries.begin(), entries.end(), name.entry);
    named[static_cast<std::size_t>(at - entries.begin())] = true;
  }
  return std::find(named.begin(), named.end(), false) == named.end();
}

// [field, action, value?, names?]: a clear has no value, everything else has one.
bool read_operation(CborReader& in, std::span<const std::uint64_t> entries, ChangeView& into) {
  OperationView& operation = into.operations.emplace_back();
  const std::uint64_t items = in.array(4);
  operation.field = in.text(limits::field_bytes);
  const std::uint64_t action = in.uint();
  if (!in.good() || operation.field.empty() || action > 3) return false;
  operation.action = static_cast<Action>(action);
  const bool has_value = operation.action != Action::clear;
  const std::uint64_t least = has_value ? 3 : 2;
  if (items < least || items > least + 1) return false;
  if (has_value) operation.value = in.item(limits::depth);
  operation.first_name = static_cast<std::uint32_t>(into.names.size());
  if (items == least + 1 && !read_names(in, entries, into)) return false;
  operation.name_count = static_cast<std::uint32_t>(into.names.size()) - operation.first_name;
  return in.good();
}

}  // namespace

std::uint64_t name_part(const EntryHash& hash) {
  return ByteReader(hash.view()).u64();
}

Bytes encode(const Change& change) {
  const std::vector<std::uint64_t> entries = named_entries(change);
  CborWriter out;
  out.array(change_items).uint(change_version).bytes(change.record.view());
  out.text(change.kind).uint(change.schema).array(entries.size());
  for (const std::uint64_t entry : entries) out.bytes(big_endian(entry));
  out.array(change.operations.size());
  for (const Operation& operation : change.operations) {
    const bool has_value = operation.action != Action::clear;
    CHECK(has_value != operation.value.empty());
    out.array(2U + (has_value ? 1U : 0U) + (operation.supersedes.empty() ? 0U : 1U));
    out.text(operation.field).uint(static_cast<std::uint64_t>(operation.action));
    if (has_value) out.raw(operation.value);
    if (!operation.supersedes.empty()) write_names(out, operation.supersedes, entries);
  }
  return out.take();
}

Result<void> decode_change(ByteView payload, ChangeView& into) {
  into.operations.clear();
  into.names.clear();
  CborReader in(payload);
  const std::uint64_t items = in.array(64);
  const std::uint64_t version = in.uint();
  if (!in.good()) return malformed("A change is no CBOR array with a version.");
  if (version > change_version) {
    return fail(Errc::not_compatible, "format.newer-change",
                "A change is in a newer format than this program knows.",
                "It is kept and passed on unchanged.",
                "Update this node; the change then appears by itself.");
  }
  if (version != change_version || items != change_items)
    return malformed("A change has the wrong shape.");
  const auto record = RecordId::from(in.bytes(RecordId::size));
  if (!record) return malformed("A change names no record.");
  into.record = RecordId{record->bytes};
  into.kind = in.text(limits::kind_bytes);
  const std::uint64_t schema = in.uint();
  if (schema > UINT32_MAX) return malformed("A change names an impossible schema.");
  into.schema = static_cast<std::uint32_t>(schema);
  std::vector<std::uint64_t> entries;
  if (!read_entries(in, entries)) return malformed("A change lists the entries it names wrongly.");
  const std::uint64_t operations = in.array(limits::operations);
  if (!in.good() || into.kind.empty()) return malformed("A change has no kind.");
  for (std::uint64_t i = 0; i < operations; ++i) {
    if (!read_operation(in, entries, into))
      return malformed("An operation of a change breaks a rule.");
  }
  if (!in.finished()) return malformed("A change is cut short or has bytes left over.");
  if (!names_all(into, entries)) return malformed("A change lists an entry that it never names.");
  return {};
}

}  // namespace chapterd
