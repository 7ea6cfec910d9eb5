// Each call to the system counts, so that the process can die at any of them.
#include "tests/sim/sim_mark.h"

#include "base/byte_stream.h"
#include "replication/directory.h"

namespace chapterd::sim {
namespace {

constexpr const char* file_under_way = "instance.new";
constexpr std::size_t statement_bytes = 16 * 1024;

struct Content {
  std::optional<ExportMark> mark;
  std::vector<Bytes> revocations;
};

Content content_of(const SimDisk& disk) {
  Content content;
  const auto at = disk.files.find(SimMark::file);
  if (at == disk.files.end()) return content;
  ByteReader in(at->second->bytes());
  if (const auto mark = decode_export_mark(in.sized_bytes(statement_bytes))) content.mark = *mark;
  const std::uint64_t count = in.varint();
  for (std::uint64_t i = 0; i < count && in.good(); ++i) {
    const ByteView statement = in.sized_bytes(statement_bytes);
    content.revocations.emplace_back(statement.begin(), statement.end());
  }
  if (!in.finished()) content.revocations.clear();
  return content;
}

}  // namespace

std::optional<ExportMark> SimMark::read() {
  return content_of(disk_).mark;
}

std::vector<Bytes> SimMark::read_revocations() {
  return content_of(disk_).revocations;
}

void SimMark::count_io() {
  if (!disk_.count_io()) throw Broken("killed while it wrote its mark");
}

bool SimMark::write(const ExportMark& mark, const std::vector<Bytes>& revocations) {
  ByteWriter out;
  out.sized_bytes(encode(mark)).varint(revocations.size());
  for (const Bytes& statement : revocations) out.sized_bytes(statement);
  const Bytes bytes = out.take();
  DiskFaults& faults = disk_.faults;
  count_io();
  if (faults.bad_writes > 0) {
    --faults.bad_writes;
    throw Broken("the mark cannot be written");
  }
  const auto size = static_cast<std::int64_t>(bytes.size());
  if (faults.room_bytes >= 0 && faults.room_bytes < size) return false;
  if (faults.room_bytes >= 0) faults.room_bytes -= size;
  const auto made = std::make_shared<SimFile>();
  made->write(bytes, 0);
  disk_.files[file_under_way] = made;
  count_io();
  if (faults.bad_syncs > 0) {
    --faults.bad_syncs;
    throw Broken("the mark cannot be synced");
  }
  if (!faults.syncs_lie) made->sync();
  count_io();
  disk_.rename(file_under_way, file);
  count_io();
  if (!faults.syncs_lie) disk_.sync_names();
  return true;
}

std::optional<ExportMark> mark_in(Reader& database) {
  const auto stored = database.values(stored_name::instance);
  if (stored.empty()) return std::nullopt;
  const auto mark = decode_export_mark(stored.front().value);
  return mark ? std::optional(*mark) : std::nullopt;
}

}  // namespace chapterd::sim
