// The mark's bytes, its file, and what two copies of it say.
#include "replication/store/high_water.h"

#include "base/byte_stream.h"
#include "crypto/hash.h"
#include "replication/store/folder.h"
#include "replication/store/store.h"

#include <algorithm>

namespace chapterd {
namespace {

constexpr std::uint8_t version = 1;
constexpr std::size_t check_bytes = 8;
constexpr std::size_t mark_bytes = 1 + InstanceToken::size + 8 + check_bytes;
constexpr std::size_t most_bytes = mark_bytes + most_revoked_bytes;
constexpr std::size_t statement_bytes = 16 * 1024;
constexpr std::size_t frame_bytes = 32;  // version, count and check of the list; generous

std::uint64_t check_of(ByteView body) {
  return ByteReader(hash("chapterd/instance/1", body).view()).u64();
}

std::uint64_t check_of_revoked(ByteView body) {
  return ByteReader(hash("chapterd/instance-revoked/1", body).view()).u64();
}

Bytes encode_revoked(const std::vector<Bytes>& statements) {
  ByteWriter list;
  std::uint64_t count = 0;
  for (const Bytes& statement : statements) {
    ByteWriter one;
    one.sized_bytes(statement);
    if (list.view().size() + one.view().size() + frame_bytes > most_revoked_bytes) break;
    list.bytes(one.view());
    count += 1;
  }
  ByteWriter out;
  out.u8(version).varint(count).bytes(list.view());
  const std::uint64_t check = check_of_revoked(out.view());
  return out.u64(check).take();
}

// Empty when it is damaged.
std::vector<Bytes> decode_revoked(ByteView bytes) {
  if (bytes.size() < check_bytes) return {};
  const ByteView body = bytes.first(bytes.size() - check_bytes);
  if (ByteReader(bytes.last(check_bytes)).u64() != check_of_revoked(body)) return {};
  ByteReader in(body);
  if (in.u8() != version) return {};
  std::vector<Bytes> statements;
  const std::uint64_t count = in.varint();
  for (std::uint64_t i = 0; i < count && in.good(); ++i) {
    const ByteView statement = in.sized_bytes(statement_bytes);
    statements.emplace_back(statement.begin(), statement.end());
  }
  return in.finished() ? statements : std::vector<Bytes>{};
}

}  // namespace

Bytes encode(const ExportMark& mark) {
  ByteWriter out;
  out.u8(version).fixed(mark.token).u64(mark.number);
  const std::uint64_t check = check_of(out.view());
  return out.u64(check).take();
}

Result<ExportMark> decode_export_mark(ByteView bytes) {
  ByteReader in(bytes);
  const bool is_known = in.u8() == version;
  ExportMark mark;
  mark.token = in.fixed<InstanceToken>();
  mark.number = in.u64();
  const std::uint64_t check = in.u64();
  if (!is_known || !in.finished() || check != check_of(bytes.first(mark_bytes - check_bytes)))
    return fail(Errc::malformed, "instance.damaged", "The export mark is damaged.");
  return mark;
}

MarkVerdict compare_marks(const std::optional<ExportMark>& file,
                          const std::optional<ExportMark>& database) {
  if (!database) return file ? MarkVerdict::rolled_back : MarkVerdict::fresh;
  if (!file) return database->number == 0 ? MarkVerdict::fresh : MarkVerdict::file_missing;
  if (file->token != database->token) return MarkVerdict::other_pair;
  return file->number > database->number ? MarkVerdict::rolled_back : MarkVerdict::same;
}

Bytes MarkFile::read_all() const {
  auto bytes = read_file(path_, most_bytes);
  if (!bytes && bytes.error().kind == Errc::failed) throw Broken(bytes.error().what);
  return bytes ? std::move(*bytes) : Bytes{};
}

std::optional<ExportMark> MarkFile::read() {
  const Bytes bytes = read_all();
  const auto mark = decode_export_mark(ByteView(bytes).first(std::min(bytes.size(), mark_bytes)));
  return mark ? std::optional(*mark) : std::nullopt;
}

std::vector<Bytes> MarkFile::read_revocations() {
  const Bytes bytes = read_all();
  return bytes.size() <= mark_bytes ? std::vector<Bytes>{}
                                    : decode_revoked(ByteView(bytes).subspan(mark_bytes));
}

bool MarkFile::write(const ExportMark& mark, const std::vector<Bytes>& revocations) {
  Bytes file = encode(mark);
  append(file, encode_revoked(revocations));
  const auto written = write_file_durably(path_, file);
  if (written) return true;
  if (written.error().kind != Errc::disk) throw Broken(written.error().what);
  return false;
}

}  // namespace chapterd
