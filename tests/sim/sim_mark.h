// The file `instance` beside the database, on a simulated disk.
#pragma once

#include "replication/store/high_water.h"
#include "replication/store/store.h"
#include "tests/sim/sim_disk.h"

namespace chapterd::sim {

class SimMark final : public MarkKeeper {
 public:
  explicit SimMark(SimDisk& disk) : disk_(disk) {}

  static constexpr const char* file = "instance";

  [[nodiscard]] std::optional<ExportMark> read() override;
  [[nodiscard]] std::vector<Bytes> read_revocations() override;
  // As daemons write it: another file, synced, renamed, its folder synced.
  [[nodiscard]] bool write(const ExportMark& mark, const std::vector<Bytes>& revocations) override;

 private:
  void count_io();

  SimDisk& disk_;
};

// As it stands in the database; nullopt before the node was started for the first time.
[[nodiscard]] std::optional<ExportMark> mark_in(Reader& database);

}  // namespace chapterd::sim
