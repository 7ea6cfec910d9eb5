// Changes: what is accepted encodes to the same bytes.
#include "replication/format/change.h"
#include "tests/fuzz/target.h"

namespace chapterd {
namespace {

void check(ByteView bytes) {
  ChangeView view;
  if (!decode_change(bytes, view)) return;
  Change change{view.record, std::string(view.kind), view.schema, {}};
  for (const OperationView& each : view.operations) {
    const auto names = view.supersedes(each);
    change.operations.push_back({std::string(each.field),
                                 each.action,
                                 Bytes(each.value.begin(), each.value.end()),
                                 {names.begin(), names.end()}});
  }
  CHECK(equal(encode(change), bytes));
}

}  // namespace
}  // namespace chapterd

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  chapterd::check({data, size});
  return 0;
}
