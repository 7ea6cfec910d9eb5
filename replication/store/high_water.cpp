// The mark's bytes, its file, and what two copies of it say.
#include "replication/store/high_water.h"

#include "base/byte_stream.h"
#include "crypto/hash.h"
#include "replication/store/folder.h"
#include "replication/store/store.h"

namespace chapterd {
namespace {

constexpr std::uint8_t version = 1;
constexpr std::size_t check_bytes = 8;
constexpr std::size_t most_bytes = 1 + InstanceToken::size + 8 + check_bytes;

std::uint64_t check_of(ByteView body) {
  return ByteReader(hash("chapterd/instance/1", body).view()).u64();
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
  if (!is_known || !in.finished() || check != check_of(bytes.first(most_bytes - check_bytes)))
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

std::optional<ExportMark> MarkFile::read() {
  const auto bytes = read_file(path_, most_bytes);
  if (!bytes && bytes.error().kind == Errc::failed) throw Broken(bytes.error().what);
  if (!bytes) return std::nullopt;
  const auto mark = decode_export_mark(*bytes);
  if (!mark) return std::nullopt;
  return *mark;
}

bool MarkFile::write(const ExportMark& mark) {
  const auto written = write_file_durably(path_, encode(mark));
  if (written) return true;
  if (written.error().kind != Errc::disk) throw Broken(written.error().what);
  return false;
}

}  // namespace chapterd
