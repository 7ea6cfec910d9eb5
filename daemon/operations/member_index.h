// Members found by name, expertise or place, in memory only: nothing of it is ever on a disk.
#pragma once

#include "daemon/operations/held.h"
#include "replication/vault.h"

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>

namespace chapterd {

// Any thread.
class MemberIndex {
 public:
  MemberIndex() = default;
  MemberIndex(const MemberIndex&) = delete;
  MemberIndex& operator=(const MemberIndex&) = delete;
  ~MemberIndex();

  // Follows the log up to the directory's arrival; built anew after other keys came, when a cut
  // moved, and when something was erased. Costs a read of all members then, else of what is new.
  void follow(Reader& reader,
              const Directory& directory,
              const ChapterVault& vault,
              const Kinds& kinds);

  // Those whose fields hold all of these words; follows first.
  // Limit: capital and small letters are the same in ASCII only.
  [[nodiscard]] std::set<RecordKey> search(Reader& reader,
                                           const Directory& directory,
                                           const ChapterVault& vault,
                                           const Kinds& kinds,
                                           std::string_view words);

  // Overwrites and forgets everything.
  void drop();

 private:
  void drop_held();
  void take(const RecordView& view, const Kind& kind);
  void read_all(Reader& reader, const Directory& directory, const Kinds& kinds);
  void read_new(Reader& reader, const Directory& directory, const Kinds& kinds);
  void follow_held(Reader& reader,
                   const Directory& directory,
                   const ChapterVault& vault,
                   const Kinds& kinds);

  std::mutex mutex_;  // guards what follows
  std::map<RecordKey, std::string> texts_;
  bool built_ = false;
  Arrival at_;
  std::uint64_t cuts_ = 0;
  Arrival order_;
  std::shared_ptr<const ChapterKeys> keys_;
};

}  // namespace chapterd
