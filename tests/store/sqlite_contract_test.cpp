// The contract of every backend, for SQLite.
#include "replication/store/sqlite/sqlite_store.h"
#include "tests/store/scratch_folder.h"
#include "tests/store/store_contract.h"

namespace chapterd {

namespace {

class SqliteBackend final : public Backend {
 public:
  std::unique_ptr<Store> open() override {
    auto store = SqliteStore::open(folder_.file("chapterd.db"), SqliteOptions{});
    if (!store) throw std::runtime_error(store.error().what);
    return std::move(*store);
  }

  std::unique_ptr<Reader> open_reader() override {
    return chapterd::open_reader(folder_.file("chapterd.db"));
  }

 private:
  ScratchFolder folder_;
};

std::unique_ptr<Backend> sqlite() {
  return std::make_unique<SqliteBackend>();
}

}  // namespace

INSTANTIATE_TEST_SUITE_P(Sqlite, StoreContract, testing::Values(&sqlite));

}  // namespace chapterd
